"""The place of one worker that measures: a lost one is replaced, and what it had not done is done by the next."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final

import structlog

from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.messages import Done, Opened
from ampeld.daemon.measuring.hand import HandLostError, Lost, MeasuringHand
from ampeld.daemon.measuring.opening import Key
from ampeld.daemon.measuring.origins import Origins
from ampeld.daemon.measuring.rest import rest_of
from ampeld.errors import AmpeldError
from ampeld.feature.work import Case, Measurement

Result = Measurement | Lost | None
"""What became of a job; None: it was not measured."""
Results = list[list[Result]]
"""By case and job."""

PART: Final = 0.5
"""The part of the memory limit at which a worker is replaced, so that a leak ends before others run short."""
AGAIN_S: Final = 60.0
"""After which it is seen whether changed files are as they were again: a reload that finds them so does nothing."""
AT_ONCE: Final = 64
"""Cases of one message."""
_TRIES: Final = 3
"""Workers in succession that may be lost to nobody, before they have measured anything."""

log = structlog.get_logger("ampeld.measuring")


class Slot:
    """The place of one worker.

    Parameters
    ----------
    cradle
        Where workers come from; the slot is one of its users until it is closed.
    name
        What its worker does: for the log.
    origins
        What the units have to measure with; None: whatever the first worker opens.
    looks_again
        Whether a worker that has opened something else makes way from time to time for one that looks again. What
        the flow waits for does not.
    """

    def __init__(self, cradle: Cradle, name: str, origins: Origins | None = None, *, looks_again: bool = False) -> None:
        self.lost = 0
        """Workers that were lost here."""
        self.origins = origins
        self._looks_again = looks_again
        self._strangers: frozenset[Key] = frozenset()
        self._seen_s = 0.0
        self._cradle = cradle.hold()
        self._name = name
        self._hand: MeasuringHand | None = None

    @property
    def strangers(self) -> frozenset[Key]:
        """Return the units that the present worker must not measure: it has opened something else than results say."""
        return frozenset() if self._looks_again and time.monotonic() >= self._seen_s + AGAIN_S else self._strangers

    async def begin(self) -> Opened | None:
        """Take a worker, and return what it says of its units; None when there is one.

        Raises
        ------
        HandLostError
            If it is lost while it begins.
        """
        if self._hand is not None:
            if self.strangers == self._strangers:
                return None
            await self._hand.end()
            self._hand = None
        hand = await self._cradle.take(MeasuringHand.take)
        try:
            opened = await hand.open()
        except asyncio.CancelledError:
            await hand.end()
            raise
        self._strangers = frozenset() if self.origins is None else self.origins.strangers(opened)
        self._seen_s = time.monotonic()
        self._hand = hand
        return opened

    async def work(
        self,
        cases: Sequence[Case],
        *,
        deadline_s: float,
        until: float | None = None,
        grace_s: float = 0.0,
        left_out: Callable[[tuple[str, int]], bool] = lambda _: False,
    ) -> Results:
        """Measure; what costs a worker is told as lost, and its unit is left out from then on; the others are measured.

        Parameters
        ----------
        cases
            What to measure.
        deadline_s
            How long each job may take [s].
        until
            When no other job is begun, on the clock `time.monotonic`; None: never.
        grace_s
            How long the job may take that is under way by then [s].
        left_out
            Tells by name and configuration which units are not measured, and nothing that builds upon them.
        """
        results: Results = [[None] * len(case.jobs) for case in cases]
        pending = deque(range(len(cases)))
        lost: set[Key] = set()
        strange = 0
        while strange < _TRIES and (until is None or time.monotonic() < until):
            asked: list[tuple[int, Case, Sequence[int]]] = []
            out = lost | self.strangers
            # A message of thousands of points would hold up the daemon while it is written.
            while pending and len(asked) < AT_ONCE:
                number = pending.popleft()
                part = _rest(cases[number], results[number], out, left_out)
                if part is not None:
                    asked.append((number, *part))
            if not asked:
                break
            try:
                if await self.begin() is not None and self.strangers:
                    pending.extendleft(number for number, _, _ in reversed(asked))
                    continue
                assert self._hand is not None
                note = partial(_note, results, asked, self._name)
                work = [case for _, case, _ in asked]
                done = await self._hand.measure(
                    work, note, deadline_s=deadline_s, until=until, grace_s=grace_s, in_bulk=until is None
                )
            except HandLostError as error:
                has_done = self._hand is not None and not self._hand.is_fresh
                self._hand = None
                blamed = self._blame(error, asked, results)
                # Others would wait for a deadline of each of its jobs here.
                lost.update(blamed)
                strange = 0 if blamed or has_done else strange + 1
                pending.extendleft(number for number, _, _ in reversed(asked))
                continue
            await self._replace_full()
            if not done:
                break
        return results

    async def close(self) -> None:
        """End the worker; the channels' processes end with their last user."""
        if self._hand is not None:
            await self._hand.end()
            self._hand = None
        await self._cradle.close()

    def _blame(
        self, error: HandLostError, asked: Sequence[tuple[int, Case, Sequence[int]]], results: Results
    ) -> set[Key]:
        """Lay a lost worker at the door of the job that it was in; return its unit, if there is one."""
        self.lost += 1
        if error.job is None:
            log.warning("features.worker_lost", worker=self._name, unit=None, error=error.lost.error)
            return set()
        number, case, places = asked[error.job[0]]
        job = case.jobs[error.job[1]]
        log.warning("features.worker_lost", worker=self._name, unit=job.unit, error=error.lost.error)
        results[number][places[error.job[1]]] = error.lost
        return {(job.unit, job.config)}

    async def _replace_full(self) -> None:
        assert self._hand is not None
        limits = self._cradle.setup.measuring
        assert limits is not None
        if self._hand.memory_kb > PART * limits.memory_mb * 1024:
            log.info("features.worker_replaced", worker=self._name, memory_mb=self._hand.memory_kb // 1024)
            await self._hand.end()
            self._hand = None


def _rest(
    case: Case, results: Sequence[Result], out: AbstractSet[Key], left_out: Callable[[Key], bool]
) -> tuple[Case, Sequence[int]] | None:
    done = {position: result for position, result in enumerate(results) if isinstance(result, Measurement)}
    skipped = [
        position
        for position, (job, result) in enumerate(zip(case.jobs, results, strict=True))
        if isinstance(result, Lost)
        or (position not in done and ((key := (job.unit, job.config)) in out or left_out(key)))
    ]
    return rest_of(case, done, skipped)


def _note(results: Results, asked: Sequence[tuple[int, Case, Sequence[int]]], name: str, done: Done) -> None:
    if not (0 <= done.case < len(asked) and 0 <= done.job < len(asked[done.case][2])):
        raise StrangeAnswerError(f"job {done.job} of case {done.case}")
    number, case, places = asked[done.case]
    results[number][places[done.job]] = done.measurement
    if done.printed:
        log.warning("feature.output", worker=name, unit=case.jobs[done.job].unit, text=done.printed)


class StrangeAnswerError(AmpeldError):
    """A worker tells of a job that it was not given."""
