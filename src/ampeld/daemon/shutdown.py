"""How the process ends: the first signal drains, the second one kills, and the grace period is kept.

Shutdown is not cancellation: readers stop, the end flows down the pipes, each stage drains, commit has the last word.
Only when the grace period has passed is the work cancelled; what was not durable by then was not committed either.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog

from ampeld.errors import ConfigError, InvariantError

OK, INTERNAL, LATE, CONFIG, KILLED = 0, 70, 75, 78, 1

CANCEL_S = 5.0
"""How long cancelled work may take to let go of its connections."""

log = structlog.get_logger("ampeld.shutdown")


class Stop:
    """The wish to stop, and whether there is anything to drain yet.

    ``wanted`` is set by the first signal; ``working`` by the work, once it has taken its first record or may do so.
    """

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.working = False

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: int) -> None:
        if self.wanted.is_set():
            log.warning("daemon.killed", signal=signal.Signals(number).name)
            sys.stderr.flush()
            os._exit(KILLED)
        log.info("daemon.stopping", signal=signal.Signals(number).name)
        self.wanted.set()


async def run_until_stopped(work: Callable[[Stop], Awaitable[None]], *, grace_s: float) -> int:
    """Run the work to its end, or to the end of the grace period after a signal; return the exit code.

    Returns
    -------
    int
        0 when it ended or drained; 75 when the grace period passed first; 70 on a mistake of our own; 78 when the
        configuration turned out to be wrong.
    """
    stop = Stop()
    stop.listen()
    try:
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(_run(work, stop), name="work")
            wanted = tasks.create_task(stop.wanted.wait(), name="signal")
            await asyncio.wait({working, wanted}, return_when=asyncio.FIRST_COMPLETED)
            wanted.cancel()
            if not working.done() and stop.working:
                await asyncio.wait({working}, timeout=grace_s)
            late = not working.done()
            if late:
                working.cancel()
                await asyncio.wait({working}, timeout=CANCEL_S)
                if not working.done():
                    _leave(LATE, "a server does not even let go")
    except* ConfigError as errors:
        for problem in _leaves(errors):
            log.error("daemon.config", problem=str(problem))
        return CONFIG
    except* InvariantError as errors:
        for mistake in _leaves(errors):
            log.critical("daemon.invariant", error=str(mistake), exc_info=mistake)
        return INTERNAL
    except* Exception as errors:  # noqa: BLE001  the process ends here, and says why
        for mistake in _leaves(errors):
            log.critical("daemon.failed", error=repr(mistake), exc_info=mistake)
        return INTERNAL
    if late and stop.working:
        log.error("daemon.late", grace_s=grace_s, meaning="not everything was durable; it will be delivered again")
        return LATE
    return OK


async def _run(work: Callable[[Stop], Awaitable[None]], stop: Stop) -> None:
    await work(stop)


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _leave(code: int, reason: str) -> None:
    """End the process without waiting for threads that wait for a dead server."""
    log.error("daemon.left", reason=reason, code=code)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)
