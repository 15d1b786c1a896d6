"""Where the reading begins, decided from what brokers and store know."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from aiokafka.structs import TopicPartition

from ampeld.source.positions import Plan, Planner, Position
from ampeld.source.settings import Start

A, B, OLD = TopicPartition("night", 0), TopicPartition("night", 1), TopicPartition("old", 0)
TIME = datetime(2025, 1, 1, tzinfo=UTC)


class KnownOffsets:
    """Partitions that begin at 10 and end at 100; messages since `TIME` begin at 50."""

    def __init__(self, committed: dict[TopicPartition, int]) -> None:
        self.commits = committed
        self.late: dict[TopicPartition, int] = {}
        self.asked = 0

    async def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked += 1
        known = self.commits | (self.late if self.asked > 1 else {})
        return {partition: known[partition] for partition in partitions if partition in known}

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 10)

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 100)

    async def at(self, time: datetime, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        assert time == TIME
        return dict.fromkeys(partitions, 50)


async def plan(
    policy: Start,
    *,
    committed: dict[TopicPartition, int] | None = None,
    covered: dict[TopicPartition, int] | None = None,
    late: dict[TopicPartition, int] | None = None,
) -> Plan:
    offsets = KnownOffsets(committed or {})
    offsets.late = late or {}

    async def covered_to(topic: str, partition: int) -> int | None:
        return (covered or {}).get(TopicPartition(topic, partition))

    return await Planner(offsets, covered_to, policy).plan([A], [A, B], [A, B, OLD])


@pytest.mark.parametrize(("policy", "offset"), [("earliest", 10), ("latest", 100), (TIME, 50)])
async def test_a_new_group_begins_by_the_policy(policy: Start, offset: int) -> None:
    made = await plan(policy)
    assert made.positions == {A: Position(offset, offset)}
    assert made.anchors[A] == offset


@pytest.mark.parametrize("policy", ["latest", TIME])
async def test_the_policy_is_committed_for_the_partitions_of_other_members_too(policy: Start) -> None:
    assert set((await plan(policy)).anchors) == {A, B}


@pytest.mark.parametrize("policy", ["earliest", "latest", TIME])
async def test_a_commit_is_obeyed_and_nothing_is_committed_anew(policy: Start) -> None:
    assert await plan(policy, committed={A: 42}) == Plan({A: Position(42, 42)}, {}, {})


@pytest.mark.parametrize("known", [B, OLD])
async def test_a_partition_that_came_after_the_first_start_begins_at_its_beginning(known: TopicPartition) -> None:
    for made in (await plan("latest", committed={known: 42}), await plan("latest", covered={known: 42})):
        assert made.positions == {A: Position(10, 10)}
        assert made.anchors == {A: 10}


async def test_the_store_is_believed_where_nothing_is_committed() -> None:
    made = await plan("latest", covered={A: 77})
    assert made.positions == {A: Position(77, 77)}
    assert made.anchors == {A: 77}


async def test_what_another_member_committed_meanwhile_is_left_alone() -> None:
    made = await plan("latest", late={A: 98, B: 97})
    assert made.positions == {A: Position(98, 98)}
    assert made.anchors == {}


async def test_retention_that_overtook_the_group_is_a_gap() -> None:
    assert await plan("latest", committed={A: 4}) == Plan({A: Position(4, 10)}, {}, {A: (4, 10)})


async def test_a_commit_beyond_the_end_begins_at_the_beginning() -> None:
    assert await plan("latest", committed={A: 101}) == Plan({A: Position(10, 10)}, {A: 10}, {})


async def test_what_a_group_that_was_moved_on_passed_over_is_a_gap() -> None:
    made = await plan("earliest", committed={A: 60}, covered={A: 40})
    assert made.positions == {A: Position(60, 60)}
    assert made.gaps == {A: (40, 60)}


async def test_a_group_that_was_moved_back_has_no_gap() -> None:
    assert (await plan("earliest", committed={A: 30}, covered={A: 40})).gaps == {}
