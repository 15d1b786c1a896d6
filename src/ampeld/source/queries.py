"""Questions to the brokers through a running consumer, each with a deadline of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from ampeld.errors import RetryableError

PATIENCE_S = 5.0


class Offsets(Protocol):
    """Where partitions begin and end, and what the group has committed."""

    async def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the committed offsets, of those that have one."""

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that the broker still has."""

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that the next message will get."""

    async def at(self, time: datetime, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first message that is not older; the end where all are older."""


def utc(time: datetime) -> datetime:
    """Return a time with its zone; one without is UTC."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


class ConsumerOffsets:
    """`Offsets` of a running consumer; every failure is a `RetryableError`.

    Parameters
    ----------
    consumer
        Started.
    patience_s : float
        How long one question may take [s].
    """

    def __init__(self, consumer: AIOKafkaConsumer, patience_s: float = PATIENCE_S) -> None:
        self._consumer = consumer
        self._patience_s = patience_s

    async def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the committed offsets, of those that have one."""
        # The public way asks one by one and never gives up; an error here is tried again with the next fetch.
        async with self._patience("the committed offsets"):
            coordinator = self._consumer._coordinator  # noqa: SLF001
            await coordinator.ensure_coordinator_known()
            found = await coordinator._do_fetch_commit_offsets(list(partitions))  # noqa: SLF001
            return {partition: int(entry.offset) for partition, entry in found.items()}

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that the broker still has."""
        async with self._patience("the first offsets"):
            return dict(await self._consumer.beginning_offsets(list(partitions)))

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that the next message will get."""
        async with self._patience("the last offsets"):
            listed = dict(await self._consumer.end_offsets(list(partitions)))
            # Tansu lists what follows the first record of the last batch; what it says to a fetch is right.
            return {**listed, **await self._told_by_fetch(listed)}

    async def _told_by_fetch(self, listed: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = {}
        wait_ms = 50
        while asked := listed.keys() - ends.keys():
            for leader, topics in self._by_leader({partition: listed[partition] for partition in asked}).items():
                request = FetchRequest(wait_ms, 1, 1, READ_UNCOMMITTED, topics, rack_id="")
                answer = await self._consumer._client.send(leader, request)  # noqa: SLF001
                ends.update(_highwaters(answer, listed))
            wait_ms = min(2 * wait_ms, 1000)  # Tansu leaves out what it did not come to in this time
        return ends

    def _by_leader(self, offsets: Mapping[TopicPartition, int]) -> dict[int, list[tuple[str, list[Any]]]]:
        by_leader: dict[int, dict[str, list[Any]]] = {}
        for partition, offset in offsets.items():
            leader = self._consumer._client.cluster.leader_for_partition(partition)  # noqa: SLF001
            by_leader.setdefault(leader, {}).setdefault(partition.topic, []).append((partition.partition, offset, 1))
        return {leader: list(topics.items()) for leader, topics in by_leader.items()}

    async def at(self, time: datetime, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first message that is not older; the end where all are older."""
        wanted = list(partitions)
        milliseconds = round(utc(time).timestamp() * 1000)
        async with self._patience(f"the offsets at {time}"):
            found = await self._consumer.offsets_for_times(dict.fromkeys(wanted, milliseconds)) if wanted else {}
        # Tansu answers with its last record where Kafka answers that there is none.
        newer = {p: int(e.offset) for p, e in found.items() if e is not None and e.timestamp >= milliseconds}
        return newer | await self.ends(partition for partition in wanted if partition not in newer)

    async def partitions(self) -> dict[str, frozenset[int]]:
        """Return every topic that may be seen, with its partitions."""
        async with self._patience("the topics"):
            cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001  topics() hides the partitions
            return {topic: frozenset(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    @contextlib.asynccontextmanager
    async def _patience(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience_s):
                yield
        except TimeoutError as error:
            raise RetryableError(f"the broker did not tell {what} within {self._patience_s} s") from error
        except KafkaError as error:
            raise RetryableError(f"the broker did not tell {what}: {error!r}") from error


def _highwaters(answer: Any, listed: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    found: dict[TopicPartition, int] = {}
    for topic, partitions in answer.topics:
        for number, code, highwater, *_ in partitions:
            partition = TopicPartition(topic, number)
            if code:
                raise for_code(code)(partition)
            found[partition] = max(int(highwater), listed[partition])
    return found


def every(topics: Iterable[str], partitions: Mapping[str, Iterable[int]]) -> list[TopicPartition]:
    """Return all partitions of these topics."""
    return [TopicPartition(topic, number) for topic in sorted(topics) for number in sorted(partitions.get(topic, ()))]
