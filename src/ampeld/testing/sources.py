"""Where a bench takes its alerts from: files, directories, archives, a stretch of Kafka, or the simulator."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

import msgspec

from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.demo.simulate import SimulatedNights
from ampeld.flow.record import Coordinates, Record
from ampeld.source import archive
from ampeld.source.archive import DamagedFileError, Finished
from ampeld.source.span import Span, SpanReader

_MAX_BATCH_BYTES = 32 << 20


class Progress(msgspec.Struct):
    """How far the reading is, in bytes of files or in alerts."""

    done: int = 0
    total: int = 0
    unit: str = "alerts"


class AlertSource(Protocol):
    """Some alerts, readable as often as wanted."""

    progress: Progress

    def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield them from the first, at most so many at a time."""


class FileAlerts:
    """The alerts of files, directories and archives.

    Parameters
    ----------
    paths
        Read in this order, directories by name.
    max_message_bytes
        A larger one is a record with a refusal.

    Raises
    ------
    ConfigError
        Naming every path that is missing, unreadable or of no known kind.
    """

    def __init__(self, paths: Sequence[Path], max_message_bytes: int) -> None:
        self._paths = archive.check_paths(paths)
        self._max_message_bytes = max_message_bytes
        self.progress = Progress(0, archive.total_bytes(self._paths), "bytes")

    async def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield them from the first.

        Raises
        ------
        DamagedFileError
            At the end, naming what could not be read to its own.
        """
        damages: list[str] = []
        for records in _in_batches(self._records(damages), max_records):
            yield records
        if damages:
            raise DamagedFileError("\n".join(damages))

    def _records(self, damages: list[str]) -> Iterator[Record]:
        before = 0
        for item in archive.read(self._paths, self._max_message_bytes):
            if isinstance(item, Finished):
                before += item.size
                self.progress.done = before
                if item.damage is not None:
                    damages.append(item.damage)
            else:
                self.progress.done = before + item.read_bytes
                yield record_at(Coordinates(item.topic, 0, item.number), item.value, item.refusal)


class SimulatedAlerts:
    """The alerts of a simulated night; the same seed and number give the same ones.

    Parameters
    ----------
    seed
        Which night.
    alerts
        How many.
    """

    def __init__(self, seed: int, alerts: int) -> None:
        self._seed = seed
        self._alerts = alerts
        self.progress = Progress(0, alerts)

    async def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield them from the first."""
        topic = f"sim:{self._seed}"
        packets = (alert.packet for alert in SimulatedNights(self._seed, self._alerts))
        async for records in PacketAlerts(packets, topic=topic, progress=self.progress).read(max_records):
            yield records


class PacketAlerts:
    """Alerts that are at hand as bytes.

    Parameters
    ----------
    packets
        The payloads; an iterator can be read once.
    topic
        What stands in their coordinates.
    progress
        Kept up to date.
    """

    def __init__(self, packets: Iterable[bytes], *, topic: str = "packets", progress: Progress | None = None) -> None:
        self._packets = packets
        self._topic = topic
        total = len(packets) if isinstance(packets, Sequence) else 0
        self.progress = progress or Progress(0, total)

    async def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield them from the first."""
        for records in _in_batches(self._records(), max_records):
            yield records

    def _records(self) -> Iterator[Record]:
        for number, packet in enumerate(self._packets):
            self.progress.done = number + 1
            yield record_at(Coordinates(self._topic, 0, number), packet, None)


class KafkaAlerts:
    """The alerts of a stretch of Kafka.

    Parameters
    ----------
    settings
        The configuration, for its brokers.
    span
        Topic and times.
    """

    def __init__(self, settings: Settings, span: Span) -> None:
        self._settings = kafka_settings(settings, instance="bench")
        self._span = span
        self.progress = Progress()

    async def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield them, of one partition in their order."""
        reader = SpanReader(self._settings, self._span)
        done = 0
        async for records in reader.read(max_records):
            done += len(records)
            self.progress.done, self.progress.total = done, reader.total
            yield records


async def read_alerts(
    sources: Iterable[AlertSource], *, limit: int | None = None, max_records: int = 256
) -> AsyncIterator[list[Record]]:
    """Yield the alerts of several sources after one another, at most ``limit`` in all.

    Raises
    ------
    DamagedFileError
        After everything readable, naming every file that could not be read to its end.
    """
    left = limit
    damages: list[str] = []
    for source in sources:
        if left == 0:
            break
        async with aclosing(source.read(max_records)) as batches:
            try:
                async for records in batches:
                    taken = records if left is None else records[:left]
                    yield taken
                    if left is not None and (left := left - len(taken)) == 0:
                        break
            except DamagedFileError as error:
                damages.append(str(error))
    if damages:
        raise DamagedFileError("\n".join(damages))


def record_at(place: Coordinates, value: bytes, refusal: str | None) -> Record:
    """Return a record that accounts for itself alone."""
    return Record(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        value=value,
        after=place.offset,
        through=place.offset,
        refusal=refusal,
    )


def _in_batches(records: Iterator[Record], most: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.value)
        if len(batch) >= most or size >= _MAX_BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
