"""Reads a stretch of topics from beginning to end, beside every group: for a bench, not for the flow."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from ampeld.errors import ConfigError, RetryableError
from ampeld.flow.record import Coordinates, Record
from ampeld.source import corrections
from ampeld.source.connection import close_consumer, make_consumer, start_consumer
from ampeld.source.queries import ConsumerOffsets, every
from ampeld.source.refetch import record_of
from ampeld.source.settings import KafkaSettings
from ampeld.source.topics import check_topics, resolve

_POLL_MS = 250
_PATIENCE_S = 30.0


class Span(msgspec.Struct, frozen=True):
    """What is to be read: topics, from a time to a time.

    ``topic`` is a name, a regular expression that begins with ``^``, or a nightly template.
    ``begin`` and ``end`` are times of messages, ``end`` exclusive; None: all that there is when the reading begins.
    """

    topic: str
    begin: datetime | None = None
    end: datetime | None = None


class SpanReader:
    """The records of a span, as batches; commits nothing and belongs to no group.

    Parameters
    ----------
    settings
        How to reach the brokers; its topics and its group do not matter.
    span
        What to read.
    patience_s
        How long nothing at all may come [s].
    """

    def __init__(self, settings: KafkaSettings, span: Span, *, patience_s: float = _PATIENCE_S) -> None:
        self._settings = settings
        self._span = span
        self._patience_s = patience_s
        self.total = 0
        """How many offsets the span has, known with the first batch."""

    async def read(self, max_records: int) -> AsyncGenerator[list[Record], None]:
        """Yield the records, at most so many at a time; of one partition in their order.

        Raises
        ------
        ConfigError
            If there is no such topic.
        AccessDeniedError, RetryableError
            If the brokers do not let us in or do not do their part.
        """
        check_topics([self._span.topic])
        corrections.install()
        consumer = make_consumer(self._settings, group_id=None)
        await start_consumer(consumer, self._settings, self._patience_s)
        try:
            left = await self._begin(consumer)
            heard = asyncio.get_running_loop().time()
            while left:
                try:
                    taken = await consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=max_records)
                except OffsetOutOfRangeError as error:  # retention was faster
                    await self._skip_gone(consumer, error.args[0])
                    taken = {}
                records = self._records(taken, left)
                for partition in [p for p in left if await consumer.position(p) >= left[p]]:
                    del left[partition]
                    consumer.pause(partition)
                if records:
                    yield records
                now = asyncio.get_running_loop().time()
                heard = now if records else heard
                if now - heard > self._patience_s and left:
                    raise RetryableError(f"the broker sent nothing of {self._span.topic} for {self._patience_s:g} s")
        except KafkaError as error:
            raise RetryableError(f"{self._span.topic} cannot be read: {error!r}") from error
        finally:
            await close_consumer(consumer, 2.0)

    async def _begin(self, consumer: Any) -> dict[TopicPartition, int]:
        """Seek every partition to the begin of the span; return where each ends, of those that have anything."""
        offsets = ConsumerOffsets(consumer, self._patience_s)
        existing = await offsets.partitions()
        topics = resolve([self._span.topic], existing, datetime.now(UTC)).topics
        if not topics:
            raise ConfigError([f"kafka:{self._span.topic}: {', '.join(self._settings.brokers)} has no such topic"])
        partitions = every(topics, existing)
        consumer.assign(partitions)
        begins = await offsets.beginnings(partitions)
        if self._span.begin is not None:
            begins = await offsets.at(self._span.begin, partitions)
        ends = await (offsets.ends(partitions) if self._span.end is None else offsets.at(self._span.end, partitions))
        left = {partition: end for partition, end in ends.items() if end > begins[partition]}
        self.total = sum(end - begins[partition] for partition, end in left.items())
        consumer.pause(*(partition for partition in partitions if partition not in left))
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        return left

    async def _skip_gone(self, consumer: Any, partitions: Iterable[TopicPartition]) -> None:
        """Go on where the log begins now."""
        begins = await ConsumerOffsets(consumer, self._patience_s).beginnings(partitions)
        for partition, offset in begins.items():
            consumer.seek(partition, offset)

    def _records(self, taken: dict[TopicPartition, list[Any]], ends: dict[TopicPartition, int]) -> list[Record]:
        return [
            record_of(
                Coordinates(partition.topic, partition.partition, message.offset),
                message,
                self._settings.max_message_bytes,
            )
            for partition, messages in taken.items()
            for message in messages
            if message.offset < ends[partition]
        ]
