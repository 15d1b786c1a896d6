"""The daemon's hold on a worker: ask it about a batch, know where it is, and end it."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

from ampeld.daemon.isolation.ending import CLOSED, Loss, WorkerLostError, words_of_status
from ampeld.daemon.isolation.guard import TELL
from ampeld.daemon.isolation.link import Link, LinkClosedError
from ampeld.daemon.isolation.marker import Marker, Whereabouts
from ampeld.daemon.isolation.messages import Answer, Cutout, NonsenseError, Task, Wanted
from ampeld.daemon.isolation.nursery import Nursery, NurseryLostError

CutoutOf = Callable[[int, str], bytes | None]
"""From a candid and a name to an image of the batch that is being judged."""

# It may have been said a while ago: the worker may be in another channel by now.
NOBODY: Final = Whereabouts(serial=-1, channel=None, row=None, began_ns=1)

_TELL_S: Final = 0.1
_LAST_WORDS_S: Final = 0.02
_END_S: Final = 0.2
_SLACK_S: Final = 0.005


class Hand:
    """A worker.

    Made by `Hand.take`.
    """

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
    async def take(cls, nursery: Nursery, segments: Sequence[int]) -> "Hand":
        """Fork a worker.

        Parameters
        ----------
        nursery
            Where from.
        segments
            Descriptors of the memory in which batches will lie.
        """
        ours, theirs = socket.socketpair()
        memory = Marker.create()
        try:
            marker = Marker(memory)
            pid = await nursery.fork([theirs.fileno(), memory, *segments])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(memory)
        ours.setblocking(False)
        return cls(nursery, pid, await Link.over(ours), marker)

    async def ask(self, task: Task, deadline_s: float, cutout: CutoutOf) -> Answer:
        """Return the worker's answer.

        Parameters
        ----------
        task
            What to judge.
        deadline_s
            How long each channel may take [s].
        cutout
            Called for images that a filter wants to see.

        Raises
        ------
        WorkerLostError
            If there is none: it overran, ended, or talked nonsense. It has been buried.
        """
        sent = time.monotonic_ns()
        self._link.send(task)
        left_s = deadline_s
        while True:
            try:
                message = await self._link.receive(max(left_s, 0.0) + _SLACK_S)
            except TimeoutError:
                left_s = deadline_s - (time.monotonic_ns() - self._since(task, sent)) / 1e9
                if left_s > 0:
                    continue  # it has gone on to another channel meanwhile
                where = self._marker.read()  # before it is told to tell, which may wake it up
                await self._tell()
                why = f"took longer than channels.deadline_s = {deadline_s:g}"
                raise await self.lose(task, why, where) from None
            except LinkClosedError:
                raise await self.lose(task, None if await self._ends() else CLOSED) from None
            except NonsenseError as error:
                raise await self.lose(task, f"the filter process talks nonsense: {error}", NOBODY) from None
            match message:
                case Answer() if message.serial == task.serial:
                    return message
                case Wanted(candid, name):
                    self._link.send(Cutout(cutout(candid, name)))
                case _:
                    raise await self.lose(task, "the filter process answers what it was not asked", NOBODY)

    async def end(self) -> None:
        """Kill it; that it may be gone already does not matter."""
        self._let_go()
        with contextlib.suppress(NurseryLostError):
            await self._nursery.bury(self.pid)

    async def lose(self, task: Task, why: str | None = None, where: Whereabouts | None = None) -> WorkerLostError:
        """Kill it and see where it was; return the error to raise.

        Parameters
        ----------
        task
            What it was asked.
        why
            What was wrong with it; by default, how it ended.
        where
            Where it was; by default, where it is now.
        """
        where = where or self._marker.read()
        self._let_go()
        try:
            ending = words_of_status(await self._nursery.bury(self.pid))
        except NurseryLostError:
            ending = "the process that the filter processes come from was killed"
        began = where is NOBODY or (where.serial == task.serial and where.began_ns != 0)
        channel = where.channel if began and where.channel in task.channels else None
        row = where.row if channel is not None and task.rows is not None and where.row in task.rows else None
        return WorkerLostError(Loss(channel, row, not began, why or ending, self._nursery.output.take()))

    async def _ends(self) -> bool:
        """Wait a moment for a worker that seems to end, so that its author learns how; tell whether it did."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._gone.wait()
        return self._gone.is_set()

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

    def _since(self, task: Task, sent: int) -> int:
        """Return when the channel that is asked now began, as far as the worker's word can be believed [ns]."""
        where = self._marker.read()
        if where.serial != task.serial:
            return sent
        return max(sent, min(where.began_ns, time.monotonic_ns()))

    async def _tell(self) -> None:
        """Let it write down where it is."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, TELL)
            await asyncio.sleep(_TELL_S)
