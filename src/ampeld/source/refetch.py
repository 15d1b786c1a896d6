"""Fetch alerts back from Kafka by their coordinates, beside every group, for as long as the broker keeps them."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Self

import msgspec
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from ampeld.errors import RetryableError
from ampeld.flow.record import Coordinates, Record
from ampeld.source import corrections
from ampeld.source.connection import close_consumer, make_consumer, start_consumer
from ampeld.source.queries import ConsumerOffsets
from ampeld.source.refused import RefusedBatch
from ampeld.source.settings import KafkaSettings

PATIENCE_S = 30.0
"""How long nothing at all may come before the broker is given up [s]."""

_POLL_MS = 250
_AT_ONCE = 500
_JUMP = 200  # offsets: what lies nearer is read and thrown away, for a seek throws away what was fetched ahead


class Gone(msgspec.Struct, frozen=True):
    """A record that the broker has no longer."""

    coordinates: Coordinates
    reason: str
    oldest_ms: int | None = None
    """The time stamp of the oldest record that its partition still has, in milliseconds since 1970-01-01."""


class Refetcher:
    """Reads records by their coordinates; commits nothing and belongs to no group. An asynchronous context manager.

    Parameters
    ----------
    settings
        How to reach the brokers; its topics and its group do not matter.
    patience_s
        How long nothing at all may come [s].
    """

    def __init__(self, settings: KafkaSettings, *, patience_s: float = PATIENCE_S) -> None:
        self._settings = settings
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        """Reach the brokers.

        Raises
        ------
        AccessDeniedError, RetryableError
            If they do not let us in or do not answer in time.
        """
        corrections.install()
        self._consumer = make_consumer(self._settings, group_id=None)
        await start_consumer(self._consumer, self._settings, self._patience_s)
        self._offsets = ConsumerOffsets(self._consumer, self._patience_s)
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_consumer(self._consumer, 2.0)

    async def fetch(self, coordinates: Iterable[Coordinates]) -> dict[Coordinates, Record | Gone]:
        """Return each of these records, or that and why it is gone; all of them are held in memory.

        ``after`` and ``through`` of a record are its own offset: what it accounts for is not asked of the broker.

        Raises
        ------
        RetryableError
            If a broker does not do its part.
        """
        wanted: dict[TopicPartition, list[Coordinates]] = {}
        for place in sorted(set(coordinates)):
            wanted.setdefault(TopicPartition(place.topic, place.partition), []).append(place)
        try:
            found = await self._gone(wanted)
            left = {p: rest for p, places in wanted.items() if (rest := [c for c in places if c not in found])}
            if left:
                found |= await self._read(left)
        except KafkaError as error:
            raise RetryableError(f"the broker did not give records back: {error!r}") from error
        return found

    async def _gone(self, wanted: Mapping[TopicPartition, list[Coordinates]]) -> dict[Coordinates, Record | Gone]:
        existing = await self._offsets.partitions()
        known = [p for p in wanted if p.partition in existing.get(p.topic, ())]
        begins = await self._offsets.beginnings(known) if known else {}
        ends = await self._offsets.ends(known) if known else {}
        oldest = await self._oldest([p for p in known if wanted[p][0].offset < begins[p]])
        found: dict[Coordinates, Record | Gone] = {}
        for partition, places in wanted.items():
            for place in places:
                if partition not in begins:
                    found[place] = Gone(place, f"topic {place.topic} is not there any more")
                elif place.offset < begins[partition]:
                    reason = f"retention took it: {place.topic}/{place.partition} begins at {begins[partition]}"
                    found[place] = Gone(place, reason, oldest.get(partition))
                elif place.offset >= ends[partition]:
                    reason = f"{place.topic}/{place.partition} ends at {ends[partition]}: it was made anew"
                    found[place] = Gone(place, reason)
        return found

    async def _oldest(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        answer = await self._consumer.offsets_for_times(dict.fromkeys(partitions, 0))
        return {partition: int(entry.timestamp) for partition, entry in answer.items() if entry is not None}

    async def _read(self, left: dict[TopicPartition, list[Coordinates]]) -> dict[Coordinates, Record | Gone]:
        """Read these partitions from the first offset that is wanted to the last."""
        consumer, clock = self._consumer, asyncio.get_running_loop().time
        consumer.assign(list(left))
        for partition, places in left.items():
            consumer.seek(partition, places[0].offset)
        found: dict[Coordinates, Record | Gone] = {}
        heard = clock()
        while left:
            try:
                taken = await consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            except OffsetOutOfRangeError:  # retention was faster
                found |= await self._gone(left)
                taken = {}
            for partition, messages in taken.items():
                heard = clock()
                self._keep(left[partition], messages, found)
            for partition, places in list(left.items()):
                left[partition] = rest = [place for place in places if place not in found]
                if not rest:
                    del left[partition]
                    consumer.pause(partition)
                elif (read := taken.get(partition)) and rest[0].offset - read[-1].offset > _JUMP:
                    consumer.seek(partition, rest[0].offset)
            if clock() - heard > self._patience_s:
                raise RetryableError(f"the broker gave nothing back within {self._patience_s:g} s")
        return found

    def _keep(self, wanted: list[Coordinates], messages: list[Any], found: dict[Coordinates, Record | Gone]) -> None:
        by_offset = {message.offset: message for message in messages}
        reached = max(getattr(message, "through", message.offset) for message in messages)
        for place in wanted:
            if place.offset in by_offset:
                found[place] = record_of(place, by_offset[place.offset], self._settings.max_message_bytes)
            elif place.offset <= reached:
                found[place] = Gone(place, "the broker passes over it: compacted or aborted")


async def refetch(
    settings: KafkaSettings, coordinates: Iterable[Coordinates], *, patience_s: float = PATIENCE_S
) -> dict[Coordinates, Record | Gone]:
    """Return each of these records, or that and why it is gone.

    Raises
    ------
    AccessDeniedError, RetryableError
        If the brokers do not let us in or do not do their part.
    """
    async with Refetcher(settings, patience_s=patience_s) as refetcher:
        return await refetcher.fetch(coordinates)


def record_of(place: Coordinates, message: Any, max_message_bytes: int) -> Record:
    """Return a message of aiokafka's as a record that accounts for itself alone."""
    value = message.value or b""
    refusal = message.reason if isinstance(message, RefusedBatch) else None
    if refusal is None and len(value) > max_message_bytes:
        refusal = f"message of {len(value)} bytes above source.max_message_bytes = {max_message_bytes}"
    return Record(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        value=value,
        after=place.offset,
        through=place.offset,
        key=message.key,
        headers=tuple((name, content or b"") for name, content in message.headers),
        timestamp_ms=message.timestamp,
        refusal=refusal,
    )
