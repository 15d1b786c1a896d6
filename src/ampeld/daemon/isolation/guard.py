"""What a worker takes from itself before it runs an author's code: processes, signals, threads, memory without end.

This is a wall against mistakes, not against malice: machine code can climb it, Python does not by accident.
"""

import _thread
import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final, NoReturn

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36

STDOUT: Final = 1
STDERR: Final = 2

TELL: Final = signal.SIGUSR2
"""The signal on which a worker writes to its standard error where in its code it is."""

_FORBIDDEN: Final = {
    **dict.fromkeys(
        ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen", "pty.spawn"),
        "start a process",
    ),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pthread_kill"), "send a signal"),
    "resource.setrlimit": "change a limit",
    "resource.prlimit": "change a limit",
}


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, and end now if that has happened."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(os.EX_OK)


def stand_alone() -> None:
    """Begin a session of our own, die with the nursery, and adopt whatever descends from us.

    What a filter starts can then be killed with us, and cannot hide from `has_children` by being orphaned.
    """
    os.setsid()
    die_with_parent(os.getppid())
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def has_children() -> bool:
    """Tell whether this process has any, alive or dead."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def bound_memory(memory_mb: int) -> None:
    """Let no more than this be added to the process's private memory; what is beyond is a MemoryError.

    Mapped files (catalogues) and the shared memory of the batches do not count.
    """
    private = data_bytes() + memory_mb * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        private = min(private, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (private, private))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tell_where_on_death() -> None:
    """Write the Python stack to standard error on a crash, and on `TELL`, even from within machine code."""
    faulthandler.enable(file=STDERR, all_threads=False)
    faulthandler.register(TELL, file=STDERR, all_threads=False)


def forbid(who: str) -> None:
    """Refuse from now on what authors' code has no business with, as an error in the line that tries it.

    Parameters
    ----------
    who
        Whose code it is, in one word.
    """

    def refuse(event: str, args: tuple[Any, ...]) -> None:  # noqa: ARG001  the interpreter's signature
        if event in _FORBIDDEN:
            raise PermissionError(f"a {who} must not {_FORBIDDEN[event]} ({event})")

    def refuse_thread(*_: Any, **__: Any) -> NoReturn:
        raise PermissionError(f"a {who} must not start a thread: what it leaves behind would be laid at another's door")

    sys.addaudithook(refuse)
    # Python tells its auditors of threads from 3.12 on only; `threading` has a name of its own for the function.
    _thread.start_new_thread = refuse_thread
    threading._start_new_thread = refuse_thread  # type: ignore[attr-defined]  # noqa: SLF001


def data_bytes() -> int:
    """Return what RLIMIT_DATA counts of this process [bytes]."""
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()


class OwnMemory:
    """Measures the memory that is this process's alone, in some microseconds."""

    def __init__(self) -> None:
        self._fd = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._page_kb = resource.getpagesize() // 1024
        self._last = self.kb()

    def kb(self) -> int:
        """Return the private memory in use [KiB]; the last value when the filter has closed our file."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            _, resident, shared, *_ = os.pread(self._fd, 100, 0).split()
            self._last = (int(resident) - int(shared)) * self._page_kb
        return self._last
