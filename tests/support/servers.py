"""Real servers for tests: which Kafka there is, fresh topics and databases, and servers that a test may kill.

Servers of a test's own, to be killed and frozen at will, are context managers::

    with ApacheKafka(tmp_path / "kafka") as broker, Mongod(tmp_path / "mongod") as mongod:
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)  # the same port, the same data
"""

import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ampeld.demo import jars
from ampeld.demo.apache import MAX_MESSAGE_BYTES, ApacheKafka
from ampeld.demo.mongod import Mongod
from ampeld.demo.tansu import Tansu

__all__ = ["ApacheKafka", "Mongod", "Tansu", "create_topic", "need_apache", "send", "unique"]


def kafka_kind() -> str:
    """Return which Kafka the tests run on: `apache` where java and mvn exist, else `tansu`; the environment may say."""
    return os.environ.get("AMPELD_TEST_KAFKA") or ("apache" if jars.available() else "tansu")


def kafka_server(directory: Path) -> ApacheKafka | Tansu:
    """Return the Kafka of this test run, not started."""
    return ApacheKafka(directory) if kafka_kind() == "apache" else Tansu(directory)


def need_apache() -> None:
    """Skip the test, visibly, where only Tansu is there: it lacks what the test is about."""
    if kafka_kind() != "apache":
        pytest.skip("needs Apache Kafka (java and mvn); this run has Tansu")


def unique(prefix: str) -> str:
    """Return a name that no other test uses: for topics, groups and databases."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


async def create_topic(
    bootstrap: str, name: str | None = None, *, partitions: int = 4, settings: Mapping[str, str] | None = None
) -> str:
    """Make a topic that takes messages of up to 20 MiB, and return its name."""
    name = name or unique("topic")
    configs = {"max.message.bytes": str(MAX_MESSAGE_BYTES), **(settings or {})}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topic = NewTopic(name, partitions, 1, topic_configs=configs)
        answer = await admin.create_topics([topic])
        errors = [error for error in answer.topic_errors if error[1]]  # it does not raise them
        assert not errors, errors
    finally:
        await admin.close()
    return name


async def send(bootstrap: str, topic: str, messages: Iterable[tuple[bytes | None, bytes, int | None]]) -> list[int]:
    """Produce messages `(key, value, partition)` in order and return their offsets."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=MAX_MESSAGE_BYTES)
    await producer.start()
    try:
        sent = [await producer.send(topic, value, key=key, partition=part) for key, value, part in messages]
        return [(await acknowledged).offset for acknowledged in sent]
    finally:
        await producer.stop()
