"""What the benchmarks of the whole daemon share: servers, a topic with a night, configurations, and runs to its end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from processes import MemoryWatch, cpu_seconds
from pymongo import MongoClient
from steady import steady_rate

from ampeld.demo.produce import partition_of
from ampeld.demo.servers import EmbeddedServers

COMMAND = Path(sys.executable).with_name("ampeld")
HERE = Path(__file__).resolve().parent
DECENT = HERE.parent / "channels" / "decent.toml"
PARTITIONS = 16
CACHE_GB = 2.0
"""Of the mongod: the embedded one's usual quarter cannot hold a night, and nobody runs one like that."""
MAX_REQUEST = 20 * 2**20

Numbers = dict[str, float]
Document = dict[str, Any]


def decent_channels(directory: Path, count: int, min_rb: float, features: Sequence[str] = ()) -> Path:
    """Write channels as the shipped ``decent``, each with a threshold of its own, and return their directory.

    Every channel asks for these features, and not for those that the shipped one does.
    """
    directory.mkdir(parents=True, exist_ok=True)
    shipped = DECENT.read_text().partition("\n[[feature]]")[0]
    text = shipped + "".join(f'\n\n[[feature]]\nunit = "{unit}"\n' for unit in features)
    for number in range(count):
        changed = text.replace("min_rb = 0.5 ", f"min_rb = {min_rb + number * 1e-6:.6f} ")
        changed = changed.replace("max_fwhm = 5.5 ", f"max_fwhm = {5.5 + number * 1e-3:.3f} ")
        if changed == text:
            raise SystemExit(f"{DECENT} has other parameters than this benchmark knows")
        (directory / f"channel{number:03d}.toml").write_text(changed)
    return directory


