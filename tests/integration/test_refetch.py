"""Records fetched back by their coordinates, on a real broker."""

import asyncio

import pytest
from support.broker import delete_before
from support.servers import create_topic, need_apache, send
from support.sources import kafka_settings

from ampeld.errors import RetryableError
from ampeld.flow.record import Coordinates, Record
from ampeld.source.refetch import Gone, Refetcher, refetch

pytestmark = pytest.mark.kafka


def numbered(count: int, partition: int) -> list[tuple[bytes | None, bytes, int | None]]:
    return [(b"key", f"{partition}-{number}".encode(), partition) for number in range(count)]


async def test_records_come_back_by_their_coordinates_whatever_lies_between_them(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=3)
    await send(kafka, topic, numbered(1200, 0) + numbered(10, 1))
    wanted = [Coordinates(topic, 0, offset) for offset in (3, 4, 900, 1199)] + [Coordinates(topic, 1, 9)]
    async with Refetcher(kafka_settings(kafka)) as refetcher:
        found = await refetcher.fetch(reversed(wanted))
        again = await refetcher.fetch(wanted[:1])
    assert {place: record.value for place, record in found.items()} == {
        place: f"{place.partition}-{place.offset}".encode() for place in wanted
    }
    record = again[wanted[0]]
    assert isinstance(record, Record)
    assert (record.coordinates, record.key, record.through) == (wanted[0], b"key", 3)
    assert record.timestamp_ms is not None


async def test_what_retention_took_is_told_with_the_time_that_retention_reaches_back_to(kafka: str) -> None:
    need_apache()  # Tansu deletes no records
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, numbered(10, 0))
    await asyncio.to_thread(delete_before, kafka, topic, 0, 5)
    found = await refetch(kafka_settings(kafka), [Coordinates(topic, 0, offset) for offset in (2, 7)])
    gone, kept = found[Coordinates(topic, 0, 2)], found[Coordinates(topic, 0, 7)]
    assert isinstance(gone, Gone)
    assert gone.reason == f"retention took it: {topic}/0 begins at 5"
    assert isinstance(kept, Record)
    assert abs(gone.oldest_ms - kept.timestamp_ms) < 60_000


async def test_coordinates_that_no_log_has_are_gone(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, numbered(2, 0))
    nowhere, behind = Coordinates(f"{topic}-x", 0, 0), Coordinates(topic, 0, 7)
    found = await refetch(kafka_settings(kafka), [nowhere, behind, Coordinates(topic, 4, 0)])
    assert [found[place].reason for place in (nowhere, behind)] == [
        f"topic {topic}-x is not there any more",
        f"{topic}/0 ends at 2: it was made anew",
    ]
    assert isinstance(found[Coordinates(topic, 4, 0)], Gone)


async def test_an_oversized_message_comes_back_refused(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, [(None, bytes(3000), 0)])
    found = await refetch(kafka_settings(kafka, max_message_bytes=2000), [Coordinates(topic, 0, 0)])
    assert "above source.max_message_bytes" in found[Coordinates(topic, 0, 0)].refusal


async def test_a_broker_that_is_not_there_is_told_soon() -> None:
    with pytest.raises(RetryableError, match=r"127\.0\.0\.1:1"):
        await refetch(kafka_settings("127.0.0.1:1"), [Coordinates("t", 0, 0)], patience_s=1.0)
