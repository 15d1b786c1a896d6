"""Work on many things in a thread, so that heartbeats go on meanwhile; work on a few right here."""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

FEW: Final = 16
"""Alerts or objects that are done with in some milliseconds: to hand them to a thread, and to wait until that one gets
the interpreter, takes as long."""

P = ParamSpec("P")
T = TypeVar("T")


async def apart(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``work`` returns of these arguments.

    Parameters
    ----------
    size
        How many alerts or objects it is about, of half a millisecond each.
    work
        What is done.
    """
    if size <= FEW:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
