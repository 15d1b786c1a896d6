"""Work on many things leaves the loop alone, work on a few does not leave it."""

import threading

import pytest

from ampeld.flow.apart import FEW, apart


def where(*given, **named):
    return threading.current_thread(), given, named


@pytest.mark.parametrize(("size", "here"), [(0, True), (FEW, True), (FEW + 1, False)])
async def test_a_few_are_worked_on_here_and_many_in_a_thread(size, here):
    thread, given, named = await apart(size, where, 1, two=2)
    assert (thread is threading.current_thread()) is here
    assert (given, named) == ((1,), {"two": 2})


@pytest.mark.parametrize("size", [1, FEW + 1])
async def test_what_the_work_raises_is_raised(size):
    with pytest.raises(ZeroDivisionError):
        await apart(size, lambda: 1 / 0)