def pass_all_channel(directory: Path) -> Path:
    """Write one channel that accepts everything, and return its directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "all.toml").write_text('filter = "ampeld.channel.passall:PassAll"\ncontact = "nobody@example.org"\n')
    return directory


class Bench:
    """A pair of servers, and daemons that are run against them.

    Parameters
    ----------
    directory
        Where configurations and logs are written.
    pair
        The servers.
    settings
        Settings of every daemon, by their dotted names.
    """

    def __init__(self, directory: Path, pair: EmbeddedServers, settings: Mapping[str, object] | None = None) -> None:
        self.directory = directory
        self.pair = pair
        self._settings = dict(settings or {})
        self._runs = 0

    def config(self, name: str, topic: str, channels: Path, **settings: object) -> Path:
        """Write a configuration with a group and a database of its own, and return its path."""
        path = self.directory / f"{name}.toml"
        values = {
            "source.brokers": [self.pair.kafka],
            "source.topics": [topic],
            "source.group": name,
            "source.session_timeout_s": 6.0,
            "store.uri": self.pair.mongodb,
            "store.database": name,
            "channels.directory": str(channels),
            "status.listen": "",
            "log.format": "json",
            **self._settings,
            **settings,
        }
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return path

    def start(self, config: Path, *arguments: str, instance: str = "") -> "subprocess.Popen[bytes]":
        """Start a daemon that logs beside its configuration."""
        instance = instance or config.stem
        environment = os.environ | {"RUNTIME_DIRECTORY": str(self.directory)}
        command = [str(COMMAND), "run", "-c", str(config), "--instance", instance, *arguments]
        with self.log(instance).open("wb") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def log(self, instance: str) -> Path:
        """Return the log of a daemon."""
        return self.directory / f"{instance}.log"

    def events(self, instance: str, name: str) -> list[Document]:
        """Return the lines of one event in the log of a daemon, each with its time ``at`` [s since the epoch]."""
        lines = [json.loads(line) for line in self.log(instance).read_text().splitlines() if f'"{name}"' in line]
        return [line | {"at": _seconds(line["timestamp"])} for line in lines if line["event"] == name]

    def drain(self, topic: str, channels: Path) -> Numbers:
        """Run a daemon of its own group and database to the end of a topic.

        Returns
        -------
        dict
            ``rate`` at which verdict blocks told of alerts [1/s], ``cpu`` seconds from its assignment to its end with
            its children, ``pss`` peak memory with its children [MB], how many alerts had each outcome, and how many
            ``features`` were measured and how many ``tickets`` were left.
        """
        self._runs += 1
        config = self.config(f"drain{self._runs}", topic, channels)
        process = self.start(config, "--until-end")
        with MemoryWatch(process.pid) as memory:
            while not self.events(config.stem, "source.assigned"):
                if process.poll() is not None:
                    raise SystemExit(f"the daemon failed:\n{self.log(config.stem).read_text()[-3000:]}")
                time.sleep(0.05)
            begun = cpu_seconds(process.pid)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"the daemon failed:\n{self.log(config.stem).read_text()[-3000:]}")
        (drained,) = self.events(config.stem, "daemon.drained")
        outcomes = {key: drained[key] for key in ("filtered", "stored", "duplicate", "dead_lettered")}
        return {
            "rate": steady_rate(self._progress(config.stem)),
            "cpu": used.ru_utime + used.ru_stime - begun,
            "pss": memory.peak,
            **outcomes,
            **self._measured(config.stem),
        }

    def _measured(self, database: str) -> Numbers:
        with MongoClient[Document](self.pair.mongodb) as client:
            features = client[database]["t2"]
            measured = features.count_documents({"code": 0})
            return {"features": measured, "tickets": features.count_documents({}) - measured}

    def _progress(self, database: str) -> list[tuple[float, int]]:
        """Return when verdict blocks were written [s since the epoch], each with the alerts told of by then."""
        with MongoClient[Document](self.pair.mongodb, tz_aware=True) as client:
            blocks = list(client[database]["verdict_blocks"].find({}, {"written": 1, "n": 1}).sort("written"))
        done = accumulate(block["n"] for block in blocks)
        return [(block["written"].timestamp(), number) for block, number in zip(blocks, done, strict=True)]

    def bare(self, topic: str, count: int) -> Numbers:
        """Read a topic with aiokafka alone, in a process of its own: ``rate`` [1/s], ``cpu`` seconds of an alert."""
        command = [sys.executable, str(HERE / "bare_loop.py"), self.pair.kafka, topic, str(count)]
        found: Numbers = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return found

    def wait_assigned(self, instances: Iterable[str], partitions: int = PARTITIONS) -> None:
        """Return when these daemons of one group hold all partitions between them."""
        waiting = list(instances)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assigned = [self.events(name, "source.assigned") for name in waiting]
            if all(assigned) and sum(lines[-1]["partitions"] for lines in assigned) == partitions:
                return
            time.sleep(0.1)
        raise SystemExit(f"{waiting} do not share {partitions} partitions after two minutes")


def _seconds(stamp: str) -> float:
    moment = datetime.fromisoformat(stamp)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


async def make_topic(kafka: str, name: str, *, retention_bytes: int | None = None) -> None:
    """Make a topic; with ``retention_bytes`` each partition keeps about so much."""
    configs = {"max.message.bytes": str(MAX_REQUEST)}
    if retention_bytes is not None:
        configs |= {"retention.bytes": str(retention_bytes), "segment.bytes": str(16 * 2**20)}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=configs)])
        while not all(topic["partitions"] for topic in await admin.describe_topics([name])):
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def fill(kafka: str, topic: str, packets: Iterable[bytes], objects: Iterable[str]) -> None:
    """Send packets as fast as the broker takes them, each object's to one partition."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5, max_request_size=MAX_REQUEST)
    await producer.start()
    pending: list[asyncio.Future[object]] = []
    for packet, name in zip(packets, objects, strict=True):
        partition = partition_of(name, PARTITIONS)
        pending.append(await producer.send(topic, packet, key=name.encode(), partition=partition))
        if len(pending) == 256:
            await asyncio.wait(pending)
            pending = []
    await producer.stop()
