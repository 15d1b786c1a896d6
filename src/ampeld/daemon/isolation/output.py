"""What nursery and workers write to their standard output and error: read at leisure, some logged, its end kept."""

import asyncio
import contextlib
import os
from typing import Final

import structlog

KEPT: Final = 8192
"""Bytes that are kept: the end, where a dying worker's stack is."""
PAUSE_S: Final = 0.05
"""Between two reads. What a flood does not get into the pipe meanwhile, the writer loses: it never waits for us."""
_CHUNK: Final = 1 << 16
_SHOWN: Final = 2000

log = structlog.get_logger("ampeld.isolation")


class Output:
    """The reading end of the pipe.

    Parameters
    ----------
    fd
        Not blocking; closed by `close`.
    event
        What a line of the log is called that shows some of it.
    """

    def __init__(self, fd: int, event: str) -> None:
        self._fd = fd
        self._event = event
        self._tail = b""
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None

    def follow(self) -> None:
        """Read from now on, as the loop has time."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable)

    async def holds(self, text: bytes, within_s: float) -> bool:
        """Wait until this is in what was written since the last `take`; tell whether it came. Follows it already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while text not in self._tail:
                    self._news.clear()
                    if self._read() <= 0:
                        await self._news.wait()
                    await asyncio.sleep(0)  # a flood is no reason to forget the time
        return text in self._tail

    def take(self) -> str:
        """Return the end of what was written since the last call."""
        while self._read() > 0:
            pass
        text, self._tail = self._tail, b""
        return text.decode(errors="replace").strip()

    def close(self) -> None:
        """Stop reading."""
        if self._pause is not None:
            self._pause.cancel()
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _readable(self) -> None:
        assert self._loop is not None
        self._loop.remove_reader(self._fd)
        if self._read():  # else all writers are gone
            self._pause = self._loop.call_later(PAUSE_S, self._loop.add_reader, self._fd, self._readable)

    def _read(self) -> int:
        """Take some of what is there; return how much, 0 at the end, -1 when nothing is there yet."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return -1
        if data:
            self._news.set()
            self._tail = (self._tail + data)[-KEPT:]
            log.warning(self._event, text=data[:_SHOWN].decode(errors="replace"), bytes=len(data))
        return len(data)
