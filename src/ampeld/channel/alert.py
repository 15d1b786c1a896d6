"""One alert as authors see it in ``accept``: plain values, by name."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.table import AlertTable, Kind, names
from ampeld.channel.names import did_you_mean


class Fields(Mapping[str, Any]):
    """The fields of a point, read-only: ``point["rb"]`` or ``point.rb``.

    Values are as the survey sent them (``isdiffpos`` is text), but a number that is not finite reads as None.
    As an attribute, a field that the survey knows and this alert lacks is None.
    """

    __slots__ = ("_fields", "_known")

    def __init__(self, fields: Mapping[str, Any], known: Sequence[str]) -> None:
        self._fields = fields
        self._known = known

    def __getitem__(self, name: str) -> Any:
        value = self._fields[name]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            return self[name]
        if name.startswith("_") or name not in self._known:
            raise AttributeError(f"there is no field {name!r}{did_you_mean(name, [*self._fields, *self._known])}")
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self)}>"


class PointFields(Fields):
    """A detection or upper limit of an alert's history, with its age at the time of the alert."""

    __slots__ = ("_at",)

    def __init__(self, fields: Mapping[str, Any], known: Sequence[str], at_jd: float) -> None:
        super().__init__(fields, known)
        self._at = at_jd

    @property
    def age_days(self) -> float:
        """Return how long before the alert it was observed [d]."""
        return self._at - float(self["jd"])


class Points(Sequence[PointFields]):
    """Points by ascending jd; a field of all of them is an attribute: ``alert.detections.magpsf``.

    Such an array is float64 (NaN where missing), int64 (float64 when any is missing) or, for text, object.
    """

    def __init__(self, points: Sequence[PointFields], column: Callable[[str], NDArray[Any]]) -> None:
        self._points = points
        self._column = column

    @overload
    def __getitem__(self, index: int) -> PointFields: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PointFields]: ...
    def __getitem__(self, index: int | slice) -> PointFields | Sequence[PointFields]:
        return self._points[index]

    def __len__(self) -> int:
        return len(self._points)

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._column(name)


class History:
    """What an alert says of its object's past, the alert itself among it."""

    def __init__(self, detections: Sequence[PointFields], limits: Sequence[PointFields]) -> None:
        self._detections = detections
        self._limits = limits

    @cached_property
    def points(self) -> tuple[PointFields, ...]:
        """Return detections and upper limits by ascending jd."""
        return tuple(sorted((*self._detections, *self._limits), key=lambda point: -point.age_days))

    @property
    def first_detection(self) -> PointFields:
        """Return the earliest detection that the alert brings."""
        return self._detections[0]

    @property
    def age_days(self) -> float:
        """Return the time since the first detection [d]."""
        return self.first_detection.age_days

    @property
    def last_limit(self) -> PointFields | None:
        """Return the newest upper limit, or None when there is none."""
        return self._limits[-1] if self._limits else None

    @property
    def last_limit_before(self) -> PointFields | None:
        """Return the newest upper limit before the first detection, or None when there is none."""
        first = self.first_detection.age_days
        return next((limit for limit in reversed(self._limits) if limit.age_days > first), None)


class Alert:
    """One alert that passed all cuts.

    Parameters
    ----------
    table
        The batch.
    row
        Which of its alerts.
    """

    def __init__(self, table: AlertTable, row: int) -> None:
        self._table = table
        self._row = row

    def __repr__(self) -> str:
        return f"<Alert {self.candid} of {self.object}>"

    @property
    def object(self) -> str:
        """Return the survey's name of the object."""
        return self._table.object[self._row]

    @property
    def candid(self) -> int:
        """Return the number of the alert."""
        return int(self._table.candid[self._row])

    @cached_property
    def candidate(self) -> Fields:
        """Return the measurement that the alert was sent for."""
        return Fields(self._table.packet(self._row)["candidate"], names("candidate"))

    @cached_property
    def detections(self) -> Points:
        """Return the detections by ascending jd, the candidate among them."""
        return self._points("detections", self._table.detections(self._row))

    @cached_property
    def limits(self) -> Points:
        """Return the upper limits by ascending jd."""
        return self._points("limits", self._table.limits(self._row))

    @cached_property
    def history(self) -> History:
        """Return detections and upper limits as one story."""
        return History(self.detections, self.limits)

    def _points(self, kind: Kind, points: Sequence[Mapping[str, Any]]) -> Points:
        at, known = float(self._table.jd[self._row]), names(kind)
        return Points([PointFields(point, known, at) for point in points], partial(self._array, kind))

    def _array(self, kind: Kind, name: str) -> NDArray[Any]:
        try:
            found = self._table.ragged(kind, name)
        except KeyError:
            near = did_you_mean(name, names(kind))
            raise AttributeError(f"{kind} have no field {name!r}{near}") from None
        mine = slice(found.offsets[self._row], found.offsets[self._row + 1])
        values, missing = found.values[mine], found.missing[mine]
        if missing.any() and values.dtype != np.object_:
            values = np.where(missing, np.nan, values.astype(np.float64))
        values.setflags(write=False)
        return values
