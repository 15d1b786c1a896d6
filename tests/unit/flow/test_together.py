"""Work side by side ends together, whatever goes wrong in one part of it."""

import asyncio

import pytest

from ampeld.errors import InvariantError, RetryableError
from ampeld.flow.together import together


async def returning(value, after=None):
    if after is not None:
        await after.wait()
    return value


async def raising(error):
    raise error


async def test_results_come_in_the_order_of_the_work_not_of_its_ends():
    late = asyncio.Event()

    async def release():
        late.set()
        return 2

    assert await together("t", [returning(1, late), release()]) == [1, 2]
    assert await together("t", [returning(1)]) == [1]
    assert await together("t", []) == []


async def test_an_error_is_raised_when_all_have_ended():
    ended = []

    async def slow():
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append(1)

    with pytest.raises(InvariantError):
        await together("t", [raising(InvariantError("x")), slow()])
    assert ended == [1]


async def test_what_may_be_tried_again_is_raised_before_anything_else():
    with pytest.raises(RetryableError):
        await together("t", [raising(InvariantError("x")), raising(RetryableError("y"))])


async def test_a_cancelled_wait_ends_the_work():
    async def forever():
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(together("t", [forever(), forever()]))
        await asyncio.sleep(0)
        before = len(asyncio.all_tasks())
        waiting.cancel()
    assert waiting.cancelled()
    assert len(asyncio.all_tasks()) < before
