"""A worker that measures: opens the channels' units, measures case after case, and says at which job it is."""

import time
import traceback
from typing import Final

from ampeld.daemon.isolation.loading import Loaded
from ampeld.daemon.isolation.messages import Done, Finished, Measure, Opened, Setup
from ampeld.daemon.isolation.station import Station
from ampeld.daemon.measuring.opening import Key, open_units
from ampeld.daemon.measuring.rest import to_measure
from ampeld.feature.work import MOST_TRACEBACK, Measurement, is_ours, measure_case
from ampeld.flow.codes import ERROR

QUICK_MS: Final = 1.0
"""What took less is likely to do so again."""


class MeasuringWorker:
    """The forked process.

    Parameters
    ----------
    setup
        The limits.
    loaded
        The channels' units, opened by nobody.
    fds
        The socket and the marker's memory.
    """

    def __init__(self, setup: Setup, loaded: Loaded, fds: list[int]) -> None:
        assert setup.measuring is not None
        self._station = Station(fds)
        opening = open_units(loaded.units, loaded.found)
        self._units = opening.units
        # What the units have opened (models, maps) does not count, and a library may have started its threads.
        self._memory = self._station.wall_in(setup.measuring.memory_mb, "unit")
        self._began_kb = self._memory.kb()
        self._ms: dict[Key, float] = {}
        """How long each unit took the last time."""
        failed = [(*key, error) for key, error in opening.failed.items()]
        self._station.send(Opened(failed, list(opening.traces.values())))

    def run(self) -> None:
        """Measure until the daemon closes the socket."""
        while (task := self._station.receive()) is not None:
            if isinstance(task, Measure):
                self._station.marker.begin(task.serial)
                self._measure(task)
                self._station.send(Finished(task.serial, self._memory.kb() - self._began_kb))

    def _measure(self, task: Measure) -> None:
        for number, case in enumerate(task.cases):
            measuring = measure_case(case, self._units, time.monotonic)
            for position in to_measure(case):
                key = case.jobs[position].unit, case.jobs[position].config
                if not self._may_hold(key, task):
                    self._station.let_go()
                if self._station.has_word():
                    return  # it says that it is enough: `run` reads it
                self._station.marker.enter(number, position, time.monotonic_ns())
                _, measurement = next(measuring)
                self._station.look_round()
                self._station.marker.leave()
                self._ms[key] = measurement.ms
                printed, _ = self._station.capture.take()
                try:
                    self._station.hold(Done(task.serial, number, position, measurement, printed))
                except (TypeError, ValueError, OverflowError):  # of a subclass of a plain type that no message can hold
                    error = traceback.format_exc()[-MOST_TRACEBACK:]
                    self._station.hold(
                        Done(task.serial, number, position, Measurement(ERROR, None, error, measurement.ms))
                    )

    def _may_hold(self, key: Key, task: Measure) -> bool:
        """Tell whether what is measured may wait until this unit is through: not for what may take long.

        Nor for what may end the process, unless it does not matter that all is measured again.
        """
        return self._ms.get(key, QUICK_MS) < QUICK_MS and (task.in_bulk or is_ours(self._units[key]))
