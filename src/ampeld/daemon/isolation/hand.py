"""The daemon's hold on a worker that judges: ask it about a batch, and know where it is."""

import time
from collections.abc import Callable
from typing import Final

from ampeld.daemon.isolation.ending import Loss, WorkerLostError, closed
from ampeld.daemon.isolation.grip import Grip
from ampeld.daemon.isolation.link import LinkClosedError
from ampeld.daemon.isolation.marker import Whereabouts
from ampeld.daemon.isolation.messages import JUDGE, Answer, Cutout, NonsenseError, Task, Wanted

CutoutOf = Callable[[int, str], bytes | None]
"""From a candid and a name to an image of the batch that is being judged."""

# It may have been said a while ago: the worker may be in another channel by now.
NOBODY: Final = Whereabouts(serial=-1, channel=None, row=None, began_ns=1)

_SLACK_S: Final = 0.005


class Hand(Grip):
    """A worker that judges.

    Made by `Hand.take`, which takes the descriptors of the memory in which batches will lie.
    """

    role = JUDGE

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
                raise await self.lose(task, None if await self._ends() else closed(JUDGE)) from None
            except NonsenseError as error:
                raise await self.lose(task, f"the filter process talks nonsense: {error}", NOBODY) from None
            match message:
                case Answer() if message.serial == task.serial:
                    return message
                case Wanted(candid, name):
                    self._link.send(Cutout(cutout(candid, name)))
                case _:
                    raise await self.lose(task, "the filter process answers what it was not asked", NOBODY)

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
        buried = await self.bury(where)
        where = buried.where
        began = where is NOBODY or (where.serial == task.serial and where.began_ns != 0)
        channel = where.channel if began and where.channel in task.channels else None
        row = where.row if channel is not None and task.rows is not None and where.row in task.rows else None
        return WorkerLostError(Loss(channel, row, not began, why or buried.ending, buried.output))

    def _since(self, task: Task, sent: int) -> int:
        """Return when the channel that is asked now began, as far as the worker's word can be believed [ns]."""
        where = self._marker.read()
        if where.serial != task.serial:
            return sent
        return max(sent, min(where.began_ns, time.monotonic_ns()))
