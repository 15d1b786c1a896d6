import asyncio
import socket

import pytest

from ampeld.daemon.isolation.link import Link, LinkClosedError
from ampeld.daemon.isolation.messages import LENGTH, MOST_BYTES, Ended, Forked, NonsenseError, Reap, frame


@pytest.fixture
async def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    link = await Link.over(ours)
    yield link, theirs
    link.close()
    theirs.close()


async def test_messages_come_whole_however_they_are_cut(ends):
    link, theirs = ends
    data = frame(Forked(7)) + frame(Ended(None)) + frame(Ended(139))
    loop = asyncio.get_running_loop()
    for byte in data:
        await loop.sock_sendall(theirs, bytes([byte]))
    assert [await link.receive(1) for _ in range(3)] == [Forked(7), Ended(None), Ended(139)]


async def test_a_timeout_loses_nothing(ends):
    link, theirs = ends
    data = frame(Forked(7))
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(theirs, data[:3])
    with pytest.raises(TimeoutError):
        await link.receive(0.01)
    await loop.sock_sendall(theirs, data[3:])
    assert await link.receive(1) == Forked(7)


async def test_what_was_said_before_the_end_is_still_heard(ends):
    link, theirs = ends
    theirs.send(frame(Forked(7)))
    theirs.close()
    assert await link.receive(1) == Forked(7)
    with pytest.raises(LinkClosedError):
        await link.receive(1)


@pytest.mark.parametrize(
    "data", [LENGTH.pack(3) + b"\xc1\xc1\xc1", LENGTH.pack(MOST_BYTES + 1), b"x" * 200, frame(Reap(1))]
)
async def test_nonsense_is_told_and_ends_belief(ends, data):
    link, theirs = ends
    theirs.send(data + frame(Forked(7)))
    with pytest.raises(NonsenseError):
        await link.receive(1)
    with pytest.raises((TimeoutError, LinkClosedError)):
        await link.receive(0.01)


async def test_sending_to_one_who_has_gone_is_no_error(ends):
    link, theirs = ends
    theirs.close()
    with pytest.raises(LinkClosedError):
        await link.receive(1)
    link.send(Reap(1))
