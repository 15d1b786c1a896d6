"""A signal drains, SIGHUP means one of two things, and an end that nobody asked for is told."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ampeld.daemon.exits import ExitCode
from ampeld.daemon.shutdown import Stop, run_until_stopped


@contextmanager
def on_a_terminal() -> Iterator[int]:
    """Give the far end of a terminal that stands in the place of our standard error."""
    far, near = os.openpty()
    kept = os.dup(2)
    os.dup2(near, 2)
    os.close(near)
    yield far
    os.dup2(kept, 2)
    os.close(kept)


async def hang_up() -> None:
    """Send the signal, and let the loop hear of it: through a pipe, as of a thread that is done."""
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.to_thread(os.getpid)
    await asyncio.sleep(0)


def listening(stop: Stop) -> list[str]:
    """Return the list that grows with every reload that is asked for."""
    asked: list[str] = []
    stop.listen_for_reload(lambda: asked.append("reload"))
    return asked


@pytest.fixture
async def stop():
    yield Stop()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


async def test_a_signal_asks_for_a_reload(stop: Stop) -> None:
    asked = listening(stop)
    await hang_up()
    assert asked == ["reload"]
    assert not stop.wanted.is_set()


async def test_a_signal_while_the_terminal_is_there_asks_for_a_reload(stop: Stop) -> None:
    with on_a_terminal() as far:
        asked = listening(stop)
        await hang_up()
        os.close(far)
    assert asked == ["reload"]


async def test_a_terminal_that_is_gone_means_to_stop(stop: Stop) -> None:
    with on_a_terminal() as far:
        asked = listening(stop)
        os.close(far)
        await hang_up()
    assert asked == []
    assert stop.wanted.is_set()


async def fall_over(_: Stop) -> None:
    raise asyncio.CancelledError


async def test_work_that_is_cancelled_by_nobody_is_our_mistake_and_it_is_said_where(capsys) -> None:
    assert await run_until_stopped(fall_over, grace_s=1.0) == ExitCode.INTERNAL
    said = capsys.readouterr().out
    assert "cancelled by nobody" in said
    assert "in fall_over" in said
