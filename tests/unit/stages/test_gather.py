"""What one flush is made of: what is there, and in times of many alerts what comes in a moment."""

import asyncio

import numpy as np
import pytest
from support.packets import alert
from support.pipelines import channel

from ampeld.alert.decode import Decoder
from ampeld.flow.pipe import open_pipe
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import ACCEPTED, REJECTION
from ampeld.stages.decode import decode_batch
from ampeld.stages.gather import MERGED, Gatherer
from ampeld.stages.values import Judged

FULL = 2
"""Records in a full batch."""
SOME, OTHERS = (channel("a"),), (channel("b"),)


def judged(n=FULL, channels=SOME, code=REJECTION):
    records = [
        Record(topic="t", partition=0, offset=i, value=alert(candid=1000 + i), after=i, through=i) for i in range(n)
    ]
    decoded = decode_batch(Decoder(2 * 2**20), Batch(records, [], 0.0))
    return Judged(decoded, channels, np.full((1, n), code, np.uint16), [[]])


class Flow:
    """A gatherer with the sending end of its pipe."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.sender, inbox = open_pipe("judged", 10)
        self.gatherer = Gatherer(inbox, FULL)

    async def send(self, *batches):
        for batch in batches:
            await self.sender.send(batch)

    async def asks(self):
        """Return the task that gathers, once it has taken what is there."""
        task = self.tasks.create_task(self.gatherer.next())
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    async def is_busy(self):
        """See to it that alerts have come fast until now."""
        await self.send(*(judged() for _ in range(MERGED)))
        assert len(await self.gatherer.next()) == MERGED


@pytest.fixture
async def flow():
    async with asyncio.TaskGroup() as tasks:
        yield Flow(tasks)


async def test_what_waits_goes_together_up_to_some_full_batches(flow):
    batches = [judged() for _ in range(MERGED + 1)]
    await flow.send(*batches)
    assert await flow.gatherer.next() == batches[:MERGED]
    assert await (await flow.asks()) == batches[MERGED:]


async def test_of_alerts_that_are_accepted_a_full_batch_is_enough(flow):
    one, other, rejected = judged(1, code=ACCEPTED), judged(1, code=ACCEPTED), judged()
    await flow.send(rejected, one, other, rejected)
    assert await flow.gatherer.next() == [rejected, one, other]
    assert await flow.gatherer.next() == [rejected]


async def test_while_few_alerts_come_nothing_waits_for_others(flow):
    for _ in range(3):
        one = judged(1)
        await flow.send(one)
        task = await flow.asks()
        assert task.done()
        assert task.result() == [one]


async def test_while_many_alerts_come_a_flush_waits_for_what_comes_in_a_moment(flow):
    await flow.is_busy()
    one, other = judged(), judged()
    await flow.send(one)
    task = await flow.asks()
    assert not task.done()
    await flow.send(other)
    assert await task == [one, other]
    await flow.send(one)
    assert await flow.gatherer.next() == [one]


async def test_a_flush_that_is_full_waits_for_nothing(flow):
    await flow.is_busy()
    await flow.is_busy()


async def test_batches_that_other_channels_judged_begin_the_next_flush(flow):
    one, other, third = judged(), judged(channels=OTHERS), judged(channels=OTHERS)
    await flow.send(one, other, third)
    assert await flow.gatherer.next() == [one]
    assert await flow.gatherer.next() == [other, third]


async def test_the_end_of_the_stream_ends_the_wait_and_loses_nothing(flow):
    await flow.is_busy()
    one = judged()
    await flow.send(one)
    task = await flow.asks()
    flow.sender.close()
    assert await task == [one]
    assert await flow.gatherer.next() == []


async def test_a_stop_in_the_midst_of_the_wait_is_a_stop(flow):
    await flow.is_busy()
    await flow.send(judged())
    task = await flow.asks()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
