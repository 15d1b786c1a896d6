"""Work that goes on side by side and ends together: nothing is left in flight when an error is raised."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from ampeld.errors import AmpeldError, RetryableError

T = TypeVar("T")


async def together(name: str, work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines side by side, each to its end, and return what they returned, in their order.

    Raises
    ------
    AmpeldError
        The first that one of them raised, once all have ended; a `RetryableError` before any other, because what is
        tried again raises the others again.
    """
    if len(work) == 1:
        return [await work[0]]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_caught(one), name=f"{name}-{i}") for i, one in enumerate(work)]
    ended = [task.result() for task in running]
    errors = [error for _, of_one in ended for error in of_one]
    if errors:
        raise next((error for error in errors if isinstance(error, RetryableError)), errors[0])
    return [result for of_one, _ in ended for result in of_one]


async def _caught(work: Coroutine[Any, Any, T]) -> tuple[list[T], list[AmpeldError]]:
    try:
        return [await work], []
    except AmpeldError as error:
        return [], [error]
