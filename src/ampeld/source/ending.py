"""Knows when everything is done that was there at the start, by us and by the other members of the group."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiokafka.structs import TopicPartition

from ampeld.errors import RetryableError
from ampeld.source.member import Member
from ampeld.source.queries import ConsumerOffsets
from ampeld.source.settings import KafkaSettings
from ampeld.source.statistics import highwater, position_of
from ampeld.source.watch import TopicWatch

_LOOK_S = 1.0
_MARGIN_S = 10.0


Committed = Callable[[Member, Iterable[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]


async def committed_of(member: Member, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Return what the group has committed."""
    return await ConsumerOffsets(member.consumer).committed(partitions)


class Ending:
    """Looks out for the end of ``until_end``.

    A member that has read its own part waits for what others hold: they may die, and leave it to us.
    It does not wait for ever: others may be slow, and what they have done may not show (a partition that ends with
    control records is never committed to its end). Who outlives a dead member's session has waited long enough.
    """

    def __init__(self, settings: KafkaSettings, watch: TopicWatch, committed: Committed = committed_of) -> None:
        self._settings = settings
        self._watch = watch
        self._committed = committed
        self._done_since: float | None = None
        self._looked = 0.0

    async def is_reached(self, member: Member) -> bool:
        """Tell whether every partition has reached the end that it had at the start."""
        ends = self._watch.ends
        if ends is None or not self._settings.until_end:
            return False
        if not ends:
            return True
        if not self._own_part_is_read(member):
            self._done_since = None
            return False
        now = time.monotonic()
        self._done_since = self._done_since or now
        if now - self._done_since > self._settings.session_timeout_s + _MARGIN_S:
            return True
        return await self._others_are_done(member, now)

    def _own_part_is_read(self, member: Member) -> bool:
        assignment, ends = member.assignment, self._watch.ends or {}
        return (
            member.is_assigned
            and not assignment.pending
            and all(_is_read(member, partition, ends.get(partition, 0)) for partition in assignment.ledgers)
        )

    async def _others_are_done(self, member: Member, now: float) -> bool:
        ends = self._watch.ends or {}
        others = {
            partition: end for partition, end in ends.items() if partition not in member.assignment.ledgers and end
        }
        if not others:
            return True
        if now - self._looked < _LOOK_S:
            return False
        self._looked = now
        try:
            committed = await self._committed(member, others)
        except RetryableError:
            return False
        return all(committed.get(partition, 0) >= end for partition, end in others.items())


def _is_read(member: Member, partition: TopicPartition, end: int) -> bool:
    position = position_of(member, partition)
    if position <= end:
        return position == end
    # Beyond the end of the start: the log has grown since, or it was made anew and the position is of the old one.
    # What the broker has answered tells; until it has, nothing is known.
    top = highwater(member, partition)
    return top is not None and position <= top
