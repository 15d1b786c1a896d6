"""RiseDecline: when a source appeared, whether it rose, peaked or fades, how fast, and in which colour."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Final

from ampeld.feature.light_curve import ZTF_BANDS, LightCurve
from ampeld.feature.line import slope_of
from ampeld.feature.point_filter import POSITIVE, PointFilter, PointFilters, check_filters
from ampeld.feature.reasons import EQUAL_TIMES, NO_BAND, NO_FIELD, NO_LIMIT, NO_RISE, NOT_PEAKED, TOO_FEW_POINTS
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.risedecline_points import Chosen, Detection, Limit, choose, median, strong_limits
from ampeld.feature.units.risedecline_values import CUTTABLE, MEDIANS, RISE_DECLINE

NO_SURVIVOR: Final = "No data survive selection criteria"
"""AMPEL's words."""


class RiseDecline(StateUnit):
    """Rise and decline of a light curve, in magnitudes: AMPEL's T2RiseDeclineStat.

    Detections are the points that pass ``lc_filter`` and have a band, a magnitude, its error and (for ZTF) ``rb``.
    The first, the last and the brightest of them are compared across bands; "simultaneous" means within ``max_tsep``.
    Strong limits are those of at least ``min_UL``. Slopes are those of weighted lines; negative is brightening.
    For a survey other than ZTF the names in ``filters`` are its bands, and ``rb`` is its reliability.

    Parameters
    ----------
    filters
        By name in the slopes' keys: the ``fid``.
    filter_ids
        Of which of them slopes are made; the first less the second is the colour.
    max_tsep
        How far apart points may be that count as simultaneous, or as still at the peak [d].
    min_UL
        The least limit that is strong [mag].
    max_tgap
        How far apart two neighbouring detections may be [d].
    lc_filter
        What a detection must pass: filters (``attribute``, ``operator``, ``value``), all of them.
    del_duplicate_rows
        Whether of detections at one time only those with the highest ``rb`` stay.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2RiseDeclineBase and T2RiseDeclineStat.

    AMPEL: a point of which a field is 0 is passed over, and a field of None raises; here: both only where it is None
    or NaN. AMPEL: lines are fitted to raw Julian dates, which costs seven digits; here: about the mean time, with the
    error of each slope as ``slope_*_err``. The first detection and the limits are of any band as in AMPEL;
    ``t_predetect_<band>`` and ``bool_pure_<band>`` are of one.
    """

    version: ClassVar[str] = "1"
    reads: ClassVar[tuple[str, ...]] = (*MEDIANS, *CUTTABLE)
    values: ClassVar[tuple[Value, ...]] = RISE_DECLINE

    filters: dict[str, int] = {"g": 1, "r": 2, "i": 3}  # noqa: RUF012  read once, as the default of a parameter
    filter_ids: tuple[int, ...] = (1, 2)
    max_tsep: float = 2.0
    min_UL: float = 20.0  # noqa: N815  AMPEL's name
    max_tgap: float = 30.0
    lc_filter: PointFilters | PointFilter = POSITIVE
    del_duplicate_rows: bool = True

    def prepare(self) -> None:
        """Look up the bands that slopes and colours are made of."""
        names = {fid: name for name, fid in self.filters.items()}
        if missing := [fid for fid in self.filter_ids if fid not in names]:
            raise ValueError(f"filter_ids: {missing[0]} is not among filters ({', '.join(map(str, names))})")
        self._filters = (self.lc_filter,) if isinstance(self.lc_filter, PointFilter) else self.lc_filter
        check_filters("lc_filter", self._filters, self.reads)
        self._bands = {
            # ZTF's bands are known by their numbers; those of other surveys have only names.
            True: [(names[fid], ZTF_BANDS.get(fid, names[fid])) for fid in self.filter_ids],
            False: [(names[fid], names[fid]) for fid in self.filter_ids],
        }

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:  # noqa: ARG002  it builds upon nothing
        """Return what can be told of rise and decline."""
        chosen = choose(light_curve, self._filters, drop_duplicates=self.del_duplicate_rows)
        if not chosen.detections:
            return {"success": False, "cause": NO_SURVIVOR}
        bands = self._bands[light_curve.survey == "ztf"]
        limits = strong_limits(light_curve, self.min_UL)
        return dict(self._all(chosen, limits, bands, light_curve.survey))

    def _all(
        self, chosen: Chosen, limits: Sequence[Limit], bands: Sequence[tuple[str, str]], survey: str
    ) -> Iterator[tuple[str, Any]]:
        found = chosen.detections
        # Of equal times and magnitudes AMPEL takes the first detection, the first of the last ones, the last peak.
        first, last = found[0], next(row for row in found if row.jd == found[-1].jd)
        brightest = min(reversed(found), key=lambda row: row.mag)
        yield "cut_pp", chosen.cut
        yield "jd_det", first.jd
        yield "jd_last", last.jd
        yield "ndet", len(found)
        yield "mag_det", first.mag
        yield "mag_last", last.mag
        yield "t_lc", last.jd - first.jd
        for name in MEDIANS:
            field = "reliability" if name == "rb" and survey == "lsst" else name
            value = median(chosen.bodies, field)
            yield f"{name}_med", Undefined(NO_FIELD) if value is None else value
        yield from _limits(found, limits, bands)
        peaked = last.jd - brightest.jd >= self.max_tsep and last.mag - brightest.mag > _error(brightest, last)
        yield "bool_peaked", peaked
        yield "jd_max", brightest.jd if peaked else Undefined(NOT_PEAKED)
        yield "mag_peak", brightest.mag if peaked else Undefined(NOT_PEAKED)
        yield "bool_rising", not peaked and last.jd - brightest.jd < self.max_tsep
        top = brightest if peaked else last
        risen = first.mag - top.mag > _error(first, top)
        yield "bool_norise", not risen
        yield "bool_hasgaps", self._has_gaps(found)
        peak = brightest.jd if peaked else None
        for name, band in bands:
            own = [row for row in found if row.band == band]
            yield from _pair(f"slope_rise_{name}", _rise(own, peak) if risen else Undefined(NO_RISE))
            if peak is not None:
                yield from _pair(f"slope_fall_{name}", self._fall(own, peak))
        yield "col_det", self._colour(found, first.jd, bands)
        yield "col_last", self._colour(found, last.jd, bands)
        yield "col_peak", Undefined(NOT_PEAKED) if peak is None else self._colour(found, peak, bands)
        yield "success", True

    def _has_gaps(self, found: Sequence[Detection]) -> bool | Undefined:
        gaps = [after.jd - before.jd for before, after in pairwise(found)]
        if not any(gaps):
            return Undefined(EQUAL_TIMES if gaps else TOO_FEW_POINTS)
        return max(gaps) > self.max_tgap

    def _fall(self, own: Sequence[Detection], peak: float) -> tuple[float, float] | Undefined:
        rows = [row for row in own if row.jd >= peak]
        if len(rows) < 2 or rows[-1].jd - peak <= self.max_tsep:
            return Undefined(TOO_FEW_POINTS, "2 beyond the peak are needed")
        return _line(rows)

    def _colour(self, found: Sequence[Detection], jd: float, bands: Sequence[tuple[str, str]]) -> float | Undefined:
        if len(bands) < 2:
            return Undefined(NO_BAND, "filter_ids names fewer than 2")
        means = []
        for _, band in bands[:2]:
            mags = [row.mag for row in found if row.band == band and abs(row.jd - jd) <= self.max_tsep]
            if not mags:
                return Undefined(NO_BAND, band)
            means.append(math.fsum(mags) / len(mags))
        return means[0] - means[1]


