"""What a source can tell about itself: positions, lags and counters."""

import msgspec
from aiokafka.structs import TopicPartition

from ampeld.source.member import Counters, Member


class PartitionStatistics(msgspec.Struct, frozen=True):
    """One assigned partition."""

    topic: str
    partition: int
    position: int
    """The next offset to be delivered."""
    committed: int
    end: int | None
    """The offset that the next message will get, as of the last answer of the broker."""
    begin: int | None
    """The first offset that the broker still has, asked for once a minute."""
    lag: int | None
    timestamp_ms: int | None
    """The time stamp of the last record delivered."""


class SourceStatistics(msgspec.Struct, frozen=True):
    """A Kafka source: what it reads, waits for, and what happened since its start."""

    partitions: tuple[PartitionStatistics, ...]
    waiting_for: tuple[str, ...]
    """Topics asked for by name that do not exist."""
    connected: bool
    """Whether the brokers answered when last asked."""
    rebalances: int
    commits: int
    commits_failed: int
    commits_lost: int
    """Commits dropped because the partition was somebody else's by then."""
    gaps: int
    rebuilds: int


def partitions_of(member: Member | None, beginnings: dict[TopicPartition, int]) -> tuple[PartitionStatistics, ...]:
    """Return the statistics of everything that the member is assigned and has begun."""
    if member is None:
        return ()
    ledgers = sorted(member.assignment.ledgers.items())
    return tuple(_partition(member, partition, beginnings.get(partition)) for partition, _ in ledgers)


def _partition(member: Member, partition: TopicPartition, begin: int | None) -> PartitionStatistics:
    ledger = member.assignment.ledgers[partition]
    position = position_of(member, partition)
    end = highwater(member, partition)
    return PartitionStatistics(
        topic=partition.topic,
        partition=partition.partition,
        position=position,
        committed=ledger.committed,
        end=end,
        begin=begin,
        lag=None if end is None else max(0, end - position),
        timestamp_ms=member.assignment.timestamps_ms.get(partition),
    )


def position_of(member: Member, partition: TopicPartition) -> int:
    """Return the next offset to be fetched: above that of the ledger where the broker has only control records."""
    ledger = member.assignment.ledgers[partition]
    state = _state(member, partition)
    if state is None or not state.has_valid_position:
        return ledger.position
    return max(ledger.position, int(state.position))


def highwater(member: Member, partition: TopicPartition) -> int | None:
    """Return the end of a partition as of the last fetch."""
    state = _state(member, partition)
    return None if state is None or state.highwater is None else int(state.highwater)


def _state(member: Member, partition: TopicPartition):  # type: ignore[no-untyped-def]  # noqa: ANN202
    # The public highwater() and position() raise or wait while partitions move.
    subscription = member.consumer._subscription.subscription  # noqa: SLF001
    if subscription is None or subscription.assignment is None:
        return None
    return subscription.assignment.state_value(partition)


def source_statistics(
    member: Member | None,
    *,
    beginnings: dict[TopicPartition, int],
    waiting_for: frozenset[str],
    connected: bool,
    counters: Counters,
) -> SourceStatistics:
    """Return everything."""
    return SourceStatistics(
        partitions=partitions_of(member, beginnings),
        waiting_for=tuple(sorted(waiting_for)),
        connected=connected,
        rebalances=counters.rebalances,
        commits=counters.commits,
        commits_failed=counters.commits_failed,
        commits_lost=counters.commits_lost,
        gaps=counters.gaps,
        rebuilds=counters.rebuilds,
    )
