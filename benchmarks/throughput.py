"""The claims on speed: alerts per second beside what aiokafka alone can read, CPU per alert and stage, latency, memory.

A simulated night of packets of real size goes through a real Kafka. In each run a bare aiokafka loop reads the topic
and throws everything away, then the daemon reads the same topic to its end; so both see the same machine in the same
minute, and their ratio says more than either number. Medians over the runs are printed. CPU of the daemon is that of
its process less that of one which starts and finds nothing to do. Stages are timed on the same alerts, in this process,
one after the other. Latency is from the send of an alert to the news of its verdict block in a change stream.

    python benchmarks/throughput.py --alerts 2000 --channels 2 --accept some
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import MongoClient
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ampeld.daemon.assembly import assemble
from ampeld.daemon.channels import load_channels
from ampeld.daemon.logging import configure_logging
from ampeld.daemon.settings import load_settings
from ampeld.daemon.sources import kafka_settings
from ampeld.demo.process import free_port
from ampeld.demo.produce import create_topics, produce
from ampeld.demo.servers import EmbeddedServers
from ampeld.demo.simulate import SimulatedNights
from ampeld.source.kafka import KafkaSource
from ampeld.stages.commit import commit_due
from ampeld.stages.decode import decode_batch
from ampeld.stages.filter import judge_batch
from ampeld.store.blocks import decode_block, rows_of

COMMAND = Path(sys.executable).with_name("ampeld")
PARTITIONS = 16
FILTERS = {
    "all": ("ampeld.channel.passall:PassAll", ""),
    "some": ("ampeld.channel.decent:DecentFilter", "channels/decent.toml"),
    "none": ("ampeld.channel.decent:DecentFilter", "channels/decent.toml"),
}
NEVER = 10_000  # detections: no alert has so many

Numbers = dict[str, float]


class Bench:
    """Servers, channels and a configuration for every run."""

    def __init__(self, directory: Path, pair: EmbeddedServers, options: argparse.Namespace) -> None:
        self.directory = directory
        self.pair = pair
        self.options = options
        self._write_channels(directory / "channels")

    def _write_channels(self, channels: Path) -> None:
        channels.mkdir()
        filter_, template = FILTERS[self.options.accept]
        text = f'filter = "{filter_}"\ncontact = "nobody@example.org"\n'
        if template:
            text = (Path(__file__).resolve().parents[1] / template).read_text()
        if self.options.accept == "none":
            text = text.replace("min_ndet = 2 ", f"min_ndet = {NEVER} ")
        for number in range(self.options.channels):
            (channels / f"channel{number}.toml").write_text(text)

    def config(self, name: str, topic: str, listen: str = "") -> Path:
        """Write a configuration with a group and a database of its own, and return its path."""
        path = self.directory / f"{name}.toml"
        values = {
            "source.brokers": [self.pair.kafka],
            "source.topics": [topic],
            "source.group": name,
            "source.session_timeout_s": 6.0,
            "store.uri": self.pair.mongodb,
            "store.database": name,
            "status.listen": listen,
            "log.format": "json",
        }
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return path

    def start(self, config: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a daemon that logs beside its configuration."""
        environment = os.environ | {"RUNTIME_DIRECTORY": str(self.directory)}
        command = [str(COMMAND), "run", "-c", str(config), "--instance", config.stem, *arguments]
        with config.with_suffix(".log").open("wb") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def drain(self, name: str, topic: str) -> Numbers:
        """Run the daemon to the end of the topic: seconds from its assignment, CPU seconds of its life, peak memory."""
        config = self.config(name, topic)
        process = self.start(config, "--until-end")
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = [json.loads(line) for line in config.with_suffix(".log").read_text().splitlines()]
        if process.returncode:
            raise SystemExit(f"the daemon failed: {lines[-3:]}")
        at = {line["event"]: datetime.fromisoformat(line["timestamp"]).timestamp() for line in lines}
        return {
            "seconds": at["daemon.drained"] - at["source.assigned"],
            "cpu": used.ru_utime + used.ru_stime,
            "rss": used.ru_maxrss / 1024,
        }


