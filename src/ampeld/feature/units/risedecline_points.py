"""Which detections and limits rise and decline are told from, as plain numbers: lists beat arrays at thirty points."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite, isnan
from typing import Any, Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.point_filter import POSITIVE, PointFilters, passes

_NOT_POSITIVE: Final = (None, *(given.value for given in POSITIVE))
"""What `POSITIVE` refuses: also a point that does not tell its sign."""


class Detection(NamedTuple):
    """One detection with all that is needed."""

    jd: float
    mag: float
    err: float
    """[mag]; not negative, may be zero."""
    reliability: float
    band: str


class Limit(NamedTuple):
    """One upper limit that is deep enough to count."""

    jd: float
    band: str


class Chosen(NamedTuple):
    """What a light curve's points come to."""

    detections: list[Detection]
    """In the order of time; of equal times, in the order of their numbers."""
    cut: int
    """How many of equal times were dropped for one that is more reliable."""
    bodies: list[Mapping[str, Any]]
    """Of all points that pass the filter, also of those that are no use as detections."""


def choose(light_curve: LightCurve, filters: PointFilters, *, drop_duplicates: bool) -> Chosen:
    """Return the detections that pass the filters and have a time, a band, a magnitude, its error and a reliability."""
    candidates = light_curve.detections
    bodies = candidates.bodies
    if filters == POSITIVE and light_curve.survey != "ztf":
        kept = candidates.positive.tolist()
    elif filters == POSITIVE:
        kept = [body.get("isdiffpos") not in _NOT_POSITIVE for body in bodies]
    else:
        kept = [passes(filters, body) for body in bodies]
    reliability = candidates.reliability
    if light_curve.survey != "ztf":
        # Only ZTF scores every point; where a survey does not, the score only chooses between equal times.
        reliability = np.nan_to_num(reliability, nan=-1.0)
    columns = (candidates.jd, candidates.mag, candidates.mag_err, reliability, candidates.band)
    rows = map(Detection, *(column.tolist() for column in columns))
    usable = [
        row
        for row, keep in zip(rows, kept, strict=True)
        if keep and isfinite(row.mag) and 0 <= row.err < inf and not isnan(row.reliability) and row.band
    ]
    found = _without_worse(usable) if drop_duplicates else usable
    return Chosen(found, len(usable) - len(found), [b for b, keep in zip(bodies, kept, strict=True) if keep])


def _without_worse(rows: list[Detection]) -> list[Detection]:
    if len({row.jd for row in rows}) == len(rows):
        return rows
    best: dict[float, float] = {}
    for row in rows:
        best[row.jd] = max(row.reliability, best.get(row.jd, row.reliability))
    return [row for row in rows if row.reliability >= best[row.jd]]


def strong_limits(light_curve: LightCurve, least: float) -> list[Limit]:
    """Return the upper limits of at least this magnitude, in the order of time."""
    limits = light_curve.limits
    rows = zip(limits.jd.tolist(), limits.limit.tolist(), limits.band.tolist(), strict=True)
    return [Limit(jd, band) for jd, limit, band in rows if limit >= least]


def median(bodies: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return the median of a field over the points that have a number there; None if none has."""
    found = [value for body in bodies if (value := body.get(name)) is not None]
    try:
        if not isfinite(sum(found)):
            found = [value for value in found if not isnan(value)]
    except TypeError:  # a text among them
        found = [value for value in found if isinstance(value, int | float) and not isnan(value)]
    if not found:
        return None
    found.sort()
    middle = len(found) // 2
    return float(found[middle]) if len(found) % 2 else (found[middle - 1] + found[middle]) / 2
