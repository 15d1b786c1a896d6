"""The daemon's grip on a worker, whatever its work: have it forked, see it end, end it and learn how it was."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from ampeld.daemon.isolation.ending import words_of_status
from ampeld.daemon.isolation.guard import TELL
from ampeld.daemon.isolation.link import Link
from ampeld.daemon.isolation.marker import Marker, Whereabouts
from ampeld.daemon.isolation.messages import Role
from ampeld.daemon.isolation.nursery import Nursery, NurseryLostError

_TELL_S: Final = 1.0
_STACK: Final = b"(most recent call first)"
"""In the line above the frames that `faulthandler` writes."""
_FRAMES_S: Final = 0.05
_LAST_WORDS_S: Final = 0.02
_END_S: Final = 0.2


class Burial(msgspec.Struct, frozen=True):
    """What is known of a worker that was killed, or has ended by itself."""

    where: Whereabouts
    ending: str
    """How it ended, in words."""
    output: str
    """What it wrote last: with the stack of a crash, of an endless loop, or of our own mistake."""
    orphaned: bool
    """Whether the nursery was lost too: then it is not said that the worker ended by what it did."""


class Grip:
    """A worker.

    Made by `Grip.take`.
    """

    role: Role

    def __init__(self, nursery: Nursery, pid: int, link: Link, marker: Marker) -> None:
        self.pid = pid
        self._nursery = nursery
        self._link = link
        self._marker = marker
        # A copy that a filter made of the worker keeps its end of the socket open: its end is told by the kernel.
        self._alive: int | None = os.pidfd_open(pid)
        self._gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._alive, self._ended)

    @classmethod
    async def take(cls, nursery: Nursery, fds: Sequence[int] = ()) -> Self:
        """Fork a worker.

        Parameters
        ----------
        nursery
            Where from.
        fds
            Descriptors that it needs beside its own: of the memory in which batches will lie.

        Raises
        ------
        NurseryLostError
            If the nursery makes none.
        """
        link, theirs = await Link.to_fork()
        memory = Marker.create()
        try:
            marker = Marker(memory)
            pid = await nursery.fork(cls.role, [theirs.fileno(), memory, *fds])
        except BaseException:
            link.close()  # should there be a worker nevertheless, it ends
            raise
        finally:
            theirs.close()
            os.close(memory)
        return cls(nursery, pid, link, marker)

    async def end(self) -> None:
        """Kill it; that it may be gone already does not matter."""
        self._let_go()
        with contextlib.suppress(NurseryLostError):
            await self._nursery.bury(self.pid)

    async def bury(self, where: Whereabouts | None = None) -> Burial:
        """Kill it and see how it was.

        Parameters
        ----------
        where
            Where it was; by default, where it is now.
        """
        where = where or self._marker.read()
        self._let_go()
        ending, orphaned = "the process that it comes from was killed", True
        with contextlib.suppress(NurseryLostError):
            ending, orphaned = words_of_status(await self._nursery.bury(self.pid), self.role), False
        return Burial(where, ending, self._nursery.outputs[self.role].take(), orphaned)

    async def _ends(self) -> bool:
        """Wait a moment for a worker that seems to end, so that its author learns how; tell whether it did."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._gone.wait()
        return self._gone.is_set()

    async def _tell(self) -> None:
        """Let it write down where it is, as soon as it gets a core."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, TELL)
            if await self._nursery.outputs[self.role].holds(_STACK, _TELL_S):
                await asyncio.sleep(_FRAMES_S)

    def _ended(self) -> None:
        self._gone.set()
        self._unwatch()
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._link.give_up)  # what it said before still comes

    def _let_go(self) -> None:
        self._unwatch()
        self._link.close()

    def _unwatch(self) -> None:
        if self._alive is not None:
            asyncio.get_running_loop().remove_reader(self._alive)
            os.close(self._alive)
            self._alive = None
