"""The filter stage passes batches on in their order, and keeps one ahead of the judge."""

import asyncio

import numpy as np
import pytest
from support.isolation import batch

from ampeld.flow.pipe import open_pipe
from ampeld.stages.filter import filter_alerts
from ampeld.stages.values import Judged


class Slow:
    """A judge that takes as long as the test says, by turns."""

    def __init__(self, *takes_s):
        self.takes_s = list(takes_s)
        self.waiting = 0
        self.most = 0

    async def judge(self, decoded):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(self.takes_s.pop(0))
        self.waiting -= 1
        return Judged(decoded, (), np.zeros((0, len(decoded.table)), np.uint16), [])


async def through(judge, batches):
    """Return what comes out of the stage, in its order."""
    give, inbox = open_pipe("in", 10)
    outbox, take = open_pipe("out", 10)
    with give:
        for each in batches:
            await give.send(each)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(filter_alerts(inbox, outbox, judge=judge), name="filter")
        return [judged.decoded async for judged in take]


@pytest.mark.looptime
async def test_batches_come_out_in_their_order_whoever_is_done_first():
    batches = [batch(n) for n in range(1, 6)]
    assert await through(Slow(5, 1, 4, 1, 1), batches) == batches


@pytest.mark.looptime
async def test_no_more_batches_are_begun_than_can_wait():
    judge = Slow(*[1] * 8)
    await through(judge, [batch(1)] * 8)
    assert judge.most == 2


@pytest.mark.looptime
async def test_what_the_judge_raises_ends_the_stage():
    class Broken:
        async def judge(self, decoded):
            raise RuntimeError("broken")

    with pytest.raises(ExceptionGroup):
        await through(Broken(), [batch(1)] * 3)


async def test_nothing_in_is_nothing_out():
    assert await through(Slow(), []) == []
