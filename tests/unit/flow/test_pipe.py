"""The pipe: order, bounds, ends. Not covered here: what stages do with it (tests/flow)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.flow.pipe import EndOfPipeError, ReceiverGoneError, open_pipe


async def test_items_come_out_in_the_order_in_which_they_went_in():
    sender, receiver = open_pipe("p", 3)
    for item in "abc":
        await sender.send(item)
    sender.close()
    assert [item async for item in receiver] == ["a", "b", "c"]


async def test_a_full_pipe_makes_its_sender_wait():
    sender, receiver = open_pipe("p", 1)
    await sender.send(1)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(sender.send(2))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert not sender.has_room
        assert await receiver.receive() == 1
    assert await receiver.receive() == 2


async def test_the_stream_ends_when_the_last_clone_has_closed():
    sender, receiver = open_pipe("p", 2)
    clone = sender.clone()
    sender.close()
    sender.close()
    await clone.send(1)
    clone.close()
    assert await receiver.receive() == 1
    with pytest.raises(EndOfPipeError):
        await receiver.receive()


async def test_a_sender_learns_that_nobody_receives():
    sender, receiver = open_pipe("p", 1)
    await sender.send(1)
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sender.send(2))
            await asyncio.sleep(0)
            receiver.close()
    assert caught.group_contains(ReceiverGoneError)


async def test_a_cancelled_waiter_passes_its_wake_up_on():
    sender, receiver = open_pipe("p", 1)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(receiver.receive())
        second = tasks.create_task(receiver.receive())
        await asyncio.sleep(0)
        await sender.send("x")
        first.cancel()
        assert await second == "x"


async def test_statistics_tell_the_peak_and_what_has_passed():
    sender, receiver = open_pipe("decoded", 3)
    await sender.send(1)
    await sender.send(2)
    await receiver.receive()
    statistics = sender.statistics
    assert (statistics.name, statistics.size, statistics.peak, statistics.passed) == ("decoded", 1, 2, 2)


def test_a_pipe_without_room_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        open_pipe("p", 0)


@given(capacity=st.integers(1, 4), shares=st.lists(st.lists(st.integers(), max_size=12), min_size=1, max_size=4))
def test_nothing_is_lost_or_doubled_whatever_the_capacity_and_the_number_of_senders(capacity, shares):
    async def transfer():
        sender, receiver = open_pipe("p", capacity)

        async def send(share, end):
            with end:
                for item in share:
                    await end.send(item)

        async with asyncio.TaskGroup() as tasks:
            for share in shares:
                tasks.create_task(send(share, sender.clone()))
            sender.close()
            received = [item async for item in receiver]
        assert sender.statistics.peak <= capacity
        return received

    assert sorted(asyncio.run(transfer())) == sorted(item for share in shares for item in share)
