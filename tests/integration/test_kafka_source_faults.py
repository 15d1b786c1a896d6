"""Brokers that go and come back, retention that overtakes us, and batches that cannot be read, on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from support.servers import ApacheKafka, create_topic, need_apache, send
from support.sources import Notes, due, kafka_settings, make_source, offsets, read, settle_all

from ampeld.source.offsets import committed_offsets, describe

pytestmark = pytest.mark.kafka


def messages(count: int) -> list[tuple[bytes | None, bytes, int | None]]:
    return [(None, f"alert {number}".encode(), 0) for number in range(count)]


@pytest.fixture
async def broker(server_directory: Path) -> AsyncIterator[ApacheKafka]:
    """A broker to be killed."""
    need_apache()
    server = ApacheKafka(server_directory)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.remove)


async def delete_before(kafka: str, topic: str, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    await admin.close()


async def test_a_cluster_that_never_had_a_group_is_asked_about_ours(broker: ApacheKafka) -> None:
    topic = await create_topic(broker.address, partitions=1)
    settings = kafka_settings(broker.address, topic)
    reach = await describe(settings)
    assert (reach.topics, reach.group_state, reach.members) == ({topic: 1}, "Dead", 0)
    assert await committed_offsets(settings) == {}


async def test_a_killed_broker_is_waited_out_and_nothing_is_lost(broker: ApacheKafka) -> None:
    topic = await create_topic(broker.address, partitions=1)
    await send(broker.address, topic, messages(10))
    settings = kafka_settings(broker.address, topic)
    async with make_source(settings) as source:
        await read(source, 4, max_records=4, commit=False)
        await asyncio.to_thread(broker.kill)
        async with asyncio.timeout(30):
            await source.commit(due(source))
        seen = [3]
        for _ in range(10):  # the outage goes on
            batch = await source.fetch(max_records=1, timeout_s=0.2)
            settle_all(batch.records, batch.ledgers)
            seen += [record.offset for record in batch.records]
        await asyncio.to_thread(broker.start)
        async with asyncio.timeout(30):
            await send(broker.address, topic, messages(5))
            while max(seen) < 14:
                seen += [record.offset for record in await read(source, 1)]
            while due(source):  # as the pipeline does: a commit that fails at once must not starve the client
                await source.commit(due(source))
                await asyncio.sleep(0.05)
    assert seen == list(range(3, 15))  # no record came twice either
    assert await committed_offsets(settings) == {(topic, 0): 15}


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_stopping_without_a_broker_keeps_its_deadline_and_leaves_no_task(broker: ApacheKafka, fault: str) -> None:
    topic = await create_topic(broker.address, partitions=1)
    await send(broker.address, topic, messages(3))
    before = asyncio.all_tasks()
    source = make_source(kafka_settings(broker.address, topic))
    await source.start()
    await read(source, 3)
    await asyncio.to_thread(getattr(broker, fault))
    async with asyncio.timeout(20):
        await source.stop(2.0)
    assert asyncio.all_tasks() == before
    if fault == "freeze":
        broker.thaw()


async def test_a_fetch_keeps_its_time_while_the_broker_is_frozen(broker: ApacheKafka) -> None:
    topic = await create_topic(broker.address, partitions=1)
    await send(broker.address, topic, messages(3))
    async with make_source(kafka_settings(broker.address, topic)) as source:
        await read(source, 3)
        broker.freeze()
        for _ in range(3):
            async with asyncio.timeout(20):
                batch = await source.fetch(max_records=1, timeout_s=0.3)
            assert batch is not None
        broker.thaw()
        await send(broker.address, topic, messages(1))
        async with asyncio.timeout(20):
            assert offsets(await read(source, 1)) == [(0, 3)]


async def test_retention_that_overtakes_the_reading_is_a_gap_recorded_first(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(20))
    notes = Notes()
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings, notes) as source:
        await read(source, 4, max_records=4)
        member = source._member
        assert member is not None
        await delete_before(kafka, topic, 12)
        member.consumer.seek(TopicPartition(topic, 0), 4)  # forget what was fetched ahead
        records = await read(source)
    assert notes.gaps == [(topic, 0, 4, 12)]
    assert offsets(records) == [(0, n) for n in range(12, 20)]
    assert records[0].after == 12
    assert await committed_offsets(settings) == {(topic, 0): 20}
    assert source.statistics().gaps == 1


async def test_retention_that_overtook_a_stopped_group_is_a_gap_too(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(20))
    notes = Notes()
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings, notes) as source:
        await read(source, 4, max_records=4)
    await delete_before(kafka, topic, 15)
    async with make_source(settings, notes) as source:
        records = await read(source)
    assert notes.gaps == [(topic, 0, 4, 15)]
    assert offsets(records) == [(0, n) for n in range(15, 20)]


async def test_a_commit_beyond_the_log_means_a_topic_made_anew(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, messages(5))
    settings = kafka_settings(kafka, topic, until_end=True)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=settings.group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(100, "")})
    await consumer.stop()
    async with make_source(settings) as source:
        assert offsets(await read(source)) == [(0, n) for n in range(5)]
    assert await committed_offsets(settings) == {(topic, 0): 5}


async def test_a_bomb_is_one_refused_record_and_the_next_alerts_come(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    size = 100 * 1024 * 1024
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, compression_type="zstd", max_batch_size=2 * size, max_request_size=2 * size
    )
    await producer.start()
    bomb = producer.create_batch()
    for value in (b"small", bytes(64 * 1024 * 1024), b"small too"):
        assert bomb.append(key=None, value=value, timestamp=None)
    bomb.close()
    await (await producer.send_batch(bomb, topic, partition=0))
    await producer.stop()
    await send(kafka, topic, [(None, b"good", 0), (None, b"other", 1)])
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings) as source:
        records = {(record.partition, record.offset): record for record in await read(source)}
    assert sorted(records) == [(0, 0), (0, 3), (1, 0)]
    refused = records[0, 0]
    assert refused.through == 2
    assert refused.refusal is not None
    assert "inflates to more than 33554432 bytes" in refused.refusal
    assert len(refused.value) < 20_000
    assert refused.value[16] == 2  # the batch with its header: the magic of version 2
    assert records[0, 3].value == b"good"
    assert records[0, 3].after == 3
    assert await committed_offsets(settings) == {(topic, 0): 4, (topic, 1): 1}


async def test_a_batch_whose_check_sum_is_wrong_is_one_refused_record(broker: ApacheKafka) -> None:
    topic = await create_topic(broker.address, partitions=1)
    for number in range(3):
        await send(broker.address, topic, [(None, f"alert {number} {part}".encode(), 0) for part in "ab"])
    await asyncio.to_thread(broker.stop)
    (log,) = (broker.directory / "data" / f"{topic}-0").glob("*.log")
    log.write_bytes(log.read_bytes().replace(b"alert 1 b", b"alert ! b"))
    await asyncio.to_thread(broker.start)
    async with make_source(kafka_settings(broker.address, topic, until_end=True)) as source:
        records = await read(source)
    assert [(record.offset, record.through) for record in records] == [(0, 0), (1, 1), (2, 3), (4, 4), (5, 5)]
    assert records[2].refusal == "batch of offsets 2 to 3: its check sum (CRC-32C) is wrong"
    assert b"alert ! b" in records[2].value


async def test_offsets_that_the_broker_never_delivers_are_accounted_for(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
    await producer.start()
    for number in range(3):
        async with producer.transaction():
            await producer.send(topic, f"alert {number}".encode(), partition=0)
    await producer.stop()
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings) as source:
        records = await read(source)
        assert source.statistics().partitions[0].lag == 0
    assert [(record.after, record.offset) for record in records] == [(0, 0), (1, 2), (3, 4)]
    assert await committed_offsets(settings) == {(topic, 0): 5}  # the last control record is nobody's


async def test_a_broker_that_is_just_loading_offsets_does_not_reset_the_group(broker: ApacheKafka) -> None:
    topic = await create_topic(broker.address, partitions=4)
    await send(broker.address, topic, [(None, b"alert", number % 4) for number in range(40)])
    settings = kafka_settings(broker.address, topic)
    async with make_source(settings) as source:
        await read(source, 40)
    for _ in range(2):
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        async with make_source(settings) as source, asyncio.timeout(30):
            while len(source.ledgers()) < 4:
                batch = await source.fetch(max_records=100, timeout_s=0.05)
                assert batch is not None
                assert not batch.records
