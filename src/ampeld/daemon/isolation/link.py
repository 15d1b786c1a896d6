"""The daemon's end of the socket to a worker: whole messages in and out, and never a wait that cannot be ended."""

import asyncio
import socket
from collections import deque
from typing import cast

from ampeld.daemon.isolation.messages import LENGTH, Down, NonsenseError, Up, frame, length_of, read_up
from ampeld.errors import AmpeldError


class LinkClosedError(AmpeldError):
    """The worker's end is closed."""


class Link(asyncio.Protocol):
    """Messages by way of one stream socket."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._come: deque[Up | NonsenseError] = deque()
        self._closed = self._nonsense = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    async def over(cls, end: socket.socket) -> "Link":
        """Return the link over a connected socket, which it closes in the end."""
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(cls, sock=end)
        return link

    @classmethod
    async def to_fork(cls) -> tuple["Link", socket.socket]:
        """Return a link, and the other end for a process that is to be forked."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            return await cls.over(ours), theirs
        except BaseException:
            ours.close()
            theirs.close()
            raise

    def send(self, message: Down) -> None:
        """Send without waiting; to a worker that is gone, nothing."""
        if self._transport is not None:
            self._transport.write(frame(message))

    async def receive(self, timeout_s: float) -> Up:
        """Return the next message.

        Raises
        ------
        TimeoutError
            If none has come by then; nothing is lost by that.
        LinkClosedError
            If none can come.
        NonsenseError
            If what has come is none.
        """
        if not self._come and not self._closed:
            self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._waiter}, timeout=timeout_s)
            self._waiter = None
        if self._come:
            message = self._come.popleft()
            if isinstance(message, NonsenseError):
                raise message
            return message
        if self._closed:
            raise LinkClosedError
        raise TimeoutError

    def close(self) -> None:
        """Close our end: a worker that waits for work ends."""
        if self._transport is not None:
            self._transport.close()

    def give_up(self) -> None:
        """Expect nothing more."""
        self._closed = True
        self._wake()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's do not derive from it

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  how it was lost, the exit status says
        """Tell who waits."""
        self._transport = None
        self.give_up()

    def data_received(self, data: bytes) -> None:
        """Cut messages from what has come; after nonsense, nothing more is believed."""
        if self._nonsense:
            return
        self._data += data
        try:
            while len(self._data) >= LENGTH.size:
                end = LENGTH.size + length_of(self._data[: LENGTH.size])
                if len(self._data) < end:
                    break
                message = read_up(bytes(self._data[LENGTH.size : end]))
                del self._data[:end]
                self._come.append(message)
        except NonsenseError as error:
            self._nonsense = True
            self._come.append(error)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
