"""Cancellations: those that are meant end a task, those that a client leaves behind are its own trouble."""

import asyncio

import pytest

from ampeld.errors import RetryableError
from ampeld.source.member import uncancelled


async def test_a_cancellation_by_nobody_is_trouble_that_passes():
    given_up = asyncio.get_running_loop().create_future()
    given_up.cancel()
    with pytest.raises(RetryableError, match="gave up"), uncancelled():
        await given_up


async def test_a_cancellation_that_is_meant_goes_through():
    async def wait():
        with uncancelled():
            await asyncio.get_running_loop().create_future()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
    assert waiting.cancelled()


async def test_a_time_limit_within_is_still_a_time_limit():
    with pytest.raises(TimeoutError), uncancelled():
        async with asyncio.timeout(0.001):
            await asyncio.get_running_loop().create_future()
