"""The claims on tickets: how many a daemon measures in a second, and that deaths lose none and double none.

Simulated alerts are stored in a real mongod as a channel that takes all of them would, each with its state; for every
state there is a ticket of a trivial unit. A daemon that has nothing else to read measures them, and a fresh one the
same again. The rate is that of the middle eight tenths, by the times in the documents' provenance, so that no start
bends it, and the median of the runs.

With ``--kill`` the unit takes some milliseconds, three daemons share the tickets, and every five seconds one of them is
killed and begins anew; then each ticket must have exactly one result. Exits non-zero when one has none, or more.

    python benchmarks/tickets.py
    python benchmarks/tickets.py --kill
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import uvloop
from bench import CACHE_GB, COMMAND, make_topic
from pymongo import MongoClient
from rich.progress import Progress

from ampeld.alert.decode import Decoder
from ampeld.channel.channel import Channel
from ampeld.channel.passall import PassAll
from ampeld.daemon.channels import load_channel
from ampeld.daemon.files import read_channel
from ampeld.demo.servers import EmbeddedServers
from ampeld.demo.simulate import SimulatedNights
from ampeld.flow.codes import NEW
from ampeld.flow.record import Batch, Record
from ampeld.flow.wanted import Recipe
from ampeld.stages.decode import decode_batch
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.filter import judge_batch
from ampeld.stages.ports import Provenance
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.mongodb import MongoStore

PROVENANCE = Provenance(run="benchmark", version="", config="", instance="benchmark")
FLUSH = 500
KILL_S = 5.0
LEASE_S = 6.0
SLOW_S = 0.004
UNIT = """
import time
from ampeld.feature import StateUnit, Value


class Trivial(StateUnit):
    seconds: float = 0.0
    values = (Value("n", "", "points"),)

    def measure(self, light_curve):
        if self.seconds:
            time.sleep(self.seconds)
        return {"n": len(light_curve)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3, help="how often they are measured (without --kill)")
    parser.add_argument("--kill", action="store_true", help="three daemons, one of which is killed every five seconds")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedServers(directory=Path(name, "servers"), cache_gb=CACHE_GB) as pair,
    ):
        seconds, settings = (SLOW_S, {"features.lease_s": LEASE_S}) if options.kill else (0.0, {})
        site = Site(Path(name), pair, seconds=seconds, settings=settings)
        uvloop.run(make_topic(pair.kafka, "nothing"))
        points = uvloop.run(site.fill(options.tickets))
        done = site.kill(options.tickets) if options.kill else site.measure(options.tickets, options.runs)
    print(json.dumps({"tickets": options.tickets, "points_per_state": round(points, 1), **done}, indent=2))
    if options.kill and (done["lost"] or done["doubled"]):
        sys.exit(1)


