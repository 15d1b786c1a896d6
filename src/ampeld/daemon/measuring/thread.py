"""The place of one thread that measures in the daemon: for debugging, and where the units' code may be trusted."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from ampeld.daemon.measuring.hand import Lost
from ampeld.daemon.measuring.rest import rest_of, to_measure
from ampeld.daemon.measuring.slot import Results
from ampeld.feature.work import Case, Units, measure_case

log = structlog.get_logger("ampeld.measuring")


class ThreadSlot:
    """The place of one thread; a loop without end is not stopped, only left behind.

    Parameters
    ----------
    units
        By name and configuration, opened.
    """

    def __init__(self, units: Units) -> None:
        self.lost = 0
        """Threads that were left behind."""
        self.strangers: frozenset[tuple[str, int]] = frozenset()
        """None: every thread measures with what was opened once."""
        self._units = units
        self._thread = self._start()

    async def work(
        self,
        cases: Sequence[Case],
        *,
        deadline_s: float,
        until: float | None = None,
        grace_s: float = 0.0,
        left_out: Callable[[tuple[str, int]], bool] = lambda _: False,
    ) -> Results:
        """Measure, as `ampeld.daemon.measuring.slot.Slot.work` does; memory and crashes are the daemon's own."""
        work = _Work(cases, self._units, until, left_out)
        future = asyncio.get_running_loop().run_in_executor(self._thread, work.run)
        while True:
            left_s = deadline_s - work.seconds
            if until is not None:
                left_s = min(left_s, max(until + grace_s - time.monotonic(), 0.0))
            done, _ = await asyncio.wait({future}, timeout=max(left_s, 0.001))
            if done:
                future.result()  # raises what is our own mistake
                return work.results
            late = until is not None and time.monotonic() >= until + grace_s
            if work.at is not None and (late or work.seconds >= deadline_s):
                return self._leave_behind(work)

    async def close(self) -> None:
        """Let go of the thread; one that does not come back is left behind."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _leave_behind(self, work: "_Work") -> Results:
        assert work.at is not None
        number, position = work.at
        unit = work.cases[number].jobs[position].unit
        log.error("features.thread_left_behind", unit=unit, seconds=round(work.seconds, 3))
        work.stopped = True
        self.lost += 1
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = self._start()
        results = [list(of_case) for of_case in work.results]
        results[number][position] = Lost(f"took longer than {work.seconds:g} s", overran=True, ms=work.seconds * 1e3)
        return results

    @staticmethod
    def _start() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="features")


class _Work:
    """What the thread does, and where it is."""

    def __init__(
        self, cases: Sequence[Case], units: Units, until: float | None, left_out: Callable[[tuple[str, int]], bool]
    ) -> None:
        self.cases = cases
        self.results: Results = [[None] * len(case.jobs) for case in cases]
        self.at: tuple[int, int] | None = None
        self.stopped = False
        self._began = time.monotonic()
        self._units = units
        self._until = until
        self._left_out = left_out

    @property
    def seconds(self) -> float:
        """Return for how long the present job has been measured [s]."""
        return time.monotonic() - self._began

    def run(self) -> None:
        for number, case in enumerate(self.cases):
            out = [i for i, job in enumerate(case.jobs) if self._left_out((job.unit, job.config))]
            rest = rest_of(case, {}, out)
            if rest is not None:
                self._measure(number, *rest)
        self.at = None

    def _measure(self, number: int, case: Case, places: Sequence[int]) -> None:
        measuring = measure_case(case, self._units, time.monotonic)
        for position in to_measure(case):
            if self.stopped or (self._until is not None and time.monotonic() >= self._until):
                return
            self._began = time.monotonic()
            self.at = number, places[position]
            _, measurement = next(measuring)
            if not self.stopped:
                self.results[number][places[position]] = measurement
