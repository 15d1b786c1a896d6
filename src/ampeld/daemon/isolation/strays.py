"""Find and kill what descends from a worker, even if it left the worker's session and lost its parent."""

import contextlib
import os
import signal
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

COOKIE: Final = "AMPELD_FILTERS"
"""The variable by which a nursery's descendants are known; a fork keeps it, whatever else it gives up."""
_ROUNDS: Final = 10


def kill_worker(pid: int) -> None:
    """Kill a worker and its session; it remains to be reaped."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def kill_strays(cookie: str, spared: Collection[int]) -> int:
    """Kill every process with this cookie but the spared ones; return how many.

    What forks faster than it is found is looked for again, some times.
    """
    killed = 0
    for _ in range(_ROUNDS):
        found = [pid for pid in _with_cookie(cookie) if pid not in spared]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        if not found:
            break
    return killed


def _with_cookie(cookie: str) -> Iterator[int]:
    wanted = f"{COOKIE}={cookie}".encode()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
