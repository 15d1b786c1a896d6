"""The alerts of a consumer group on Kafka, as batches; the only thing that the rest of ampeld knows of Kafka."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import structlog
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
)
from aiokafka.structs import TopicPartition

from ampeld.errors import AccessDeniedError, AmpeldError, RetryableError
from ampeld.flow.deadline import Deadline
from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch
from ampeld.source import corrections
from ampeld.source.connection import broken_task, close_consumer, make_consumer, start_consumer
from ampeld.source.ending import Ending
from ampeld.source.member import Counters, Drain, Member, settled, uncancelled
from ampeld.source.positions import CoveredTo, OnBegin, OnGap, Plan, Planner, Position, nobody_asks
from ampeld.source.queries import ConsumerOffsets
from ampeld.source.settings import KafkaSettings
from ampeld.source.stall import REBUILDS_PER_HOUR, StallDetector
from ampeld.source.statistics import SourceStatistics, highwater, position_of, source_statistics
from ampeld.source.topics import check_topics
from ampeld.source.watch import TopicWatch

_log = structlog.get_logger("ampeld.source")


class StalledError(AmpeldError):
    """The client delivers nothing although there is something, and new ones do not help: exit 70."""


class KafkaSource:
    """A member of a consumer group; an asynchronous context manager, or `start` and `stop`.

    Parameters
    ----------
    settings
        Where, what, and as whom.
    covered_to
        ``await covered_to(topic, partition)``: the offset after the last one of which the store has a verdict, or None;
        asked where the group has committed nothing.
    on_gap
        ``await on_gap(topic, partition, first, last_exclusive)`` makes a gap durable, before what is behind it is read.
    on_begin
        ``await on_begin({(topic, partition): offset})`` makes durable where partitions begin that were never committed.
    drain
        ``await drain(ledgers, deadline_s)`` before partitions go: returns when nothing is open in these ledgers.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        covered_to: CoveredTo,
        on_gap: OnGap,
        on_begin: OnBegin = nobody_asks,
        drain: Drain = settled,
    ) -> None:
        check_topics(settings.topics)
        self._settings = settings
        self._covered_to = covered_to
        self._on_gap = on_gap
        self._on_begin = on_begin
        self._drain = drain
        self._member: Member | None = None
        self._counters = Counters()
        self._watch = TopicWatch(settings)
        self._ending = Ending(settings, self._watch)
        self._stall = StallDetector(time.monotonic())
        self._stopped = False
        self._held: frozenset[TopicPartition] = frozenset()

    async def start(self) -> None:
        """Reach the brokers and ask to join the group; partitions come later, with the fetches.

        Raises
        ------
        ConfigError
            If credentials or certificates cannot be read.
        AccessDeniedError
            If the brokers do not let us in.
        RetryableError
            If no broker answers.
        """
        corrections.install()
        await self._connect()

    async def _connect(self) -> Member:
        consumer = make_consumer(self._settings)
        await start_consumer(consumer, self._settings)
        self._member = Member(
            consumer, drain=self._drain, drain_s=self._settings.rebalance_s / 2, counters=self._counters
        )
        await self._watch.look(self._member, now=True)
        return self._member

    async def stop(self, deadline_s: float = 10.0) -> None:
        """Leave the group and close everything, within the deadline whatever state the broker is in.

        Commits nothing: who stops has drained and committed before.
        """
        self._stopped = True
        await self._disconnect(deadline_s)

    async def _disconnect(self, deadline_s: float) -> None:
        member, self._member = self._member, None
        if member is not None:
            member.assignment.retire()
            await close_consumer(member.consumer, deadline_s)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def fetch(self, *, max_records: int, timeout_s: float) -> Batch | None:
        """Return the next batch, every record opened in its ledger; an empty one when nothing came; None at the end.

        Raises
        ------
        RetryableError
            If a broker or the store did not do its part; the next fetch tries again.
        StalledError
            If the client has died too often.
        """
        if self._stopped:
            return None
        with uncancelled():
            return await self._fetch(max_records, Deadline(timeout_s))

    async def _fetch(self, max_records: int, deadline: Deadline) -> Batch | None:
        member = await self._living_member()
        await self._watch.look(member)
        while True:
            await self._begin_partitions(member)
            if await self._ending.is_reached(member):
                return None
            batch = await self._take(member, max_records)
            if batch.records:
                self._stall.progressed(time.monotonic())
                return batch
            if deadline.passed:
                return batch
            await self._wait(member, deadline.remaining_s)

    async def _living_member(self) -> Member:
        member = self._member
        if member is None:
            return await self._reconnect()
        if member.failure is not None:
            failure, member.failure = member.failure, None
            raise failure
        dead = broken_task(member.consumer)
        if dead is None and not self._is_stalled(member):
            return member
        if not self._stall.may_rebuild(time.monotonic()):
            raise StalledError(f"the Kafka client died {REBUILDS_PER_HOUR} times within an hour ({dead or 'stalled'})")
        _log.error("source.rebuilding_client", dead=dead)
        self._counters.rebuilds += 1
        await self._disconnect(deadline_s=5.0)
        return await self._reconnect()

    async def _reconnect(self) -> Member:
        try:
            return await self._connect()
        except AccessDeniedError as error:  # a password may be rotated while we run: no reason to end
            raise RetryableError(str(error)) from error

    def _is_stalled(self, member: Member) -> bool:
        now = time.monotonic()
        reading = member.assignment.ledgers.keys() - self._held
        ends = {partition: highwater(member, partition) for partition in reading}
        lags = any(end is not None and end > position_of(member, partition) for partition, end in ends.items())
        if not lags or not self._watch.connected:
            self._stall.progressed(now)
        return self._stall.is_stalled(now)

    async def _begin_partitions(self, member: Member) -> None:
        assignment = member.assignment
        if not member.is_assigned or not assignment.pending:
            return
        planner = Planner(ConsumerOffsets(member.consumer), self._covered_to, self._settings.start)
        plan = await planner.plan(frozenset(assignment.pending), self._watch.old, self._watch.ever)
        for partition, (first, last) in plan.gaps.items():
            await self._record_gap(partition, first, last)
        if plan.anchors and not assignment.retired:
            await self._on_begin({(p.topic, p.partition): offset for p, offset in plan.anchors.items()})
            try:
                await member.send_offsets(plan.anchors)
            except KafkaError as error:
                raise RetryableError(f"the first positions could not be committed: {error!r}") from error
        if assignment is member.assignment and member.is_assigned:
            self._begin(member, plan)

    def _begin(self, member: Member, plan: Plan) -> None:
        for partition, position in plan.positions.items():
            member.assignment.begin(partition, position)
            member.consumer.seek(partition, position.deliver)
            if partition not in self._held:
                member.consumer.resume(partition)
        _log.debug("source.begun", positions={f"{p.topic}/{p.partition}": v.deliver for p, v in plan.positions.items()})

    async def _record_gap(self, partition: TopicPartition, first: int, last: int) -> None:
        _log.error("source.gap", topic=partition.topic, partition=partition.partition, first=first, next=last)
        await self._on_gap(partition.topic, partition.partition, first, last)
        self._counters.gaps += 1

    async def _take(self, member: Member, max_records: int) -> Batch:
        taken: Mapping[TopicPartition, list[Any]] = {}
        try:
            taken = await member.take(max_records)
        except OffsetOutOfRangeError as error:
            for partition in error.args[0]:
                await self._catch_up(member, partition)
        except NoOffsetForPartitionError:
            pass  # of a partition whose position is being found
        except RecordTooLargeError as error:
            _text, partition, offset, *_ = error.args
            member.consumer.seek(partition, offset)  # aiokafka has passed over it
            raise RetryableError(f"the broker sends no whole batch at {partition}, offset {offset}") from error
        except GroupAuthorizationFailedError as error:
            raise RetryableError(f"the group {self._settings.group} may not be used: {error!r}") from error
        except KafkaError as error:
            raise RetryableError(f"the broker refused a fetch: {error!r}") from error
        # Nothing is awaited between the records and their ledgers: a revocation must find them open.
        return member.assignment.batch(taken, self._settings.max_message_bytes)

    async def _catch_up(self, member: Member, partition: TopicPartition) -> None:
        """Go on where the log begins, when retention has overtaken us or the log was made anew."""
        assignment = member.assignment
        ledger = assignment.ledgers.get(partition)
        if ledger is None:
            return
        offsets = ConsumerOffsets(member.consumer)
        begin = (await offsets.beginnings([partition]))[partition]
        end = (await offsets.ends([partition]))[partition]
        position = position_of(member, partition)
        if position < begin:
            await self._record_gap(partition, ledger.position, begin)
            if assignment.owns(ledger):
                assignment.pass_gap(partition, begin)
                member.consumer.seek(partition, begin)
        elif position > end and assignment.owns(ledger):
            # The topic was made anew, or its log was cut: what lies there now was never read.
            _log.error("source.log_went_back", topic=partition.topic, partition=partition.partition, end=end)
            assignment.begin(partition, Position(begin, begin))
            member.consumer.seek(partition, begin)

    async def _wait(self, member: Member, seconds: float | None) -> None:
        try:
            await member.wait(seconds)
        except KafkaError as error:
            raise RetryableError(f"the group has a problem: {error!r}") from error

    async def keep_alive(self) -> None:
        """Stay a member while the pipeline is full, without taking records or throwing away fetched ones."""
        self._stall.progressed(time.monotonic())
        if self._member is not None:
            self._member.keep_alive()

    def hold(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Read nothing of exactly these partitions until told otherwise, also when they are assigned anew."""
        held, self._held = self._held, frozenset(TopicPartition(*partition) for partition in partitions)
        if (member := self._member) is not None:
            for partition in member.assignment.ledgers:
                if partition in self._held - held:
                    member.consumer.pause(partition)
                elif partition in held - self._held:
                    member.consumer.resume(partition)

    def ledgers(self) -> Sequence[PartitionLedger]:
        """Return the ledgers of the present assignment."""
        return [] if self._member is None else list(self._member.assignment.ledgers.values())

    async def commit(self, due: Mapping[PartitionLedger, int]) -> None:
        """Commit these offsets once; what is lost is passed over in silence, what failed is due again."""
        if self._member is not None and due:
            await self._member.commit(due)

    def statistics(self) -> SourceStatistics:
        """Return positions, lags and counters."""
        return source_statistics(
            self._member,
            beginnings=self._watch.beginnings,
            waiting_for=self._watch.missing,
            connected=self._watch.connected,
            counters=self._counters,
        )
