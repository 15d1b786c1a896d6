"""Shared memory for one batch at a time: written by the daemon, mapped read-only by the filter processes."""

import mmap
import os
import pickle
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np

ALIGNED: Final = 64
_ROOM: Final = 1 << 20  # memory grows by doubling from here, so that a mapping is seldom made anew


class Segment:
    """The daemon's end: one writable mapping, and a descriptor that nobody can write through."""

    def __init__(self) -> None:
        self._fd = os.memfd_create("ampeld-batch", os.MFD_CLOEXEC)
        # Opened anew for reading only: a filter that maps it for writing is refused by the kernel.
        self.shared = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)
        self._map: mmap.mmap | None = None

    def put(self, value: object) -> list[int]:
        """Write a value, its arrays beside it as they are; return the sizes by which `Attached` finds them.

        The value that was there before must no longer be in use by anyone.
        """
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
        sizes = [part.nbytes for part in parts]
        room = np.frombuffer(self._mapped(sum(map(_padded, sizes))), np.uint8)
        for start, part in zip(_starts(sizes), parts, strict=True):
            # numpy lets other threads run while it copies; a slice of a mapping does not
            np.copyto(room[start : start + part.nbytes], np.frombuffer(part, np.uint8))
        return sizes

    def close(self) -> None:
        """Let go of the memory; what others have mapped stays theirs."""
        os.close(self._fd)
        os.close(self.shared)
        self._map = None

    def _mapped(self, size: int) -> mmap.mmap:
        if self._map is None or len(self._map) < size:
            room = _ROOM
            while room < size:
                room *= 2
            self._map = None
            os.ftruncate(self._fd, room)
            self._map = mmap.mmap(self._fd, room)
        return self._map


class Attached:
    """A filter process's end of a segment."""

    def __init__(self, shared: int) -> None:
        self._fd = shared
        self._map: mmap.mmap | None = None

    def take(self, sizes: Sequence[int]) -> Any:
        """Return the value that lies there; its arrays are the shared memory itself, and read-only."""
        size = sum(map(_padded, sizes))
        if self._map is None or len(self._map) < size:
            self._map = mmap.mmap(self._fd, os.fstat(self._fd).st_size, prot=mmap.PROT_READ)
        room = memoryview(self._map)
        head, *buffers = (room[start : start + n] for start, n in zip(_starts(sizes), sizes, strict=True))
        return pickle.loads(head, buffers=buffers)  # noqa: S301  the daemon wrote it


def _padded(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _starts(sizes: Sequence[int]) -> list[int]:
    return list(accumulate(map(_padded, sizes), initial=0))[:-1]
