"""Consuming: no faster than the pipeline takes, through the source's troubles, to a clean end."""

import asyncio

import pytest
from fakes.source import MemorySource

from ampeld.errors import RetryableError
from ampeld.flow.pipe import open_pipe
from ampeld.stages.consume import KEEP_ALIVE_S, consume

TOPIC = "ztf_20180701_programid1"


@pytest.mark.looptime
async def test_trouble_of_the_source_is_waited_out():
    source = MemorySource({(TOPIC, 0): [b"a", b"b"]})
    source.fetch_errors = [RetryableError("no broker answers")] * 5
    sender, receiver = open_pipe("fetched", 2)
    told = []
    await consume(source, sender, stopping=asyncio.Event(), max_records=10, on_fetched=told.append)
    batch = await receiver.receive()
    assert [record.value for record in batch.records] == [b"a", b"b"]
    assert told == [batch]


@pytest.mark.looptime
async def test_a_full_pipeline_is_not_fed_but_the_broker_hears_of_us():
    source = MemorySource({(TOPIC, 0): [b"%d" % i for i in range(10)]})
    sender, receiver = open_pipe("fetched", 1)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(consume(source, sender, stopping=stopping, max_records=1, on_fetched=lambda _: None))
        await asyncio.sleep(3.5 * KEEP_ALIVE_S)
        assert source.ledgers()[0].position == 1
        assert source.kept_alive == 3
        stopping.set()
    assert (await receiver.receive()).records[0].value == b"0"


@pytest.mark.looptime
async def test_stopping_ends_the_stream_even_while_the_source_is_in_trouble():
    source = MemorySource({(TOPIC, 0): []}, ends=False)
    source.fetch_errors = [RetryableError("no broker answers")] * 1000
    sender, receiver = open_pipe("fetched", 1)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(consume(source, sender, stopping=stopping, max_records=1, on_fetched=lambda _: None))
        await asyncio.sleep(60)
        stopping.set()
    assert [batch async for batch in receiver] == []
