"""A few words of memory in which a worker says where it is, so that its death can be laid at the right door."""

import mmap
import os
from typing import Final

import msgspec

_SERIAL, _CHANNEL, _ROW, _BEGAN = range(4)
_BYTES: Final = mmap.PAGESIZE
NOWHERE: Final = -1


class Whereabouts(msgspec.Struct, frozen=True):
    """Where a worker is, as far as it can be believed."""

    serial: int
    channel: int | None
    row: int | None
    began_ns: int
    """When it came to the last channel, on the monotonic clock [ns]; 0 when it has come to none."""


class Marker:
    """The words, in memory that daemon and worker share; eight bytes each, so that none is ever read half."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, _BYTES)
        self._words = memoryview(self._map).cast("q")

    @staticmethod
    def create() -> int:
        """Return a descriptor of new memory for a marker."""
        fd = os.memfd_create("ampeld-marker", os.MFD_CLOEXEC)
        os.ftruncate(fd, _BYTES)
        return fd

    def begin(self, serial: int) -> None:
        """Say that a batch is begun, and no channel yet."""
        self._words[_CHANNEL] = NOWHERE
        self._words[_ROW] = NOWHERE
        self._words[_BEGAN] = 0
        self._words[_SERIAL] = serial

    def enter(self, channel: int, row: int, now_ns: int) -> None:
        """Say that a channel is asked about a row, or with `NOWHERE` about all of them."""
        self._words[_BEGAN] = now_ns
        self._words[_ROW] = row
        self._words[_CHANNEL] = channel

    def leave(self) -> None:
        """Say that no channel is asked."""
        self._words[_CHANNEL] = NOWHERE

    def read(self) -> Whereabouts:
        """Return where the worker is."""
        channel, row = self._words[_CHANNEL], self._words[_ROW]
        return Whereabouts(
            self._words[_SERIAL],
            channel if channel >= 0 else None,
            row if row >= 0 else None,
            self._words[_BEGAN],
        )
