"""A bounded pipe between two stages: two ends, each closed once, with statistics.

Data flows left to right: ``sender, receiver = open_pipe("decoded", capacity=4)``.
The last sender to close ends the stream: the receiver drains what is there, then its loop ends.
A receiver that closes breaks the pipe: a sender that waits or sends gets `ReceiverGoneError`.
"""

import asyncio
from collections import deque
from typing import Generic, Self, TypeVar

import msgspec

from ampeld.errors import AmpeldError

T = TypeVar("T")


class EndOfPipeError(AmpeldError):
    """Every sender has closed and nothing is left: the normal end."""


class ReceiverGoneError(AmpeldError):
    """The receiving stage has ended: what is sent would reach nobody."""


class PipeStatistics(msgspec.Struct, frozen=True):
    """How full a pipe is and has been, so that its capacity can be chosen from a run."""

    name: str
    capacity: int
    size: int
    peak: int
    passed: int


class _Pipe(Generic[T]):
    def __init__(self, name: str, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a pipe holds at least one item, not {capacity}")
        self.name = name
        self.capacity = capacity
        self.items: deque[T] = deque()
        self.senders = 0
        self.receiving = True
        self.peak = 0
        self.passed = 0
        self.readers: deque[asyncio.Future[None]] = deque()
        self.writers: deque[asyncio.Future[None]] = deque()

    def statistics(self) -> PipeStatistics:
        return PipeStatistics(self.name, self.capacity, len(self.items), self.peak, self.passed)


def _wake(waiters: deque[asyncio.Future[None]], *, everyone: bool = False) -> None:
    while waiters:
        waiter = waiters.popleft()
        if not waiter.done():
            waiter.set_result(None)
            if not everyone:
                return


async def _wait(waiters: deque[asyncio.Future[None]]) -> None:
    waiter = asyncio.get_running_loop().create_future()
    waiters.append(waiter)
    try:
        await waiter
    except asyncio.CancelledError:
        if waiter.done() and not waiter.cancelled():
            _wake(waiters)  # the wake-up that this task will not use belongs to the next one
        raise


class Sender(Generic[T]):
    """The writing end; `clone` it for fan-in, close every clone."""

    def __init__(self, pipe: _Pipe[T]) -> None:
        self._pipe = pipe
        self._closed = False
        pipe.senders += 1

    @property
    def statistics(self) -> PipeStatistics:
        """Return how full the pipe is and has been."""
        return self._pipe.statistics()

    @property
    def has_room(self) -> bool:
        """Tell whether `send` would return at once."""
        return len(self._pipe.items) < self._pipe.capacity

    async def send(self, item: T) -> None:
        """Pass an item on, waiting while the pipe is full.

        Raises
        ------
        ReceiverGoneError
            If the receiver has closed.
        """
        pipe = self._pipe
        while pipe.receiving and len(pipe.items) >= pipe.capacity:
            await _wait(pipe.writers)
        if not pipe.receiving:
            raise ReceiverGoneError(f"nobody receives from pipe {pipe.name!r}")
        pipe.items.append(item)
        pipe.passed += 1
        pipe.peak = max(pipe.peak, len(pipe.items))
        _wake(pipe.readers)

    async def wait_for_room(self) -> None:
        """Wait until `send` would return at once, or the receiver has gone."""
        while self._pipe.receiving and not self.has_room:
            await _wait(self._pipe.writers)

    def clone(self) -> "Sender[T]":
        """Return another end of the same pipe."""
        return Sender(self._pipe)

    def close(self) -> None:
        """Close this end; the last one to close ends the stream. Closing twice is closing once."""
        if not self._closed:
            self._closed = True
            self._pipe.senders -= 1
            if not self._pipe.senders:
                _wake(self._pipe.readers, everyone=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Receiver(Generic[T]):
    """The reading end: an async iterator that ends when the last sender has closed and all is read."""

    def __init__(self, pipe: _Pipe[T]) -> None:
        self._pipe = pipe

    @property
    def statistics(self) -> PipeStatistics:
        """Return how full the pipe is and has been."""
        return self._pipe.statistics()

    async def receive(self) -> T:
        """Take the next item, waiting while there is none.

        Raises
        ------
        EndOfPipeError
            If every sender has closed and all is read.
        """
        pipe = self._pipe
        while not pipe.items:
            if not pipe.senders:
                raise EndOfPipeError(pipe.name)
            await _wait(pipe.readers)
        item = pipe.items.popleft()
        _wake(pipe.writers)
        return item

    def receive_nowait(self) -> T | None:
        """Take the next item if one is there."""
        if not self._pipe.items:
            return None
        item = self._pipe.items.popleft()
        _wake(self._pipe.writers)
        return item

    def close(self) -> None:
        """Break the pipe: senders learn that nobody receives."""
        self._pipe.receiving = False
        self._pipe.items.clear()
        _wake(self._pipe.writers, everyone=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.receive()
        except EndOfPipeError:
            raise StopAsyncIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_pipe(name: str, capacity: int) -> tuple[Sender[T], Receiver[T]]:
    """Return the two ends of a new pipe that holds at most ``capacity`` items."""
    pipe: _Pipe[T] = _Pipe(name, capacity)
    return Sender(pipe), Receiver(pipe)
