"""Fetch batches from the source, and poll no faster than the pipeline takes them: back-pressure is not polling."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from ampeld.errors import RetryableError
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Sender
from ampeld.flow.record import Batch
from ampeld.stages.ports import Source

FETCH_TIMEOUT_S = 0.25
MAX_WAIT_S = 10.0
KEEP_ALIVE_S = 30.0
"""How long the pipeline may be full before the broker is told that this member still lives."""

log = structlog.get_logger("ampeld.consume")


async def consume(
    source: Source,
    outbox: Sender[Batch],
    *,
    stopping: asyncio.Event,
    max_records: int,
    on_fetched: Callable[[Batch], None],
) -> None:
    """Send every batch on until the source ends or ``stopping`` is set; a fetch is never cancelled on the way.

    ``on_fetched`` is told of every batch before it goes.
    """
    with outbox:
        full_s = wait_s = 0.0
        while not stopping.is_set():
            if not outbox.has_room:
                full_s += await _wait_for_room(outbox)
                if full_s >= KEEP_ALIVE_S:
                    full_s = 0.0
                    await source.keep_alive()
                continue
            full_s = 0.0
            try:
                batch = await source.fetch(max_records=max_records, timeout_s=FETCH_TIMEOUT_S)
            except RetryableError as error:
                wait_s = min(MAX_WAIT_S, 2 * wait_s or FETCH_TIMEOUT_S)
                log.warning("source.unavailable", error=str(error), again_in_s=wait_s)
                await _pause(stopping, wait_s)
                continue
            wait_s = 0.0
            if batch is None:
                return
            if batch.records:
                reach("after_fetch")
                on_fetched(batch)
                await outbox.send(batch)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _wait_for_room(outbox: Sender[Batch]) -> float:
    """Wait a moment for room; return the seconds waited."""
    clock = asyncio.get_running_loop().time
    began = clock()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            await outbox.wait_for_room()
    return clock() - began
