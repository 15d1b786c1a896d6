"""One alert as authors see it in ``accept``: plain values, by name."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.fields import FieldKind
from ampeld.alert.survey import ROOT, Survey
from ampeld.alert.table import AlertTable, Kind
from ampeld.channel.common import FORCED, common_names, derive, of_record
from ampeld.channel.elementwise import Cells
from ampeld.channel.unknown import no_field
from ampeld.names import did_you_mean

Cutouts = Callable[[int, str], bytes | None]
"""From the number of an alert and the name of a cutout to the image, None where the alert has none."""


class Part:
    """What is known of the fields of one record, or of one kind of points, of a survey's alerts."""

    def __init__(self, survey: Survey, name: str) -> None:
        fields = survey.kinds[name].fields if name in survey.kinds else survey.records[name]
        self.survey = survey
        self.name = name
        self.kinds: Mapping[str, FieldKind] = {field.name: field.kind for field in fields}
        self.common = common_names(survey, name)

    @property
    def known(self) -> list[str]:
        """Return every name that a field may have."""
        return [*self.kinds, *self.common]


part_of = cache(Part)


class Fields(Mapping[str, Any]):
    """The fields of a record or point, read-only: ``point["rb"]`` or ``point.rb``, and the common names: ``point.mag``.

    Values are as the survey sent them (``isdiffpos`` is text), but a number that is not finite reads as None.
    As an attribute, a field that the survey knows and this alert lacks is None; common names are attributes only.
    """

    __slots__ = ("_fields", "_part")

    def __init__(self, fields: Mapping[str, Any], part: Part) -> None:
        self._fields = fields
        self._part = part

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
        part = self._part
        if name in part.common:
            return _only(derive(part.common[name], of_record(self._fields, part.kinds)))
        if name.startswith("_") or name not in part.kinds:
            raise no_field(part.name, name, [*self._fields, *part.known], part.survey)
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self)}>"


class PointFields(Fields):
    """A detection or upper limit of an alert's history, with its age at the time of the alert."""

    __slots__ = ("_at",)

    def __init__(self, fields: Mapping[str, Any], part: Part, at_jd: float) -> None:
        super().__init__(fields, part)
        self._at = at_jd

    @property
    def age_days(self) -> float:
        """Return how long before the alert it was observed [d]."""
        survey = self._part.survey
        return self._at - float(survey.jd_of(self[survey.time]))


class Points(Sequence[PointFields]):
    """Points by ascending jd; a field of all of them is an attribute: ``alert.detections.mag``.

    Such an array is float64 (NaN where missing), int64 or bool (float64 when any is missing) or, for text, object.
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

    ``alert.mag`` and the other common names (`ampeld.channel.common`) are those of its own point; ``alert.candidate``
    has the survey's own fields, and what other records the survey sends are attributes too: ``alert.diaObject``,
    None where the alert has none.

    Parameters
    ----------
    table
        The batch.
    row
        Which of its alerts.
    cutouts
        Where images are, if the table has none.
    """

    def __init__(self, table: AlertTable, row: int, cutouts: Cutouts | None = None) -> None:
        self._table = table
        self._row = row
        self._cutouts = cutouts

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
        """Return the measurement that the alert was sent for: ZTF's candidate, LSST's diaSource."""
        survey = self._table.survey
        return Fields(self._table.packet(self._row)[survey.own], part_of(survey, survey.own))

    @cached_property
    def detections(self) -> Points:
        """Return the detections by ascending jd, the alert's own among them."""
        return self._points("detections")

    @cached_property
    def limits(self) -> Points:
        """Return the upper limits by ascending jd."""
        return self._points("limits")

    @cached_property
    def forced(self) -> Points:
        """Return forced photometry by ascending jd."""
        return self._points(FORCED[self._table.survey.name])

    @cached_property
    def history(self) -> History:
        """Return detections and upper limits as one story."""
        return History(self.detections, self.limits)

    def cutout(self, name: str) -> bytes | None:
        """Return an image of the alert as the survey packed it (FITS, compressed by ZTF), None where it has none.

        It has to be fetched from beside the other fields: ask for it last.

        Parameters
        ----------
        name
            ``cutoutScience``, ``cutoutTemplate`` or ``cutoutDifference``.
        """
        known = self._table.survey.cutouts
        if name not in known:
            raise KeyError(f"there is no cutout {name!r}{did_you_mean(name, known)}")
        return self._table.cutout(self._row, name) if self._cutouts is None else self._cutouts(self.candid, name)

    def __getattr__(self, name: str) -> Any:
        survey = self._table.survey
        own = part_of(survey, survey.own)
        if name in own.common:
            return getattr(self.candidate, name)
        packet = self._table.packet(self._row)
        if name != ROOT and name in survey.records:
            record = packet.get(name)
            return None if record is None else Fields(record, part_of(survey, name))
        root = part_of(survey, ROOT)
        if name in root.kinds:
            return packet.get(name)
        if name in own.kinds:
            raise AttributeError(f"an alert has no field {name!r}; the survey's own are alert.candidate.{name}")
        raise no_field("alerts", name, [*own.common, *survey.records, *root.kinds, *_METHODS], survey)

    def _points(self, kind: Kind) -> Points:
        part = part_of(self._table.survey, kind)
        at = float(self._table.jd[self._row])
        points = [PointFields(point, part, at) for point in self._table.records(kind, self._row)]
        return Points(points, partial(self._array, part))

    def _array(self, part: Part, name: str) -> NDArray[Any]:
        def mine(field: str) -> Cells:
            found = self._table.ragged(part.name, field)
            where = slice(found.offsets[self._row], found.offsets[self._row + 1])
            return Cells(found.values[where], found.missing[where])

        if name not in part.kinds and name not in part.common:
            raise no_field(part.name, name, part.known, part.survey)
        values, missing = derive(part.common[name], mine) if name in part.common else mine(name)
        if missing.any() and values.dtype != np.object_:
            values = np.where(missing, np.nan, values.astype(np.float64))
        values.setflags(write=False)
        return values


_METHODS: Final = ("object", "candid", "candidate", "detections", "limits", "forced", "history", "cutout")


def _only(cells: Cells) -> Any:
    """Return the value of the only element, None where it is missing."""
    values, missing = cells
    return None if missing[0] else values.tolist()[0]
