"""The daemon's hold on a worker that measures: give it cases, hear of each job, and know in which one it is."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ampeld.daemon.isolation.ending import closed
from ampeld.daemon.isolation.grip import Grip
from ampeld.daemon.isolation.link import LinkClosedError
from ampeld.daemon.isolation.marker import Whereabouts
from ampeld.daemon.isolation.messages import MEASURE, Done, Enough, Finished, Measure, NonsenseError, Opened, Up
from ampeld.errors import AmpeldError
from ampeld.feature.work import Case, Measurement
from ampeld.flow.codes import EXCEPTION

OPEN_S: Final = 60.0
"""How long the units may take to open what they need."""
_SLACK_S: Final = 0.005

OnDone = Callable[[Done], None]


class Lost(msgspec.Struct, frozen=True):
    """A job that cost a worker."""

    error: str
    """What it did: in words, and with what the worker wrote last."""
    overran: bool
    """Whether it took too long; else the worker ended, or talked nonsense."""
    ms: float
    """How long it had taken by then [ms]."""


class HandLostError(AmpeldError):
    """A worker is gone; ``job`` is the number of the case and the position of the job that it was in, None for none."""

    def __init__(self, lost: Lost, job: tuple[int, int] | None) -> None:
        super().__init__(lost.error)
        self.lost = lost
        self.job = job


class MeasuringHand(Grip):
    """A worker that measures.

    Made by `MeasuringHand.take`; asked to `open` before anything else.
    """

    role = MEASURE

    async def open(self) -> Opened:
        """Wait until its units have what they need; return what it says of them.

        Raises
        ------
        HandLostError
            If it is lost on the way; it has been buried.
        """
        self.memory_kb = 0
        """What it has taken beyond what it began with, when it was last told [KiB]."""
        self.is_fresh = True
        """Whether it has not measured anything yet."""
        self._serial = 0
        try:
            message = await self._link.receive(OPEN_S)
        except TimeoutError:
            await self._tell()
            raise await self._lose(f"the units are not opened after {OPEN_S:g} s", None) from None
        except (LinkClosedError, NonsenseError):
            await self._ends()
            raise await self._lose(None, None) from None
        assert isinstance(message, Opened)
        return message

    async def measure(
        self,
        cases: Sequence[Case],
        on_done: OnDone,
        *,
        deadline_s: float,
        until: float | None,
        grace_s: float,
        in_bulk: bool,
    ) -> bool:
        """Measure; return whether all is done.

        Parameters
        ----------
        cases
            What to measure.
        on_done
            Told of each job that is.
        deadline_s
            How long each job may take [s].
        until
            When no other job is begun, on the clock `time.monotonic`; None: never.
        grace_s
            How long the job may take that is under way by then [s].
        in_bulk
            Whether it may tell of some jobs of authors' units at a time.

        Raises
        ------
        HandLostError
            If it is lost on the way; it has been buried.
        """
        self._serial += 1
        self._link.send(Measure(self._serial, list(cases), in_bulk))
        heard, told = time.monotonic(), False
        stop = until
        while True:
            now = time.monotonic()
            since = self._since(heard)
            if stop is not None and now >= stop:
                if told:
                    raise await self._overran("took longer than there was time for", now - since)
                self._link.send(Enough())
                told, stop = True, now + grace_s
            if now - since >= deadline_s:
                raise await self._overran(f"took longer than {deadline_s:g} s", now - since)
            wait_s = since + deadline_s - now if stop is None else min(since + deadline_s, stop) - now
            match message := await self._hear(max(wait_s, 0.0) + _SLACK_S):
                case None:
                    continue
                case Done(serial=self._serial) if not self.is_fresh and _is_short_of_memory(message.measurement):
                    # What was measured before may have eaten it: it is measured again by one that is fresh.
                    buried = await self.bury()
                    raise HandLostError(Lost(f"short of memory: {buried.ending}", overran=False, ms=0.0), None)
                case Done(serial=self._serial):
                    heard = time.monotonic()
                    self.is_fresh = False
                    on_done(message)
                case Finished(serial=self._serial, memory_kb=kb):
                    self.memory_kb = kb
                    return not told
                case _:
                    raise await self._lose("the process answers what it was not asked", None)

    async def _hear(self, within_s: float) -> Up | None:
        """Return the next message; None when none has come."""
        try:
            return await self._link.receive(within_s)
        except TimeoutError:
            return None
        except LinkClosedError:
            ended = await self._ends()
            raise await self._lose(None if ended else closed(MEASURE), None) from None
        except NonsenseError as error:
            raise await self._lose(f"the process talks nonsense: {error}", None) from None

    def _since(self, heard: float) -> float:
        """Return when the present job began, as far as the worker's word can be believed, or what was last heard."""
        where = self._marker.read()
        if where.serial != self._serial:
            return heard
        return max(heard, min(where.began_ns / 1e9, time.monotonic()))

    async def _overran(self, why: str, seconds: float) -> HandLostError:
        where = self._marker.read()  # before it is told to tell, which may wake it up
        await self._tell()
        return await self._lose(why, where, overran_s=seconds)

    async def _lose(
        self, why: str | None, where: Whereabouts | None, *, overran_s: float | None = None
    ) -> HandLostError:
        buried = await self.bury(where)
        where = buried.where
        job = None
        if where.serial == self._serial and where.channel is not None and where.row is not None and not buried.orphaned:
            job = where.channel, where.row
        error = f"{why or buried.ending}\n{buried.output}".strip()
        return HandLostError(Lost(error, overran=overran_s is not None, ms=(overran_s or 0.0) * 1e3), job)


def _is_short_of_memory(measurement: Measurement) -> bool:
    if measurement.code != EXCEPTION or not measurement.error:
        return False
    return "MemoryError" in measurement.error.rstrip().rpartition("\n")[2].partition(":")[0]
