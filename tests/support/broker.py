"""What a test asks of a broker, and does to it: commits, ends, new partitions, deleted records; by aiokafka's own admin."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition
from support.servers import create_topic

T = TypeVar("T")


def make_topic(bootstrap: str, name: str, *, partitions: int) -> str:
    """Make a topic."""
    return asyncio.run(create_topic(bootstrap, name, partitions=partitions))


def committed(bootstrap: str, group: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return what a group has committed of some topics."""
    partitions = [TopicPartition(*place) for place in ends(bootstrap, topics)]

    async def ask(admin: Any) -> dict[tuple[str, int], int]:
        found = await admin.list_consumer_group_offsets(group, partitions=partitions)
        return {(p.topic, p.partition): meta.offset for p, meta in found.items() if meta.offset >= 0}

    return asyncio.run(_with_admin(bootstrap, ask))


def ends(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return the offset after the last record of each partition of some topics."""

    async def ask() -> dict[tuple[str, int], int]:
        consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap)
        await consumer.start()
        try:
            partitions = [TopicPartition(t, p) for t in topics for p in consumer.partitions_for_topic(t) or ()]
            found = await consumer.end_offsets(partitions)
        finally:
            await consumer.stop()
        return {(p.topic, p.partition): offset for p, offset in found.items()}

    return asyncio.run(ask())


def delete_before(bootstrap: str, topic: str, partition: int, offset: int) -> None:
    """Delete the records of a partition below an offset, as retention does."""

    async def delete(admin: Any) -> None:
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=offset)})

    asyncio.run(_with_admin(bootstrap, delete))


def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    """Give a topic more partitions."""

    async def add(admin: Any) -> None:
        await admin.create_partitions({topic: NewPartitions(total)})

    asyncio.run(_with_admin(bootstrap, add))


async def _with_admin(bootstrap: str, work: Callable[[Any], Awaitable[T]]) -> T:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return await work(admin)
    finally:
        await admin.close()
