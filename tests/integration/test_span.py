"""A stretch of a topic, from a time to a time, on a real broker."""

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from support.servers import create_topic, unique
from support.sources import kafka_settings

from ampeld.errors import ConfigError
from ampeld.source.retention import retention_of
from ampeld.source.span import Span, SpanReader

pytestmark = pytest.mark.kafka

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)  # retention goes by the time stamps


async def send_each_minute(kafka: str, topic: str, count: int, partitions: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    try:
        for minute in range(count):
            at = round((START + timedelta(minutes=minute)).timestamp() * 1000)
            await producer.send_and_wait(topic, f"{minute}".encode(), partition=minute % partitions, timestamp_ms=at)
    finally:
        await producer.stop()


async def minutes(kafka: str, span: Span, at_once: int = 7) -> list[int]:
    reader = SpanReader(kafka_settings(kafka), span, patience_s=20)
    found = []
    async for records in reader.read(at_once):
        assert len(records) <= at_once
        found += [int(record.value) for record in records]
    assert reader.total == len(found)
    return sorted(found)


async def test_all_of_a_topic_or_what_lies_between_two_times_is_read(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=3)
    await send_each_minute(kafka, topic, 30, 3)
    assert await minutes(kafka, Span(topic)) == list(range(30))
    ten, twenty = START + timedelta(minutes=10), START + timedelta(minutes=20)
    assert await minutes(kafka, Span(topic, ten, twenty)) == list(range(10, 20))
    assert await minutes(kafka, Span(topic, twenty)) == list(range(20, 30))
    assert await minutes(kafka, Span(topic, None, ten)) == list(range(10))
    assert await minutes(kafka, Span(topic, START + timedelta(days=1))) == []


async def test_an_expression_means_several_topics(kafka: str) -> None:
    prefix = unique("span")
    for name in ("one", "two"):
        await send_each_minute(kafka, await create_topic(kafka, f"{prefix}_{name}", partitions=1), 2, 1)
    assert await minutes(kafka, Span(f"^{prefix}_")) == [0, 0, 1, 1]


async def test_a_topic_that_is_not_there_is_a_mistake_of_the_command(kafka: str) -> None:
    with pytest.raises(ConfigError, match="has no such topic"):
        await minutes(kafka, Span(unique("nowhere")))


async def test_the_retention_of_a_topic_is_what_its_broker_says(kafka: str) -> None:
    topic = await create_topic(kafka, settings={"retention.ms": "86400000"})
    assert await retention_of(kafka_settings(kafka), topic) in {timedelta(days=1), None}  # Tansu tells nothing
    assert await retention_of(kafka_settings("127.0.0.1:1"), topic) is None
