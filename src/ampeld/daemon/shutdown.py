"""How the process ends: the first signal drains, the second one kills, and the grace period is kept.

Shutdown is not cancellation: readers stop, the end flows down the pipes, each stage drains, commit has the last word.
Only when the grace period has passed is the work cancelled; what was not durable by then was not committed either.
"""

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop

from ampeld.daemon.exits import ExitCode
from ampeld.errors import AccessDeniedError, ConfigError, InvariantError, RetryableError

CANCEL_S = 5.0
"""How long cancelled work may take to let go of its connections."""

log = structlog.get_logger("ampeld.shutdown")

Work = Callable[["Stop"], Coroutine[Any, Any, None]]


class Stop:
    """The wish to stop, and whether there is anything to drain yet.

    ``wanted`` is set by the first signal; ``working`` by the work, once it has taken its first record or may do so.
    """

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.working = False
        self.told: list[Callable[[], None]] = []
        """Called by the first signal."""

    def listen(self) -> None:
        """Take SIGTERM and SIGINT from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)

    def listen_for_reload(self, reload: Callable[[], None]) -> None:
        """Take SIGHUP from now on: it asks for a reload, or tells that our terminal is gone, which means to stop."""
        terminal = next((number for number in (0, 2) if os.isatty(number)), None)

        def hung_up() -> None:
            if terminal is not None and _is_gone(terminal):
                self._signalled(signal.SIGHUP)
            else:
                reload()

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up)

    def _signalled(self, number: int) -> None:
        if self.wanted.is_set():
            log.warning("daemon.killed", signal=signal.Signals(number).name)
            sys.stderr.flush()
            os._exit(ExitCode.FAILED)
        log.info("daemon.stopping", signal=signal.Signals(number).name)
        self.wanted.set()
        for tell in self.told:
            tell()


def _is_gone(terminal: int) -> bool:
    """Tell whether the other side of a terminal was closed."""
    try:
        termios.tcgetattr(terminal)
    except termios.error:
        return True
    return False


def run_process(work: Work, *, grace_s: float) -> int:
    """Run the work on an event loop of its own as the whole business of this process; return the exit code.

    What did not end within the grace period is left behind: neither the loop nor the driver's threads, which wait for
    a server that does not answer, are waited for.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(run_until_stopped(work, grace_s=grace_s))
        if code == ExitCode.UNFINISHED:
            _leave(ExitCode.UNFINISHED, "not everything came to its end")
        return code


async def run_until_stopped(work: Work, *, grace_s: float) -> int:
    """Run the work to its end, or to the end of the grace period after a signal; return the exit code.

    0 when it ended or drained, 75 when the grace period passed first, 69 when a server did not answer at the start,
    70 on a mistake of our own, 77 when a server does not let us in, 78 when the configuration turned out to be wrong.
    """
    stop = Stop()
    stop.listen()
    code = ExitCode.OK
    try:
        code = await _drive(work, stop, grace_s)
    except* ConfigError as errors:
        code = ExitCode.CONFIG
        for problem in _leaves(errors):
            log.error("daemon.config", problem=str(problem))  # noqa: TRY400  the line says all
    except* AccessDeniedError as errors:
        code = ExitCode.PERMISSION
        for refusal in _leaves(errors):
            log.error("daemon.refused", error=str(refusal))  # noqa: TRY400
    except* RetryableError as errors:
        code = ExitCode.UNAVAILABLE
        for failure in _leaves(errors):
            log.error("daemon.unavailable", error=str(failure))  # noqa: TRY400
    except* Exception as errors:
        code = ExitCode.INTERNAL
        for mistake in _leaves(errors):
            log.critical("daemon.failed", error=repr(mistake), exc_info=mistake)
    return code


async def _drive(work: Work, stop: Stop, grace_s: float) -> ExitCode:
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work(stop), name="work")
        wanted = tasks.create_task(stop.wanted.wait(), name="signal")
        await asyncio.wait({working, wanted}, return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()
        if stop.working:
            await asyncio.wait({working}, timeout=grace_s)
        if working.cancelled():
            raise InvariantError("the daemon's work was cancelled by nobody") from _cancellation(working)
        if working.done():
            return ExitCode.OK
        working.cancel()
        await asyncio.wait({working}, timeout=CANCEL_S)
        if not stop.working:
            return ExitCode.OK  # nothing had been taken yet
        log.error("daemon.late", grace_s=grace_s, meaning="not everything was durable; it will be delivered again")
        if not working.done():
            _leave(ExitCode.UNFINISHED, "a server does not even let go")
    return ExitCode.UNFINISHED


def _cancellation(cancelled: asyncio.Task[None]) -> BaseException | None:
    """Return what ended a task, with the place where it was raised."""
    try:
        cancelled.result()
    except asyncio.CancelledError as error:
        return error
    return None


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _leave(code: ExitCode, reason: str) -> None:
    """End the process without waiting for threads that wait for a dead server."""
    log.error("daemon.left", reason=reason, code=code)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)