async def bare_loop(kafka: str, topic: str, count: int) -> Numbers:
    """Read the topic with aiokafka, set as the daemon sets it, and throw everything away."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False,
        fetch_max_bytes=4 * 2**20, fetch_max_wait_ms=250,
    )  # fmt: skip
    await consumer.start()
    try:
        began, cpu, seen = time.monotonic(), time.process_time(), 0
        while seen < count:
            batches = await consumer.getmany(timeout_ms=1000, max_records=256)
            seen += sum(map(len, batches.values()))
        return {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    finally:
        await consumer.stop()


async def stages(bench: Bench, topic: str, name: str) -> Numbers:
    """Return the CPU seconds of each stage on the whole topic, one stage after the other."""
    settings = load_settings(bench.config(name, topic), (), {})
    parts = assemble(settings, load_channels(bench.directory / "channels"), instance=name, group=name)
    await parts.prepare()
    used: Numbers = {}
    source = KafkaSource(
        kafka_settings(settings, instance=name, until_end=True), covered_to=_nothing_covered, on_gap=_no_gap
    )
    batches = []
    async with source:
        began = time.process_time()
        while (batch := await source.fetch(max_records=settings.source.max_batch, timeout_s=0.25)) is not None:
            for record, ledger in zip(batch.records, batch.ledgers, strict=True):
                ledger.settle(record.offset)
            batches += [batch] if batch.records else []
            await commit_due(source)
        used["consume"] = time.process_time() - began
    began = time.process_time()
    decoded = [decode_batch(parts.decoder, batch) for batch in batches]
    used["decode"] = time.process_time() - began
    began = time.process_time()
    judged = [judge_batch(parts.channels, each) for each in decoded]
    used["filter"] = time.process_time() - began
    began, wall = time.process_time(), time.monotonic()
    for each in judged:
        await parts.flusher.flush([each])
    used["flush"], used["flush_wall"] = time.process_time() - began, time.monotonic() - wall
    await parts.store.close()
    return used


async def _nothing_covered(_topic: str, _partition: int) -> None:
    return None


async def _no_gap(*gap: Any) -> None:
    raise SystemExit(f"the broker lost {gap}")


class Watch:
    """Notes when the verdict on each record becomes known to others."""

    def __init__(self, uri: str, database: str) -> None:
        self.known: dict[tuple[int, int], float] = {}
        self._client: MongoClient[dict[str, Any]] = MongoClient(uri)
        self._stream = self._client[database]["verdict_blocks"].watch([{"$match": {"operationType": "insert"}}])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            change = self._stream.try_next()
            now = time.monotonic()
            if change is not None:
                rows = rows_of(decode_block(change["fullDocument"]))
                self.known |= {(row.coordinates.partition, row.coordinates.offset): now for row in rows}

    def close(self) -> None:
        """End the watch."""
        self._ending.set()
        self._thread.join()
        self._client.close()


async def latency(bench: Bench, packets: Sequence[bytes], rate: float) -> Numbers:
    """Send alerts at a fixed rate to a daemon that waits for them; return percentiles [s]."""
    await create_topics(bench.pair.kafka, ["latency"], PARTITIONS)
    port = free_port()
    process = bench.start(bench.config("latency", "latency", f"127.0.0.1:{port}"))
    log = bench.directory / "latency.log"
    while b"source.assigned" not in log.read_bytes():
        await asyncio.sleep(0.1)
    watch = Watch(bench.pair.mongodb, "latency")
    producer = AIOKafkaProducer(bootstrap_servers=bench.pair.kafka, acks="all", max_request_size=20 * 2**20)
    await producer.start()
    sent: list[tuple[float, Any]] = []
    began = time.monotonic()
    for number, packet in enumerate(packets):
        if (wait := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        sent.append((time.monotonic(), await producer.send("latency", packet, partition=number % PARTITIONS)))
    places = [(at, await future) for at, future in sent]
    await producer.stop()
    while len(watch.known) < len(places):
        await asyncio.sleep(0.1)
        if time.monotonic() - places[-1][0] > 120:
            raise SystemExit("the daemon does not keep up: give a lower --rate")
    process.terminate()
    process.wait(30)
    watch.close()
    taken = [watch.known[where.partition, where.offset] - at for at, where in places]
    cuts = quantiles(taken, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def measure(bench: Bench) -> dict[str, float | str]:
    options = bench.options
    kafka, count = bench.pair.kafka, options.alerts
    asyncio.run(create_topics(kafka, ["night", "empty"], PARTITIONS))
    nights = SimulatedNights(options.seed, count)
    asyncio.run(produce(nights, kafka, topic="night", partitions=PARTITIONS))
    count = len(nights)
    idle = bench.drain("idle", "empty")
    bare, daemon = [], []
    for run in range(options.runs):
        bare.append(uvloop.run(bare_loop(kafka, "night", count)))
        daemon.append(bench.drain(f"run{run}", "night"))
    used = uvloop.run(stages(bench, "night", "stages"))
    packets = [alert.packet for _, alert in zip(range(int(options.rate * options.seconds)), nights, strict=False)]
    delays = uvloop.run(latency(bench, packets, options.rate))

    def micro(seconds: float) -> float:
        return seconds / count * 1e6

    return {
        "bare aiokafka [alerts/s]": count / median(run["seconds"] for run in bare),
        "daemon [alerts/s]": count / median(run["seconds"] for run in daemon),
        "daemon : bare": median(b["seconds"] / d["seconds"] for b, d in zip(bare, daemon, strict=True)),
        "CPU bare [us/alert]": micro(median(run["cpu"] for run in bare)),
        "CPU daemon [us/alert]": micro(median(run["cpu"] for run in daemon) - idle["cpu"]),
        **{f"CPU {name} [us/alert]": micro(used[name]) for name in ("consume", "decode", "filter", "flush")},
        "wall flush [us/alert]": micro(used["flush_wall"]),
        **{f"latency {name} [ms] at {options.rate:g}/s": delay * 1000 for name, delay in delays.items()},
        "memory idle, peak [MiB]": idle["rss"],
        "memory, peak [MiB]": max(run["rss"] for run in daemon),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=2000)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--kafka", choices=["apache", "tansu"], default="tansu")
    parser.add_argument("--accept", choices=sorted(FILTERS), default="some")
    parser.add_argument("--rate", type=float, default=50.0, help="alerts per second where latency is measured")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    configure_logging("json", "error", [])  # the stages run in this process too
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with EmbeddedServers(options.kafka, directory=directory / "servers") as pair:
            numbers = measure(Bench(directory, pair, options))
    if options.json:
        print(json.dumps({"options": vars(options), "cpus": os.cpu_count(), **numbers}))
        return
    about = f"{options.alerts} alerts, {options.channels} channels, accept {options.accept}, {options.kafka}"
    table = Table("what", "median", title=f"{about}, {options.runs} runs, {os.cpu_count()} CPUs")
    table.columns[1].justify = "right"
    for what, number in numbers.items():
        table.add_row(escape(what), f"{number:,.2f}" if float(number) < 10 else f"{number:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