class Site:
    """A database with tickets, and daemons that measure them."""

    def __init__(
        self, directory: Path, pair: EmbeddedServers, *, seconds: float, settings: Mapping[str, float]
    ) -> None:
        self._directory = directory
        self._pair = pair
        channels = directory / "channels"
        channels.mkdir()
        (channels / "trivial.py").write_text(UNIT)
        text = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "nobody@example.org"\n'
        feature = f'[[feature]]\nunit = "trivial.py:Trivial"\nparams = {{ seconds = {seconds} }}\n'
        (channels / "all.toml").write_text(text + feature)
        self._channel = load_channel(read_channel(channels / "all.toml"))
        values = {
            "source.brokers": [pair.kafka],
            "source.topics": ["nothing"],
            "source.session_timeout_s": 6.0,
            "store.uri": pair.mongodb,
            "store.database": "tickets",
            "channels.directory": str(channels),
            **settings,
            "status.listen": "",
            "log.format": "json",
        }
        self._config = directory / "ampeld.toml"
        self._config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        self._client = MongoClient[dict[str, Any]](pair.mongodb)
        self._documents = self._client["tickets"]["t2"]

    async def fill(self, tickets: int) -> float:
        """Store states and a ticket of each; return how many points they have on average."""
        store = MongoStore(self._pair.mongodb, "tickets", timeout_s=60.0)
        await store.prepare()
        flusher, decoder = Flusher(store, PROVENANCE, "benchmark"), Decoder(2 * 2**20)
        plain = Channel(
            name="all",
            filter=PassAll(),
            contact="",
            access=frozenset({"ZTF_PUB", "ZTF_PRIV"}),
            on_known="off",
            version="",
            path=Path(),
        )
        with Progress() as progress:
            task = progress.add_task("states", total=tickets)
            for batch in batches(tickets):
                decoded = decode_batch(decoder, batch)
                await flusher.store([judge_batch((plain,), decoded, {}, skipped=frozenset())])
                progress.update(task, completed=min(tickets, await store.connection["t1"].estimated_document_count()))
                if await store.connection["t1"].estimated_document_count() >= tickets:
                    break
            states = await store.connection["t1"].find({}, {"stock": 1, "link": 1, "dps": 1}).to_list(tickets)
        changes = [ask(self._channel.features[0].recipe, state, jd) for jd, state in enumerate(states)]
        for begin in range(0, len(changes), FLUSH):
            await store.write_features(changes[begin : begin + FLUSH])
        await store.close()
        return float(np.mean([len(state["dps"]) for state in states]))

    def start(self, instance: str) -> "subprocess.Popen[bytes]":
        """Start a daemon."""
        command = [str(COMMAND), "run", "-c", str(self._config), "--instance", instance]
        environment = os.environ | {"RUNTIME_DIRECTORY": str(self._directory)}
        with (self._directory / f"{instance}.log").open("wb") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def measure(self, tickets: int, runs: int) -> dict[str, Any]:
        """Let one daemon measure all, and then another one the same; return the rates [1/s] and their median."""
        self._documents.aggregate([{"$out": "waiting"}])
        rates, account = [], Counter[str]()
        for _ in range(runs):
            self._let_wait()
            daemon = self.start("one")
            try:
                self._wait([daemon])
            finally:
                daemon.terminate()
                daemon.wait()
            rates.append(self._rate())
            account.update(self._account(tickets))
        return {"tickets_s": median(rates), "runs": rates, **account}

    def _let_wait(self) -> None:
        """Make tickets of all documents again, and let the server have written what it was told."""
        self._documents.delete_many({})
        self._client["tickets"]["waiting"].aggregate([{"$merge": "t2"}])
        self._client.admin.command("fsync")

    def kill(self, tickets: int) -> dict[str, Any]:
        """Let three daemons measure all, one of which is killed every five seconds; return what was lost."""
        daemons = [self.start(f"daemon-{i}") for i in range(3)]
        kills = 0
        try:
            while self._documents.count_documents({"code": {"$gte": 0}}) == 0:
                self._check_alive(daemons)
                time.sleep(0.1)
            for victim in itertools.cycle(range(3)):
                if self._is_through(KILL_S):
                    break
                self._check_alive(daemons)
                if not self._is_at_work(f"daemon-{victim}"):
                    continue  # on a machine that is busy it would die in its cradle again and again
                daemons[victim].send_signal(signal.SIGKILL)
                daemons[victim].wait()
                kills += 1
                daemons[victim] = self.start(f"daemon-{victim}")
        finally:
            for daemon in daemons:
                daemon.terminate()
            for daemon in daemons:
                daemon.wait()
        return {"deaths": kills, **self._account(tickets)}

    def _is_at_work(self, instance: str) -> bool:
        return "source.assigned" in (self._directory / f"{instance}.log").read_text()

    def _is_through(self, within_s: float) -> bool:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            # By the index of what waits: to count what is done would read all of it again and again.
            if self._documents.find_one({"code": {"$lt": 0}}, {"_id": 1}, hint="queue") is None:
                return True
            time.sleep(0.2)
        return False

    def _wait(self, daemons: Sequence["subprocess.Popen[bytes]"]) -> None:
        while not self._is_through(1.0):
            self._check_alive(daemons)

    def _check_alive(self, daemons: Sequence["subprocess.Popen[bytes]"]) -> None:
        if any(daemon.poll() is not None for daemon in daemons):
            logs = [log.read_text()[-2000:] for log in self._directory.glob("*.log")]
            raise SystemExit("a daemon has ended by itself:\n" + "\n".join(logs))

    def _rate(self) -> float:
        times = sorted(document["meta"][-1]["ts"] for document in self._documents.find({}, {"meta": 1}))
        a, b = len(times) // 10, len(times) * 9 // 10
        return round((b - a) / (times[b] - times[a]), 1)

    def _account(self, tickets: int) -> dict[str, int]:
        lost = doubled = 0
        for document in self._documents.find({}):
            results = sum(entry["code"] >= 0 for entry in document["meta"])
            lost += document["code"] != 0 or results < 1
            doubled += results > 1 or len(document["body"]) > 1
        return {"lost": lost + tickets - self._documents.count_documents({}), "doubled": doubled}


def batches(alerts: int) -> Iterator[Batch]:
    """Yield simulated alerts, some more than asked for: some come twice."""
    packets = (alert.packet for alert in SimulatedNights(seed=0, alerts=round(1.1 * alerts)))
    for number in itertools.count():
        payloads = list(itertools.islice(packets, FLUSH))
        if not payloads:
            return
        first = number * FLUSH
        yield Batch(
            [
                Record(topic="t", partition=0, offset=first + i, value=value, after=first + i, through=first + i)
                for i, value in enumerate(payloads)
            ],
            [],
            0.0,
        )


def ask(recipe: Recipe, state: dict[str, Any], jd: float) -> FeatureChange:
    """Return the change that makes the ticket of a state."""
    key = FeatureKey(state["stock"], "t1", recipe.unit, recipe.config, state["link"])
    meta = {"ts": time.time(), "code": NEW, "channel": ["all"]}  # noqa: TID251  as the flow says it
    return FeatureChange(key, ("all",), ("ZTF",), jd, 1, NEW, meta=meta)


if __name__ == "__main__":
    main()
