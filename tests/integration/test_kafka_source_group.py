"""Partitions that move between members: nothing is lost, and nobody rewinds anybody."""

import asyncio
import operator
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from support.servers import create_topic, need_apache, send
from support.sources import due, kafka_settings, make_source, offsets, read, settle_all, until

from ampeld.flow.ledger import PartitionLedger
from ampeld.source.offsets import GroupBusyError, committed_offsets, seek_group

pytestmark = pytest.mark.kafka


def values(count: int, partitions: int) -> list[tuple[bytes | None, bytes, int | None]]:
    return [(None, f"alert {number}".encode(), number % partitions) for number in range(count)]


class Reader:
    """A daemon in miniature: reads, settles a batch later, commits; keeps what was durable when."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.seen: list[tuple[int, int]] = []
        self.stopping = False

    async def run(self) -> None:
        await self.source.start()
        waiting: list[Any] = []
        while not self.stopping:
            batch = await self.source.fetch(max_records=7, timeout_s=0.1)
            waiting.append(batch)
            if len(waiting) > 2 or not batch.records:
                self.settle(waiting)
                await self.source.commit(due(self.source))
        self.settle(waiting)
        await self.source.commit(due(self.source))
        await self.source.stop()

    def settle(self, batches: list[Any]) -> None:
        for batch in batches:
            self.seen += offsets(batch.records)
            settle_all(batch.records, batch.ledgers)
        batches.clear()


async def test_members_that_come_and_go_lose_nothing(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=6)
    settings = kafka_settings(kafka, topic, session_timeout_s=3.0)
    readers = [Reader(make_source(settings)) for _ in range(3)]
    async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        tasks.create_task(readers[0].run(), name="first")
        for round_ in range(3):
            tasks.create_task(send(kafka, topic, values(300, 6)), name="producer")
            await until(lambda done=round_: len(set(readers[0].seen)) > 40 * done)
            if round_ < 2:
                tasks.create_task(readers[round_ + 1].run(), name="joining")
                await until(lambda new=readers[round_ + 1]: new.seen or new.source.statistics().partitions)
        readers[1].stopping = True
        everything = {(p, n) for p in range(6) for n in range(150)}
        await until(lambda: everything <= {pair for reader in readers for pair in reader.seen}, 60)
        for reader in readers:
            reader.stopping = True
    assert {pair for reader in readers for pair in reader.seen} == everything
    assert await committed_offsets(settings) == {(topic, p): 150 for p in range(6)}
    assert sum(reader.source.statistics().rebalances for reader in readers) >= 2


async def test_a_revocation_drains_then_commits_then_retires(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, values(10, 2))
    drained: list[Sequence[PartitionLedger]] = []
    held: list[Any] = []

    async def drain(ledgers: Sequence[PartitionLedger], deadline_s: float) -> None:
        assert deadline_s > 0
        drained.append(ledgers)
        for batch in held:
            settle_all(batch.records, batch.ledgers)

    settings = kafka_settings(kafka, topic)
    second = make_source(settings)
    async with make_source(settings, drain=drain) as first:
        while sum(len(batch.records) for batch in held) < 10:
            held.append(await first.fetch(max_records=100, timeout_s=0.1))
        old = {ledger for batch in held for ledger in batch.ledgers}
        async with asyncio.timeout(30), second:
            while len(second.ledgers()) < 1 or len(first.ledgers()) != 1:
                for source in (first, second):
                    batch = await source.fetch(max_records=100, timeout_s=0.1)
                    assert batch is not None
                    assert not batch.records  # everything was committed before it moved
        assert {ledger for ledgers in drained for ledger in ledgers} == old
        assert all(ledger.retired and ledger.committed == 5 for ledger in old)
        assert await committed_offsets(settings) == {(topic, 0): 5, (topic, 1): 5}


async def test_a_ledger_of_an_earlier_assignment_never_rewinds(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, values(10, 2))

    async def drain_nothing(_ledgers: Sequence[PartitionLedger], _deadline_s: float) -> None:
        """Leave everything open."""

    settings = kafka_settings(kafka, topic)
    second = make_source(settings)
    async with make_source(settings, drain=drain_nothing) as first, asyncio.timeout(60):
        old: list[Any] = []
        while sum(len(batch.records) for batch in old) < 10:
            old.append(await first.fetch(max_records=100, timeout_s=0.1))
        seen: list[Any] = []
        async with second:
            while len(set(seen)) < 10:
                for source in (first, second):
                    batch = await source.fetch(max_records=100, timeout_s=0.1)
                    settle_all(batch.records, batch.ledgers)
                    seen += offsets(batch.records)
                    await source.commit(due(source))
        stale = {ledger: 1 for batch in old for ledger in batch.ledgers}
        await first.commit(stale)
        assert await committed_offsets(settings) == {(topic, 0): 5, (topic, 1): 5}
        assert first.statistics().commits_lost >= 2


async def test_two_members_that_start_at_once_both_begin_by_the_policy(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=4)
    await send(kafka, topic, values(40, 4))
    settings = kafka_settings(kafka, topic, start="latest")
    async with make_source(settings) as first, make_source(settings) as second:
        async with asyncio.timeout(30):
            while len(first.ledgers()) != 2 or len(second.ledgers()) != 2:
                for source in (first, second):
                    batch = await source.fetch(max_records=100, timeout_s=0.1)
                    assert not batch.records
        assert await committed_offsets(settings) == {(topic, p): 10 for p in range(4)}


async def test_a_group_with_members_is_not_moved(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, values(5, 1))
    settings = kafka_settings(kafka, topic)
    async with make_source(settings) as source:
        await read(source, 5)
        with pytest.raises(GroupBusyError, match="1 members"):
            await seek_group(settings, to=0)
    assert await committed_offsets(settings) == {(topic, 0): 5}


@pytest.mark.parametrize(
    ("to", "offset"),
    [
        ("earliest", 0),
        ("latest", 10),
        (3, 3),
        (99, 10),
        (datetime(2000, 1, 1, tzinfo=UTC), 0),
        (datetime(2100, 1, 1, tzinfo=UTC), 10),
    ],
)
async def test_a_stopped_group_is_moved(kafka: str, to: Any, offset: int) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, values(10, 1))
    settings = kafka_settings(kafka, topic, until_end=True)
    async with make_source(settings) as source:
        await read(source, 5, max_records=5)
    assert await seek_group(settings, to=to) == {(topic, 0): offset}
    async with make_source(settings) as source:
        assert offsets(await read(source)) == [(0, n) for n in range(offset, 10)]


async def test_a_member_that_dies_is_replaced_within_the_session(kafka: str) -> None:
    need_apache()
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, values(10, 2))
    settings = kafka_settings(kafka, topic, session_timeout_s=2.0)
    dying = make_source(settings)
    await dying.start()
    await read(dying, 10, settle=False)
    member = dying._member
    assert member is not None
    member.consumer._coordinator._heartbeat_task.cancel()  # as a frozen process: no heartbeat, no farewell
    member.consumer._coordinator._coordination_task.cancel()
    async with make_source(settings) as source, asyncio.timeout(20):
        assert len(await read(source, 10)) == 10
    await dying.stop(1.0)


async def test_a_drain_that_fails_is_not_swallowed(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=2)
    await send(kafka, topic, values(2, 2))

    async def drain(_ledgers: Sequence[PartitionLedger], _deadline_s: float) -> None:
        raise ArithmeticError("the pipeline is broken")

    settings = kafka_settings(kafka, topic)
    second = make_source(settings)
    async with make_source(settings, drain=drain) as first:
        await read(first, 2, settle=False)
        with pytest.raises(ArithmeticError, match="the pipeline is broken"):
            async with asyncio.timeout(30), second:
                while True:
                    for source in (second, first):
                        await source.fetch(max_records=1, timeout_s=0.1)


@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_coordinator._coordination_task"])
async def test_a_client_that_died_silently_is_replaced(kafka: str, task: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    await send(kafka, topic, values(10, 1))
    async with make_source(kafka_settings(kafka, topic, session_timeout_s=2.0)) as source, asyncio.timeout(30):
        first = await read(source, 4, max_records=4)
        member = source._member
        assert member is not None
        dying = operator.attrgetter(task)(member.consumer)
        dying.cancel()
        await asyncio.wait([dying])
        rest = await read(source, 6)
        assert offsets([*first, *rest]) == [(0, n) for n in range(10)]
        assert source.statistics().rebuilds == 1


async def test_a_stopped_source_gives_nothing_more(kafka: str) -> None:
    source = make_source(kafka_settings(kafka, await create_topic(kafka, partitions=1)))
    await source.start()
    await source.stop()
    assert await source.fetch(max_records=1, timeout_s=0.1) is None
    assert source.ledgers() == []