def _limits(
    found: Sequence[Detection], limits: Sequence[Limit], bands: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, Any]]:
    yield "bool_pure", not any(limit.jd > found[0].jd for limit in limits)
    yield "t_predetect", _predetect(found[0].jd, [limit.jd for limit in limits])
    for name, band in bands:
        start = next((row.jd for row in found if row.band == band), None)
        times = [limit.jd for limit in limits if limit.band == band]
        yield f"bool_pure_{name}", Undefined(NO_BAND) if start is None else not any(jd > start for jd in times)
        yield f"t_predetect_{name}", Undefined(NO_BAND) if start is None else _predetect(start, times)


def _predetect(start: float, limits: Sequence[float]) -> float | Undefined:
    before = [jd for jd in limits if jd < start]
    return start - max(before) if before else Undefined(NO_LIMIT)


def _rise(own: Sequence[Detection], peak: float | None) -> tuple[float, float] | Undefined:
    return _line(own if peak is None else [row for row in own if row.jd <= peak])


def _line(rows: Sequence[Detection]) -> tuple[float, float] | Undefined:
    return slope_of([row.jd for row in rows], [row.mag for row in rows], [row.err for row in rows])


def _pair(key: str, fitted: tuple[float, float] | Undefined) -> Iterator[tuple[str, Any]]:
    slope, error = (fitted, fitted) if isinstance(fitted, Undefined) else fitted
    yield key, slope
    yield f"{key}_err", error


def _error(one: Detection, other: Detection) -> float:
    return math.hypot(one.err, other.err)
