"""Decides where the reading of newly assigned partitions begins.

In this order: what the group has committed; what the store knows to be covered; the beginning, for a topic or
partition that came after the group's first start; the start policy, which holds for a group that is quite new.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec
import structlog
from aiokafka.structs import TopicPartition

from ampeld.source.queries import Offsets
from ampeld.source.settings import Start

CoveredTo = Callable[[str, int], Awaitable[int | None]]
OnGap = Callable[[str, int, int, int], Awaitable[None]]
OnBegin = Callable[[Mapping[tuple[str, int], int]], Awaitable[None]]


async def nobody_asks(begun: Mapping[tuple[str, int], int]) -> None:
    """Keep nothing of where partitions are begun."""


_log = structlog.get_logger("ampeld.source")


class Position(msgspec.Struct, frozen=True):
    """Where a partition is begun: ``start`` counts as committed; delivery begins at ``deliver`` (above after a gap)."""

    start: int
    deliver: int


class Plan(msgspec.Struct, frozen=True):
    """The positions, the gaps to be recorded before, and the offsets to be committed before anything is read."""

    positions: dict[TopicPartition, Position]
    anchors: dict[TopicPartition, int]
    gaps: dict[TopicPartition, tuple[int, int]]


class Planner:
    """Makes a plan for partitions that were just assigned.

    Parameters
    ----------
    offsets
        What the brokers know.
    covered_to
        What the store knows: the offset after the last one in any verdict block of this group, or None.
    policy
        Where a group begins that has never committed anything.
    """

    def __init__(self, offsets: Offsets, covered_to: CoveredTo, policy: Start) -> None:
        self._offsets = offsets
        self._covered_to = covered_to
        self._policy = policy

    async def plan(
        self,
        assigned: Collection[TopicPartition],
        subscribed: Collection[TopicPartition],
        ever: Collection[TopicPartition],
    ) -> Plan:
        """Return where to begin.

        Parameters
        ----------
        assigned
            The partitions to begin.
        subscribed
            Every partition of every topic read now, ours or another member's, that was there when we started:
            the start policy is for them, what came later is read from its beginning.
        ever
            Every partition that this group may have read on any night.
        """
        asked = {*assigned, *subscribed, *ever}
        committed = await self._offsets.committed(asked)
        beginnings = await self._offsets.beginnings(assigned)
        ends = await self._offsets.ends(assigned)  # after the commits: an end never lies before what was committed
        wanted = {partition: committed[partition] for partition in assigned if partition in committed}
        anchors: dict[TopicPartition, int] = {}
        unknown = [partition for partition in assigned if partition not in committed]
        if unknown:
            anchors = await self._without_commit(unknown, is_new=not committed, subscribed=subscribed, ever=asked)
            late = await self._offsets.committed(anchors) if anchors else {}  # another member may have been first
            anchors = {partition: offset for partition, offset in anchors.items() if partition not in late}
            # A partition in neither begins at its beginning, and that is committed too.
            for partition in unknown:
                if partition not in late:
                    anchors.setdefault(partition, beginnings[partition])
                wanted[partition] = late.get(partition, anchors.get(partition, beginnings[partition]))
        covered = {partition: await self._covered_to(*partition) for partition in assigned if partition in committed}
        return _checked(wanted, anchors, beginnings, ends, covered)

    async def _without_commit(
        self,
        unknown: Collection[TopicPartition],
        *,
        is_new: bool,
        subscribed: Collection[TopicPartition],
        ever: Collection[TopicPartition],
    ) -> dict[TopicPartition, int]:
        covered = {}
        for partition in unknown:
            offset = await self._covered_to(partition.topic, partition.partition)
            if offset is not None:
                covered[partition] = offset
        if covered or not is_new or self._policy == "earliest" or await self._is_covered(ever, unknown):
            return covered
        # Every member commits the policy's offsets for all partitions of all members: else the one that comes second
        # would find the first one's commits, and take its own partitions for new ones.
        if isinstance(self._policy, str):
            return await self._offsets.ends(subscribed)
        return await self._offsets.at(self._policy, subscribed)

    async def _is_covered(self, partitions: Collection[TopicPartition], asked: Collection[TopicPartition]) -> bool:
        # A group that rested for longer than brokers keep its offsets is not new: the store remembers it.
        for partition in {*partitions}.difference(asked):
            if await self._covered_to(partition.topic, partition.partition) is not None:
                return True
        return False


def _checked(
    wanted: dict[TopicPartition, int],
    anchors: dict[TopicPartition, int],
    beginnings: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
    covered: Mapping[TopicPartition, int | None],
) -> Plan:
    positions: dict[TopicPartition, Position] = {}
    gaps: dict[TopicPartition, tuple[int, int]] = {}
    anew: dict[TopicPartition, int] = {}
    for partition, offset in wanted.items():
        begin = beginnings[partition]
        if offset > ends[partition]:
            # The topic was made anew, or its log was cut: what lies there now was never read.
            _log.error("source.log_went_back", topic=partition.topic, partition=partition.partition, committed=offset)
            positions[partition] = Position(begin, begin)
            anew[partition] = begin
        else:
            position = positions[partition] = Position(offset, max(offset, begin))
            known = covered.get(partition)
            # We commit only what is covered: whoever moved the group on left out what lies between.
            first = offset if known is None else min(known, offset)
            if first < position.deliver:
                gaps[partition] = (first, position.deliver)
    return Plan(positions, anchors | anew, gaps)
