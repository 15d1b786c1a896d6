"""The claim "kill -9 at any moment loses nothing and doubles nothing", over many cycles: 200 by default.

The daemon is killed again and again on a real Kafka and a real mongod while alerts, repeats and poison come in; after
each death every committed offset must have its outcome in the store, and at the end the documents must be those of one
daemon that nobody disturbed. It is the loop of ``tests/fault``, longer. Exits non-zero when a promise is broken.

    python benchmarks/faults.py --cycles 200 --seed 7
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.broker import make_topic
from support.cycles import POINTS, killed_at_points, killed_at_random
from support.daemons import Site

from ampeld.demo.servers import EmbeddedServers

PARTITIONS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=200, help="deaths in all: half at random, half at named points")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="printed; the same gives the same")
    parser.add_argument("--kafka", choices=["apache", "tansu"], default="apache")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    at_points = [POINTS[number % len(POINTS)] for number in range(options.cycles // 2)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, EmbeddedServers(options.kafka, directory=Path(name, "servers")) as pair:
        sites = Path(name, "run", "sites")

        def site(name: str, topic: str) -> Site:
            return Site(sites, pair.kafka, pair.mongodb, [topic], name)

        for topic in ("random", "points"):
            make_topic(pair.kafka, topic, partitions=PARTITIONS)
            with site(f"{topic}-killed", topic) as killed, site(f"{topic}-calm", topic) as calm:
                if topic == "random":
                    cycles = options.cycles - len(at_points)
                    killed_at_random(
                        killed, calm, topic, cycles=cycles, partitions=PARTITIONS, seed=options.seed, told=tell(topic)
                    )
                else:
                    killed_at_points(killed, calm, topic, at_points, partitions=PARTITIONS, told=tell(topic))
    print(f"{options.cycles} deaths, nothing lost, nothing doubled, {time.monotonic() - began:.0f} s")


def tell(kind: str):
    return lambda cycle: print(f"{kind}: {cycle} deaths", flush=True) if cycle % 10 == 0 else None


if __name__ == "__main__":
    main()
