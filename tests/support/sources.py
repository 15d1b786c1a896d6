"""Makes Kafka sources for tests: short sessions, a store that remembers, and loops that read and settle."""

import asyncio
from collections.abc import Sequence
from typing import Any

from support.servers import unique

from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Record
from ampeld.source.kafka import KafkaSource
from ampeld.source.settings import KafkaSettings


class Notes:
    """What a store would keep for a source."""

    def __init__(self) -> None:
        self.covered: dict[tuple[str, int], int] = {}
        self.gaps: list[tuple[str, int, int, int]] = []

    async def covered_to(self, topic: str, partition: int) -> int | None:
        return self.covered.get((topic, partition))

    async def on_gap(self, *gap: Any) -> None:
        self.gaps.append(gap)


def kafka_settings(kafka: str, *topics: str, **changes: Any) -> KafkaSettings:
    """Return settings for tests: a group of its own, a short session, topics looked at every second."""
    given: dict[str, Any] = {
        "brokers": (kafka,),
        "topics": topics,
        "group": changes.pop("group", None) or unique("group"),
        "session_timeout_s": 6.0,
        "topics_age_s": 0.5,
    }
    return KafkaSettings(**(given | changes))


def make_source(settings: KafkaSettings, notes: Notes | None = None, **options: Any) -> KafkaSource:
    notes = notes or Notes()
    return KafkaSource(settings, covered_to=notes.covered_to, on_gap=notes.on_gap, **options)


async def read(
    source: Any, count: int | None = None, *, settle: bool = True, commit: bool = True, max_records: int = 100
) -> list[Record]:
    """Return records until so many have come, or to the end; settle and commit them as they come."""
    records: list[Record] = []
    while count is None or len(records) < count:
        batch = await source.fetch(max_records=max_records, timeout_s=0.2)
        if batch is None:
            break
        records += batch.records
        if settle:
            settle_all(batch.records, batch.ledgers)
        if commit:
            await source.commit(due(source))
    return records


def settle_all(records: Sequence[Record], ledgers: Sequence[PartitionLedger]) -> None:
    for record, ledger in zip(records, ledgers, strict=True):
        ledger.settle(record.offset)


def due(source: Any) -> dict[PartitionLedger, int]:
    return {ledger: ledger.due for ledger in source.ledgers() if ledger.due is not None}


async def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait until a condition of the real world holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def offsets(records: Sequence[Record]) -> list[tuple[int, int]]:
    return sorted((record.partition, record.offset) for record in records)
