"""Takes Kafka's answers from the socket straight into memory of their own: asyncio's streams copy each byte twice more.

An answer to a fetch is megabytes, and those copies are half of what aiokafka spends on a message of 65 kB.
"""

import asyncio
import io
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np

MAX_FRAME: Final = 1 << 30
"""Bytes of the largest answer: brokers send what was asked for, and at most one batch more."""

_SIZE: Final = struct.Struct(">i")
_LARGE: Final = 1 << 16
"""From this size on a frame is handed on as a view of its memory; smaller ones are read as bytes."""
_WAITING: Final = 2
_KEPT: Final = 1 << 25
"""Bytes of memory, at most, that is used again for the next frame: fresh memory costs a page fault for each 4 kB."""
_ROUND: Final = 1 << 20


class FrameProtocol(asyncio.BufferedProtocol):
    """Receives frames, each behind its size; the life of the connection is the business of aiokafka's own protocol.

    Parameters
    ----------
    inner
        The protocol that would have received: it is told of everything but the data.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._transport: Any = None
        self._paused = False
        self._frames: deque[bytes | memoryview] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._head = memoryview(bytearray(_SIZE.size))
        self._target = self._head
        self._filled = 0
        self._spare = memoryview(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to receive."""
        self._transport = transport
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the stream: what is complete is still handed out."""
        self._end(exc)
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """End the stream."""
        self._end(None)
        return self._inner.eof_received()  # type: ignore[no-any-return]  # aiokafka has no types

    def pause_writing(self) -> None:
        """Hold the writers."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Let the writers go on."""
        self._inner.resume_writing()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  as much as the frame lacks
        """Return the memory that the next bytes belong to."""
        return self._target[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take note of bytes that have come."""
        self._filled += nbytes
        if self._filled < len(self._target):
            return
        self._filled = 0
        if self._target is self._head:
            (size,) = _SIZE.unpack(self._head)
            if not 0 <= size <= MAX_FRAME:
                self._end(ValueError(f"a frame of {size} bytes"))
                self._transport.abort()
                return
            if size:
                self._target = self._memory(size)
                return
        self._complete()

    def _memory(self, size: int) -> memoryview:
        spare, self._spare = self._spare, memoryview(b"")
        if size > len(spare):
            spare = np.empty(-(-size // _ROUND) * _ROUND, dtype=np.uint8).data
        return spare[:size]

    def reuse(self, frame: bytes | memoryview) -> None:
        """Take back the memory of a frame that nobody looks at any more."""
        if isinstance(frame, memoryview) and (whole := memoryview(frame.obj)).nbytes <= _KEPT:
            self._spare = whole

    def _complete(self) -> None:
        frame, self._target = self._target, self._head
        if frame is self._head:
            self._frames.append(b"")
        elif len(frame) < _LARGE:
            self._frames.append(frame.tobytes())
            self.reuse(frame)
        else:
            self._frames.append(frame)
        if len(self._frames) >= _WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    async def receive(self) -> bytes | memoryview:
        """Return the next frame; a large one as a view of its memory.

        Raises
        ------
        asyncio.IncompleteReadError
            If the connection has ended.
        """
        while not self._frames:
            if self._error is not None:
                raise self._error
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        frame = self._frames.popleft()
        if self._paused and len(self._frames) < _WAITING:
            self._paused = False
            self._transport.resume_reading()
        return frame

    def _end(self, error: Exception | None) -> None:
        if self._error is None:
            self._error = error or asyncio.IncompleteReadError(bytes(self._filled), len(self._target))
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


class FrameIO:
    """Reads a frame as ``io.BytesIO`` would, which would copy all of it first."""

    def __init__(self, frame: memoryview) -> None:
        self._frame = frame
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end."""
        part = self._frame[self._at : self._at + size].tobytes()
        self._at += len(part)
        return part


class _Io:
    """What aiokafka's connection uses of the module ``io``."""

    @staticmethod
    def BytesIO(frame: bytes | memoryview) -> io.BytesIO | FrameIO:  # noqa: N802  io's own name
        """Open a frame for reading."""
        return FrameIO(frame) if isinstance(frame, memoryview) else io.BytesIO(frame)


async def _read(connection: Callable[[], Any]) -> None:
    """Take the place of the reading task of aiokafka's connections, which may be forgotten while it waits."""
    protocol: FrameProtocol = connection()._protocol  # noqa: SLF001
    while True:
        frame = await protocol.receive()
        living = connection()
        if living is None:
            return
        living._handle_frame(frame)  # noqa: SLF001
        protocol.reuse(frame)  # what was decoded are copies
        del living, frame


def install(conn: Any) -> None:
    """Let the connections of aiokafka (its module ``conn``) receive in this way; again and again does no harm."""
    original = getattr(conn.AIOKafkaProtocol, "wrapped", conn.AIOKafkaProtocol)

    def make(*args: Any, **options: Any) -> FrameProtocol:
        return FrameProtocol(original(*args, **options))

    make.wrapped = original  # type: ignore[attr-defined]
    conn.AIOKafkaProtocol = make
    conn.AIOKafkaConnection._read = staticmethod(_read)  # noqa: SLF001
    conn.io = _Io
