"""One membership in the consumer group: what it is assigned, and the only place that commits."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from ampeld.errors import RetryableError
from ampeld.flow.deadline import Deadline
from ampeld.flow.ledger import PartitionLedger
from ampeld.source.assignment import Assignment

Drain = Callable[[Sequence[PartitionLedger], float], Awaitable[None]]

_COMMIT_S = 10.0
_LOOK_S = 0.1
_LOST = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)

_log = structlog.get_logger("ampeld.source")


@contextlib.contextmanager
def uncancelled() -> Iterator[None]:
    """Tell a cancellation that nobody asked for, as aiokafka's own tasks leave behind, from one that is meant.

    Raises
    ------
    RetryableError
        In place of the former: it would end a task without a word.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RetryableError("the Kafka client gave up a request of its own") from error


class Counters(msgspec.Struct):
    """What happened since the start; they outlive a member."""

    rebalances: int = 0
    commits: int = 0
    commits_failed: int = 0
    commits_lost: int = 0
    gaps: int = 0
    rebuilds: int = 0


async def settled(ledgers: Sequence[PartitionLedger], deadline_s: float) -> None:
    """Wait until nothing is open in these ledgers, at most so long: the drain of a source that is given none."""
    deadline = Deadline(deadline_s)
    while any(ledger.in_flight for ledger in ledgers) and not deadline.passed:  # noqa: ASYNC110
        await asyncio.sleep(0.02)  # a ledger is plain data and has nothing to wait for


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """A consumer and its present assignment.

    Parameters
    ----------
    consumer
        Started, without a subscription.
    drain
        Awaited before partitions go, with their ledgers and a deadline [s].
    drain_s : float
        How long a revocation may take [s]: about half of what the group waits for us.
    """

    def __init__(self, consumer: AIOKafkaConsumer, *, drain: Drain, drain_s: float, counters: Counters) -> None:
        self.consumer = consumer
        self.assignment = Assignment()
        self.failure: Exception | None = None
        """What a callback of the group's raised: aiokafka swallows it, the next fetch raises it."""
        self._drain = drain
        self._drain_s = drain_s
        self._counters = counters
        self._committing = asyncio.Lock()
        self._is_failing = False

    @property
    def is_assigned(self) -> bool:
        """Tell whether the group has given us our part, be it nothing, and is not about to take it back."""
        return self.assignment.generation >= 0 and not self.consumer._subscription.reassignment_in_progress  # noqa: SLF001

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish what is open, commit it, and end the assignment, in this order."""
        assignment = self.assignment
        try:
            if assignment.ledgers:
                await self._finish(assignment)
        except Exception as error:
            self.failure = error
            raise
        finally:
            assignment.retire()
            if self.assignment is assignment:
                self.assignment = Assignment()
        if revoked:
            self._counters.rebalances += 1
            _log.info("source.revoked", partitions=len(revoked))

    async def _finish(self, assignment: Assignment) -> None:
        ledgers = list(assignment.ledgers.values())
        await self._drain(ledgers, self._drain_s * 0.8)
        await self.commit({ledger: ledger.due for ledger in ledgers if ledger.due is not None}, self._drain_s * 0.2)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take the partitions, without reading yet: their positions are found by the next fetch.

        Heartbeats rest while this runs, so it asks nobody anything.
        """
        for partition in assigned:
            # Paused at any position, aiokafka neither fetches nor looks for a position itself.
            self.consumer.seek(partition, 0)
            self.consumer.pause(partition)
        self.assignment = Assignment(self.consumer._coordinator.generation, assigned)  # noqa: SLF001
        _log.info("source.assigned", partitions=len(assigned), generation=self.assignment.generation)

    async def take(self, max_records: int) -> Mapping[TopicPartition, list[Any]]:
        """Return records that are here already; does not wait.

        While partitions move, aiokafka's ``getmany`` waits for them without a limit, and to cancel it breaks it.
        """
        if not self.is_assigned or self.assignment.pending == set(self.consumer.assignment()):
            return {}
        return await self.consumer.getmany(timeout_ms=0, max_records=max_records)  # type: ignore[no-any-return]

    async def wait(self, seconds: float | None) -> None:
        """Wait for records to arrive, at most so long and never long: an assignment makes no noise."""
        arrival = self.consumer._fetcher._create_fetch_waiter()  # noqa: SLF001  the wait of getmany, which may be ended
        timeout = _LOOK_S if seconds is None else min(seconds, _LOOK_S)
        await asyncio.wait([arrival], timeout=timeout)
        if arrival.done():
            arrival.result()
        arrival.cancel()

    def keep_alive(self) -> None:
        """Reset the clock of ``max_poll_interval`` without taking anything; heartbeats have a task of their own."""
        with self.consumer._subscription.fetch_context():  # noqa: SLF001
            pass

    async def commit(self, due: Mapping[PartitionLedger, int], deadline_s: float = _COMMIT_S) -> None:
        """Commit what is still ours, one commit at a time.

        One request under one generation, tried once: aiokafka's own ``commit`` tries for ever and stamps each try with
        the generation of the moment, so that it may rewind a partition that somebody else has by then. What fails is
        due again at the next round. A request that is given up at the deadline may still arrive; it says nothing but
        what is durable.
        """
        try:
            with uncancelled():
                await self._commit_within(due, deadline_s)
        except RetryableError as error:
            self._note_failure(str(error))

    async def _commit_within(self, due: Mapping[PartitionLedger, int], deadline_s: float) -> None:
        try:
            async with asyncio.timeout(deadline_s), self._committing:
                mine = {ledger: offset for ledger, offset in due.items() if self.assignment.owns(ledger)}
                self._counters.commits_lost += len(due) - len(mine)
                if mine:
                    await self._commit_each_if_not_all(mine)
        except TimeoutError:
            self._note_failure(f"no answer within {deadline_s} s")

    async def _commit_each_if_not_all(self, mine: Mapping[PartitionLedger, int]) -> None:
        error = await self._commit_once(mine)
        if error is None or len(mine) == 1 or error.retriable or isinstance(error, _LOST):
            return
        for ledger, offset in mine.items():  # one topic that was deleted must not hold back the others
            await self._commit_once({ledger: offset})

    async def _commit_once(self, mine: Mapping[PartitionLedger, int]) -> KafkaError | None:
        offsets = {TopicPartition(ledger.topic, ledger.partition): offset for ledger, offset in mine.items()}
        try:
            await self.send_offsets(offsets)
        except KafkaError as error:
            if isinstance(error, _LOST):
                self._counters.commits_lost += 1
            else:
                self._note_failure(repr(error))
            return error
        self._counters.commits += 1
        self._is_failing = False
        for ledger, offset in mine.items():
            ledger.committed_to(offset)
        return None

    def _note_failure(self, error: str) -> None:
        self._counters.commits_failed += 1
        if not self._is_failing:  # several are tried every second; one line per outage
            _log.warning("source.commit_failed", error=error)
        self._is_failing = True

    async def send_offsets(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Send one commit, as a member of the generation of our assignment and no other.

        Raises
        ------
        KafkaError
            If the broker does not take it; a `CommitFailedError` if the generation has passed.
        """
        coordinator = self.consumer._coordinator  # noqa: SLF001
        if coordinator.generation != self.assignment.generation or self.assignment.generation < 0:
            raise CommitFailedError("the group has moved on")
        data = {partition: OffsetAndMetadata(offset, "") for partition, offset in offsets.items()}
        await coordinator._do_commit_offsets(None, data)  # noqa: SLF001
