"""Where the reading begins, what is read, and where it ends, on a real broker.

Not here: rebalances (`test_kafka_source_group.py`), faults (`..._faults.py`), TLS and SASL (`..._security.py`).
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from support.servers import create_topic, need_apache, send, unique
from support.sources import Notes, kafka_settings, make_source, offsets, read, until

from ampeld.source.offsets import committed_offsets

pytestmark = pytest.mark.kafka


def messages(count: int, *, partition: int = 0, text: str = "alert") -> list[tuple[bytes | None, bytes, int | None]]:
    return [(b"key", f"{text} {number}".encode(), partition) for number in range(count)]


async def test_earliest_begins_a_new_group_at_the_beginning(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, messages(5) + messages(3, partition=1))
    async with make_source(kafka_settings(kafka, topic, until_end=True)) as source:
        records = await read(source)
    assert offsets(records) == [(0, n) for n in range(5)] + [(1, n) for n in range(3)]
    assert records[0].key == b"key"
    assert records[0].timestamp_ms is not None


async def test_latest_begins_a_new_group_at_the_end_and_commits_that_at_once(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, messages(5))
    settings = kafka_settings(kafka, topic, start="latest")
    async with make_source(settings) as source:
        await read_until_begun(source, 2)
    assert await committed_offsets(settings) == {(topic, 0): 5, (topic, 1): 0}
    await send(kafka, topic, messages(2) + messages(1, partition=1))  # while nobody listens
    async with make_source(settings) as source:
        assert offsets(await read(source, 3)) == [(0, 5), (0, 6), (1, 0)]


async def read_until_begun(source: object, partitions: int) -> None:
    while len(source.ledgers()) < partitions:  # type: ignore[attr-defined]
        batch = await source.fetch(max_records=10, timeout_s=0.1)  # type: ignore[attr-defined]
        assert batch is not None
        assert not batch.records


async def test_a_time_begins_a_new_group_at_the_first_message_not_older(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, messages(3))
    await asyncio.sleep(0.05)  # the broker's time stamps are the subject here
    time = datetime.now(UTC)
    await asyncio.sleep(0.05)
    await send(kafka, topic, messages(2))
    settings = kafka_settings(kafka, topic, start=time, until_end=True)
    async with make_source(settings) as source:
        assert offsets(await read(source)) == [(0, 3), (0, 4)]


async def test_a_group_goes_on_where_it_has_committed_whatever_the_policy(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(10))
    settings = kafka_settings(kafka, topic, start="earliest")
    async with make_source(settings) as source:
        assert len(await read(source, 4, max_records=4)) == 4
    later = kafka_settings(kafka, topic, group=settings.group, start="latest", until_end=True)
    async with make_source(later) as source:
        assert offsets(await read(source)) == [(0, n) for n in range(4, 10)]
    assert await committed_offsets(later) == {(topic, 0): 10}


async def test_what_was_not_settled_comes_again(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(6))
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings) as source:
        await read(source, settle=False)
    async with make_source(settings) as source:
        assert len(await read(source)) == 6


async def test_without_a_commit_the_store_knows_better_than_the_policy(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, messages(5) + messages(5, partition=1))
    notes = Notes()
    notes.covered[topic, 0] = 3
    settings = kafka_settings(kafka, topic, start="latest", until_end=True)
    async with make_source(settings, notes) as source:
        records = await read(source)
    assert offsets(records) == [(0, 3), (0, 4)] + [(1, n) for n in range(5)]  # 1 is new, then: from its beginning


async def test_a_new_topic_is_read_from_its_beginning_even_after_latest(kafka: str) -> None:
    stem = unique("night")
    first = await create_topic(kafka, f"{stem}_a", partitions=1)
    await send(kafka, first, messages(3))
    async with make_source(kafka_settings(kafka, f"^{stem}_.*", start="latest")) as source:
        await read_until_begun(source, 1)
        second = await create_topic(kafka, f"{stem}_b", partitions=2)
        await send(kafka, second, messages(4) + messages(4, partition=1))
        async with asyncio.timeout(30):
            records = await read(source, 8)
    assert {record.topic for record in records} == {second}
    assert offsets(records) == [(p, n) for p in range(2) for n in range(4)]


async def test_new_partitions_are_read_from_their_beginning_even_after_latest(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=1)
    async with make_source(kafka_settings(kafka, topic, start="latest")) as source:
        await read_until_begun(source, 1)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_partitions({topic: NewPartitions(total_count=3)})
        await admin.close()
        await send(kafka, topic, messages(2, partition=2))
        async with asyncio.timeout(30):
            assert offsets(await read(source, 2)) == [(2, 0), (2, 1)]


async def test_a_missing_topic_is_waited_for_and_holds_nothing_back(kafka: str) -> None:
    there, missing = await create_topic(kafka, partitions=1), unique("later")
    await send(kafka, there, messages(2))
    async with make_source(kafka_settings(kafka, there, missing)) as source:
        assert len(await read(source, 2)) == 2
        assert source.statistics().waiting_for == (missing,)
        await create_topic(kafka, missing, partitions=1)
        await send(kafka, missing, messages(2))
        async with asyncio.timeout(30):
            records = await read(source, 2)
        assert {record.topic for record in records} == {missing}
        assert source.statistics().waiting_for == ()


async def test_a_template_means_the_last_eight_nights(kafka: str) -> None:
    stem = unique("ztf")
    today = datetime.now(UTC)
    names = {back: f"{stem}_{today - timedelta(days=back):%Y%m%d}_programid1" for back in (0, 7, 8)}
    for name in names.values():
        await create_topic(kafka, name, partitions=1)
        await send(kafka, name, messages(1))
    template = f"{stem}_{{night:%Y%m%d}}_programid1"
    async with make_source(kafka_settings(kafka, template, until_end=True)) as source:
        records = await read(source)
    assert {record.topic for record in records} == {names[0], names[7]}


async def test_until_end_without_any_topic_is_the_end_at_once(kafka: str) -> None:
    async with make_source(kafka_settings(kafka, unique("nowhere"), until_end=True)) as source:
        assert await read(source) == []


async def test_until_end_leaves_what_came_after_the_start(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(3))
    async with make_source(kafka_settings(kafka, topic, until_end=True)) as source:
        await send(kafka, topic, messages(500))
        records = await read(source, max_records=1)
    assert 3 <= len(records) < 503


async def test_an_oversized_message_is_delivered_with_a_refusal_and_its_whole_value(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, [(None, b"x" * 3_000_000, 0), (None, b"good", 0)])
    settings = kafka_settings(kafka, topic, until_end=True, max_message_bytes=1_000_000)
    async with make_source(settings) as source:
        large, good = await read(source)
    assert large.refusal == "message of 3000000 bytes above source.max_message_bytes = 1000000"
    assert len(large.value) == 3_000_000
    assert good.refusal is None


async def test_the_statistics_tell_positions_and_lags(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(10))
    async with make_source(kafka_settings(kafka, topic)) as source:
        await read(source, 4, max_records=4)
        await until(lambda: source.statistics().connected)
        told = source.statistics()
        (partition,) = told.partitions
        assert (partition.position, partition.committed, partition.end, partition.lag) == (4, 4, 10, 6)
        assert partition.timestamp_ms is not None
        assert told.commits >= 1
        assert told.gaps == told.rebuilds == told.commits_failed == 0


async def test_a_held_partition_brings_nothing_until_it_is_let_go_and_then_everything(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, messages(50) + messages(5, partition=1))
    async with make_source(kafka_settings(kafka, topic)) as source:
        first = await read(source, 10, max_records=10)
        source.hold([(topic, 0)])
        taken = sum(record.partition == 0 for record in first)
        rest = await read(source, 5 - sum(record.partition == 1 for record in first))
        assert {record.partition for record in rest} <= {1}
        assert not (await source.fetch(max_records=10, timeout_s=0.5)).records
        source.hold([])
        assert offsets(await read(source, 50 - taken)) == [(0, n) for n in range(taken, 50)]


async def test_a_held_partition_stays_held_when_it_is_assigned_anew(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    settings = kafka_settings(kafka, topic)
    async with make_source(settings) as source:
        await read_until_begun(source, 1)
        source.hold([(topic, 0)])
        async with make_source(settings) as other:  # takes part in the group, so that all are assigned anew
            await read_until_member(source, other)
        await read_until_begun(source, 1)
        await send(kafka, topic, messages(3))
        assert not (await source.fetch(max_records=10, timeout_s=1.0)).records
        source.hold([])
        assert len(await read(source, 3)) == 3


async def read_until_member(source: object, other: object) -> None:
    while source.statistics().rebalances == 0:  # type: ignore[attr-defined]
        for each in (source, other):
            await each.fetch(max_records=10, timeout_s=0.1)  # type: ignore[attr-defined]
