"""What became of measurements, by unit, in the flow and from tickets; and whose they were that failed, for the log."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from ampeld.alert.survey import SurveyName, survey_of
from ampeld.channel.channel import Channel
from ampeld.feature.work import Measurement
from ampeld.flow.codes import NAMES
from ampeld.flow.wanted import closure
from ampeld.stages.measure import FeatureFailure
from ampeld.store.documents import FeatureKey

AGAIN_S: Final = 30.0
"""After which the log tells again that a unit fails."""
MOST_ERROR: Final = 2000
"""Characters of an error that are logged: its end, where the exception is."""

log = structlog.get_logger("ampeld.features")


def contacts_of(key: tuple[str, int], channels: Iterable[Channel]) -> list[str]:
    """Return whom to tell of a unit: the contacts of the channels that ask for it, or for what builds upon it."""
    return sorted(
        {one.contact for one in channels if any(key == r.key for r in closure(w.recipe for w in one.features))}
    )


class Count(msgspec.Struct):
    """The sums of one unit since this process began."""

    in_flow: int = 0
    """Measured in the flow."""
    from_tickets: int = 0
    """Measured from tickets."""
    failed: int = 0
    """Of both together, those without a result."""
    retried: int = 0
    """Tickets that wait for another try: their measurement overran, or ended its process."""
    ms: float = 0.0
    """Of all measurements together [ms]."""
    waiting: int = 0
    """Tickets of all daemons, when they were counted last."""
    since: float | None = None
    """When the oldest of them was asked for [s since the epoch]."""

    @property
    def mean_ms(self) -> float | None:
        """Return how long one takes [ms]."""
        done = self.in_flow + self.from_tickets
        return round(self.ms / done, 3) if done else None


class Tally:
    """The sums of all units.

    Parameters
    ----------
    survey
        Whose objects they measure.
    clock
        Monotonic seconds.
    """

    def __init__(self, survey: SurveyName = "ztf", clock: Callable[[], float] = time.monotonic) -> None:
        self.by_unit: dict[str, Count] = {}
        self.refused = 0
        """Results from tickets that came when their lease had ended."""
        self.channels: Sequence[Channel] = ()
        """Those in force: whom to tell."""
        self._name_of = survey_of(survey).name_of
        self._clock = clock
        self._told: dict[tuple[str, bool], tuple[float, int]] = {}

    def of(self, unit: str) -> Count:
        """Return the sums of a unit, to be added to."""
        return self.by_unit.setdefault(unit, Count())

    def measured(self, unit: str, measurement: Measurement, *, in_flow: bool) -> None:
        """Count a measurement, failed or not."""
        count = self.of(unit)
        count.in_flow += in_flow
        count.from_tickets += not in_flow
        count.failed += measurement.code < 0
        count.ms += measurement.ms

    def waiting(self, lengths: Mapping[str, tuple[int, float | None]]) -> None:
        """Take by unit how many tickets wait, and since when."""
        for unit in {*self.by_unit, *lengths}:
            count = self.of(unit)
            count.waiting, count.since = lengths.get(unit, (0, None))

    def tell(
        self, key: FeatureKey, channels: Sequence[str], *, code: int, error: str, trial: tuple[int, int] | None = None
    ) -> None:
        """Log that a measurement failed: of each unit once in half a minute, with how many it were meanwhile.

        Parameters
        ----------
        key
            The feature.
        channels
            Who asked for it.
        code
            What its document says now.
        error
            The traceback, or what happened.
        trial
            Where it is tried again: which trial this was, and of how many.
        """
        now = self._clock()
        # What failed for good is told, however many are tried again.
        which = key.unit, trial is None
        told, more = self._told.get(which, (-AGAIN_S, 0))
        if now - told < AGAIN_S:
            self._told[which] = told, more + 1
            return
        self._told[which] = now, 0
        if trial is None:
            came: dict[str, Any] = {"code": code, "meaning": NAMES.get(code, "the unit's own")}
        else:
            came = {"trial": trial[0], "of": trial[1], "meaning": "it cost its process, and is tried again"}
        contacts = {one.name: one.contact for one in self.channels if one.name in channels}
        log.error(
            "feature.failed",
            unit=key.unit,
            config=key.config,
            object=self._object(key.stock),
            channels=list(channels),
            contact=sorted(set(contacts.values())),
            **came,
            error=error[-MOST_ERROR:],
            failed_meanwhile=more,
        )

    def failed_in_flow(self, failure: FeatureFailure) -> None:
        """Log a measurement of the flow that failed."""
        self.tell(failure.key, failure.channels, code=failure.code, error=failure.error)

    def status(self) -> dict[str, Any]:
        """Return the sums as the status page shows them."""
        return {
            unit: msgspec.to_builtins(count) | {"mean_ms": count.mean_ms}
            for unit, count in sorted(self.by_unit.items())
        }

    def _object(self, stock: int) -> str:
        try:
            return self._name_of(stock)
        except ValueError:
            return str(stock)
