"""The words of the `Source` port, held by the fake, by files and by Kafka alike."""

import contextlib
import tarfile
from collections.abc import AsyncIterator, Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fakes.source import MemorySource
from support.servers import create_topic, send
from support.sources import due, kafka_settings, make_source, read, settle_all

from ampeld.source.files import FileSource

Make = Callable[[Sequence[bytes]], Any]
VALUES = [f"alert {number}".encode() for number in range(7)]


@contextlib.asynccontextmanager
async def _in_memory(values: Sequence[bytes]) -> AsyncIterator[MemorySource]:
    yield MemorySource({("topic", 0): values})


def _archive_maker(path: Path) -> Make:
    @contextlib.asynccontextmanager
    async def make(values: Sequence[bytes]) -> AsyncIterator[FileSource]:
        with tarfile.open(path, "w:gz") as archive:
            for number, value in enumerate(values):
                member = tarfile.TarInfo(f"{number}.avro")
                member.size = len(value)
                archive.addfile(member, BytesIO(value))
        async with FileSource([path]) as source:
            yield source

    return make


def _kafka_maker(kafka: str) -> Make:
    @contextlib.asynccontextmanager
    async def make(values: Sequence[bytes]) -> AsyncIterator[Any]:
        topic = await create_topic(kafka, partitions=1)
        await send(kafka, topic, [(None, value, 0) for value in values])
        async with make_source(kafka_settings(kafka, topic, until_end=True)) as source:
            yield source

    return make


@pytest.fixture(params=["memory", "files", pytest.param("kafka", marks=pytest.mark.kafka)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "kafka":
        return _kafka_maker(request.getfixturevalue("kafka"))
    return _archive_maker(tmp_path / "alerts.tar.gz") if request.param == "files" else _in_memory


async def _first(source: Any, max_records: int) -> Any:
    while (batch := await source.fetch(max_records=max_records, timeout_s=0.2)) is not None:
        if batch.records:
            return batch
    return None


async def test_everything_comes_once_in_order_and_then_the_end(make: Make) -> None:
    async with make(VALUES) as source:
        records = await read(source)
        assert [record.value for record in records] == VALUES
        assert [record.offset for record in records] == list(range(7))
        assert await source.fetch(max_records=10, timeout_s=0.1) is None


async def test_a_batch_holds_at_most_what_was_asked_for(make: Make) -> None:
    async with make(VALUES) as source:
        batch = await _first(source, 3)
        assert 1 <= len(batch.records) <= 3
        assert len(batch.ledgers) == len(batch.records)


async def test_every_record_is_open_in_its_ledger_and_accounts_for_every_offset(make: Make) -> None:
    async with make(VALUES) as source:
        batch = await _first(source, 5)
        ledger = batch.ledgers[0]
        assert ledger.in_flight == len(batch.records)
        assert [(r.after, r.through) for r in batch.records] == [(r.offset, r.offset) for r in batch.records]
        assert batch.records[0].coordinates.topic == ledger.topic
        settle_all(batch.records, batch.ledgers)
        assert ledger.watermark == len(batch.records)


async def test_a_commit_is_noted_in_the_ledger(make: Make) -> None:
    async with make(VALUES) as source:
        batch = await _first(source, 5)
        assert due(source) == {}
        settle_all(batch.records, batch.ledgers)
        wanted = due(source)
        assert wanted == {batch.ledgers[0]: batch.records[-1].offset + 1}
        await source.commit(wanted)
        assert batch.ledgers[0].committed == batch.records[-1].offset + 1
        assert due(source) == {}


async def test_what_is_not_settled_is_never_due(make: Make) -> None:
    async with make(VALUES) as source:
        records = await read(source, 4, settle=False, max_records=4)
        assert records
        assert due(source) == {}


async def test_a_commit_for_a_retired_ledger_is_passed_over_in_silence(make: Make) -> None:
    async with make(VALUES) as source:
        batch = await _first(source, 5)
        settle_all(batch.records, batch.ledgers)
        ledger = batch.ledgers[0]
        ledger.retire()
        assert ledger.due is None
        await source.commit({ledger: 3})
        assert ledger.committed == 0


async def test_keeping_alive_takes_no_records(make: Make) -> None:
    async with make(VALUES) as source:
        await source.keep_alive()
        first = await _first(source, 2)
        await source.keep_alive()
        settle_all(first.records, first.ledgers)
        rest = await read(source)
        assert [r.offset for r in (*first.records, *rest)] == list(range(7))


async def test_nothing_to_read_is_the_end_at_once(make: Make) -> None:
    async with make([]) as source:
        assert await read(source) == []
