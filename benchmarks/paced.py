"""Alerts at a fixed rate for waiting daemons: how late their verdicts are, and what an alert costs one or several."""

import asyncio
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from aiokafka import AIOKafkaProducer
from bench import MAX_REQUEST, PARTITIONS, Bench, Numbers, make_topic
from processes import MemoryWatch, cpu_seconds, growth, wait_quiet
from pymongo import MongoClient

from ampeld.store.blocks import decode_block

KEPT_BYTES = 64 * 2**20
PATIENCE_S = 120


class Watch:
    """Notes when the verdict on each record becomes known to others: when its block comes in a change stream."""

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
                block = decode_block(change["fullDocument"])
                for part, rows in block.slices():
                    self.known |= {(part.partition, offset): now for offset in block.offset[rows].tolist()}

    def close(self) -> None:
        """End the watch."""
        self._ending.set()
        self._thread.join()
        self._client.close()


async def send_paced(kafka: str, topic: str, packets: Sequence[bytes], rate: float, seconds: float) -> list[Any]:
    """Send packets round and round at a rate; return when each was sent and where it lies."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=MAX_REQUEST)
    await producer.start()
    sent: list[Any] = []
    began = time.monotonic()
    for number in count():
        due = began + number / rate
        if due > began + seconds:
            break
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        packet = packets[number % len(packets)]
        sent.append((time.monotonic(), await producer.send(topic, packet, partition=number % PARTITIONS)))
    places = [(at, await future) for at, future in sent]
    await producer.stop()
    return [(at, (place.partition, place.offset)) for at, place in places]


async def latency(bench: Bench, packets: Sequence[bytes], channels: Path, rate: float, seconds: float) -> Numbers:
    """Return percentiles of the time from the send of an alert to the news of its verdict [s], and memory [MB]."""
    await make_topic(bench.pair.kafka, "latency", retention_bytes=KEPT_BYTES)
    process = bench.start(bench.config("latency", "latency", channels))
    bench.wait_assigned(["latency"])
    wait_quiet(process.pid)
    watch = Watch(bench.pair.mongodb, "latency")
    with MemoryWatch(process.pid) as memory:
        sent = await send_paced(bench.pair.kafka, "latency", packets, rate, seconds)
        await _known(watch, len(sent))
    process.terminate()
    process.wait(60)
    watch.close()
    cuts = quantiles([watch.known[place] - at for at, place in sent], n=100, method="inclusive")
    return {
        "p50": cuts[49],
        "p95": cuts[94],
        "p99": cuts[98],
        "pss": memory.peak,
        "pss_median": median(memory.samples) if memory.samples else 0.0,
        "growth": growth(memory.samples),
    }


async def _known(watch: Watch, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(watch.known) < number:
        await asyncio.sleep(0.1)
        if time.monotonic() > deadline:
            raise SystemExit("the daemon does not keep up: give a lower --rate")


async def group_cost(
    bench: Bench, packets: Sequence[bytes], channels: Path, *, daemons: int, rate: float, seconds: float
) -> float:
    """Return what an alert costs daemons of one group that share the partitions [s of processor]."""
    name = f"group{daemons}"
    await make_topic(bench.pair.kafka, name, retention_bytes=KEPT_BYTES)
    config = bench.config(name, name, channels)
    instances = [f"{name}-{number}" for number in range(daemons)]
    processes = [bench.start(config, instance=instance) for instance in instances]
    bench.wait_assigned(instances)
    watch = Watch(bench.pair.mongodb, name)
    wait_quiet(*(process.pid for process in processes))
    before = sum(cpu_seconds(process.pid) for process in processes)
    sent = await send_paced(bench.pair.kafka, name, packets, rate, seconds)
    await _known(watch, len(sent))
    used = sum(cpu_seconds(process.pid) for process in processes) - before
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(60)
    watch.close()
    return used / len(sent)
