"""How long an event loop kept others waiting, the machine's own business set aside."""

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path

TICK_S = 0.005


class Stall:
    """The longest time in which nothing else could run on the loop [s]."""

    def __init__(self) -> None:
        self.longest_s = 0.0


def _waited_for_processor_s() -> float:
    """Return for how long this thread was ready to run and did not."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


@asynccontextmanager
async def stalls():
    """Measure while the block runs."""
    stall = Stall()

    async def tick() -> None:
        while True:
            began, waited = time.monotonic(), _waited_for_processor_s()
            await asyncio.sleep(TICK_S)
            late = time.monotonic() - began - TICK_S - (_waited_for_processor_s() - waited)
            stall.longest_s = max(stall.longest_s, late)

    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(tick(), name="tick")
        try:
            yield stall
        finally:
            ticking.cancel()
