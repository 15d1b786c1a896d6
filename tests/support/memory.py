"""A directory in memory for the run's servers: they make and sync files for every test's topics and collections.

What a killed server leaves there is what it would leave on a disk, whose cache survives a process as well.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
_OURS: Final = "ampeld-test-"
_ROOM: Final = 2 * 2**30
"""[bytes]. Containers often have 64 MiB there."""


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """Lend a new directory in memory, or the other one where there is no room for it; it is removed at the end."""
    directory = otherwise
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        _tidy()
        directory = Path(tempfile.mkdtemp(prefix=f"{_OURS}{os.getpid()}-", dir=_MEMORY))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _tidy() -> None:
    """Remove what killed runs have left: memory is scarcer than disk."""
    for left in _MEMORY.glob(f"{_OURS}*-*"):
        owner = left.name.removeprefix(_OURS).partition("-")[0]
        if not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
