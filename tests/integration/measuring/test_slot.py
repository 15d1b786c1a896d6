"""Places of workers that are stopped in the midst of something, as a daemon's end does."""

import asyncio
import gc

import pytest
from support.isolation import filter_processes
from support.measuring import wants
from support.ticket_site import process_judge

from ampeld.daemon.measuring.hand import MeasuringHand
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally

MOMENTS_MS = [*range(12), 15, 20, 30, 50]


@pytest.fixture
async def crew():
    """Who measures for a channel with one unit, beside this process."""
    judge = process_judge()
    measurer = judge.follower = FlowMeasurer(Tally())
    await judge.swap([wants("a", ("Count", "{}"))])
    yield measurer.crew
    await judge.close()
    assert not filter_processes()


async def stopped_after(ms, work):
    """Do something, and be cancelled in the midst of it."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        await asyncio.sleep(ms / 1000)
        task.cancel()


async def test_a_place_that_is_stopped_while_its_worker_begins_leaves_nothing_behind(crew, capsys):
    before = len(filter_processes())
    for ms in MOMENTS_MS:
        slot = crew.make_slot("stopped")
        await stopped_after(ms, slot.begin())
        await slot.close()
    slot = crew.make_slot("after")
    assert await slot.begin() is not None
    assert len(filter_processes()) == before + 1
    await slot.close()
    gc.collect()  # a socket that nobody has closed would be an error here
    assert "nursery_lost" not in capsys.readouterr().out


async def test_an_end_that_is_cut_short_is_made_good_by_the_next_one(crew, capsys):
    slot = crew.make_slot("after")
    for ms in MOMENTS_MS:
        hand = await slot._cradle.take(MeasuringHand.take)
        await hand.open()
        await stopped_after(ms / 4, hand.end())
        await hand.end()
    assert await slot.begin() is not None
    await slot.close()
    assert "nursery_lost" not in capsys.readouterr().out
