"""A measurer that runs units in place, counts what it measures, and can be told not to be in time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter

from ampeld.feature.unit import Unit
from ampeld.feature.work import Case, Measurement, measure_case


class InPlaceMeasurer:
    """The `Measurer` port without processes.

    Attributes
    ----------
    measured
        How often each (unit, link) was measured.
    late
        Names of units that never end within the budget.
    cases
        All cases that were handed in.
    """

    def __init__(self, units: Mapping[tuple[str, int], Unit]) -> None:
        self.units = units
        self.traces: Mapping[tuple[str, int], int] = {key: number for number, key in enumerate(units, start=100)}
        self.measured: Counter[tuple[str, int]] = Counter()
        self.late: set[str] = set()
        self.cases: list[Case] = []

    async def measure(self, cases: Sequence[Case], *, budget_s: float) -> list[list[Measurement | None]]:
        self.cases += cases
        return [self._measure(case) for case in cases]

    def _measure(self, case: Case) -> list[Measurement | None]:
        came: list[Measurement | None] = [None] * len(case.jobs)
        for place, measurement in measure_case(case, self.units, perf_counter):
            job = case.jobs[place]
            if job.unit in self.late:
                return came
            self.measured[job.unit, job.link] += 1
            came[place] = measurement
        return came
