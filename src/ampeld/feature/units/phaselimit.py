"""PhaseLimit: when a transient can have been active, and whether it behaved as one."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from ampeld.feature.light_curve import Flags, Floats, LightCurve
from ampeld.feature.reasons import NEGATIVE_FLUX, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value

_MOST_FLUX: Final = 1e10
"""AMPEL's bound of what is a flux at all."""
_MAD: Final = 1.48
_TIMES: Final = ("t_start", "t_end", "t_masked_duration", "t_peak", "t_median", "flux_peak", "n_remaining")


class PhaseLimit(StateUnit):
    """The time in which a source was active, freed of outliers in time, and a verdict: AMPEL's T2PhaseLimit.

    The times of the significant points are cut about their median until none is ``rej_sigma`` times 1.48 median
    absolute deviations away. The peak is the largest flux within twice ``half_time`` of that median; the source was
    active from ``half_time`` before the earlier of the two to ``half_time`` after the later.
    Fluxes have the zero point 25 (mag 22.5 is 10).

    ``t2eval`` is the first that applies: ``fail:neg_flux`` (g or r has more than ``neg_frac_lim`` of negative fluxes),
    ``fail:duration`` (the significant points span more than four times ``half_time``), ``fail:detections`` (fewer than
    ``min_det`` are left), ``warning:neg_iband``, ``OK``.

    Parameters
    ----------
    half_time
        How long the rise or the decline takes, with room [d].
    min_det
        How many points there must be.
    rej_sigma
        How far from the median a time may be.
    min_sigma
        A point is significant if its flux of either sign is more than this many errors.
    neg_frac_lim
        How much of a band's fluxes may be negative, 0 to 1.
    max_flux
        Points at or above this flux are left out of the times; without it, none.
    max_mag
        Points fainter than this, and negative subtractions, are left out of the times [mag]; without it, none.
    risedec_fractions
        For each of them ``t_risedec`` says how long each band took from (1 - fraction) of its peak to the peak, and
        back.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2PhaseLimit.

    AMPEL: ``max_flux`` is 10 by default, which leaves only points that are fainter than mag 22.5, and so no object of
    ZTF; here: no limit. AMPEL: ``max_mag`` is turned into ``max_flux``, too; here: it leaves out what is fainter.
    AMPEL: negative subtractions have lost their sign, so that none fails by ``fail:neg_flux``; here: they have it.
    AMPEL: raises if the peak of a band is its first or its last row; here: the time to that row, 0, is the limit.
    """

    version: ClassVar[str] = "1"
    values: ClassVar[tuple[Value, ...]] = (
        Value("t_start", "d", "when it can have begun, JD"),
        Value("t_end", "d", "when it must have ended, JD"),
        Value("t_masked_duration", "d", "from the first to the last significant point that is no outlier in time"),
        Value("t_peak", "d", "time of the largest flux within twice half_time of t_median, JD"),
        Value("t_median", "d", "median time of the significant points that are no outliers, JD"),
        Value("flux_peak", "", "flux at t_peak; 1 is mag 25 AB"),
        Value("n_remaining", "", "points within twice half_time of t_median", "integer"),
        Value("t2eval", "", "OK, warning:neg_iband, fail:neg_flux, fail:duration or fail:detections", "text"),
        Value("t_risedec", "d", "by band (risedec_<band>): rise_<fraction>, fall_<fraction>", "table"),
        Value("t_risedec.risedec_{band}.rise_{fraction}", "d", "from the last point below (1 - fraction) of the peak"),
        Value("t_risedec.risedec_{band}.fall_{fraction}", "d", "to the first point below (1 - fraction) of the peak"),
        Value("t_risedec.risedec_{band}.rise_{fraction}_limit", "d", "from the first point, none being below"),
        Value("t_risedec.risedec_{band}.fall_{fraction}_limit", "d", "to the last point, none being below"),
    )

    half_time: float
    min_det: int = 3
    rej_sigma: float = 5.0
    min_sigma: float = 0.0
    neg_frac_lim: float = 0.05
    max_flux: float | None = None
    max_mag: float | None = None
    risedec_fractions: list[float] = []  # noqa: RUF012  read once, as the default of a parameter

    def prepare(self) -> None:
        """Refuse what no light curve can meet."""
        if not self.half_time > 0:
            raise ValueError(f"half_time: {self.half_time} d is no time to rise in: it is larger than 0")
        if wrong := [fraction for fraction in self.risedec_fractions if not 0 < fraction <= 1]:
            raise ValueError(f"risedec_fractions: {wrong[0]} is no fraction: they are larger than 0, up to 1")

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the body."""
        table = flux_table(light_curve)
        found = table.select(self._significant(table))
        if len(found) < max(self.min_det, 1):
            why = Undefined(TOO_FEW_POINTS, f"{len(found)} significant points of {self.min_det}")
            return {**dict.fromkeys(_TIMES, why), "t2eval": "fail:detections"}
        median, duration = self._without_outliers(found.time)
        near = np.abs(table.time - median) < 2 * self.half_time
        around = table.select(near & (table.flux < _MOST_FLUX))
        body = self._peak(around, median) | {"t_masked_duration": duration, "n_remaining": len(around)}
        risedec, reasons = self._risedec(found)
        body |= {"t2eval": self._verdict(table, duration, len(around)), "t_risedec": risedec}
        return body | ({"undefined": reasons} if reasons else {})

    def _significant(self, table: FluxTable) -> Flags:
        least = -math.inf if self.max_mag is None else 10 ** ((table.zp - self.max_mag) / 2.5)
        most = _MOST_FLUX if self.max_flux is None else min(self.max_flux, _MOST_FLUX)
        clear = np.abs(table.flux) > self.min_sigma * table.fluxerr
        return np.asarray((table.flux > least) & (table.flux < most) & clear)

    def _without_outliers(self, time: Floats) -> tuple[float, float]:
        centre, kept = _median(time), np.ones(len(time), dtype=np.bool_)
        while (n := int(kept.sum())) >= self.min_det:
            away = np.abs(time - centre)
            inside = away < self.rej_sigma * _MAD * _median(away[kept])
            if int(inside.sum()) >= n:
                break
            kept = inside
            if not kept.any():
                return centre, 0.0
            centre = _median(time[kept])
        return centre, float(np.ptp(time[kept]))

    def _peak(self, around: FluxTable, median: float) -> dict[str, Any]:
        peak: float | Undefined
        flux: float | Undefined
        peak = flux = Undefined(TOO_FEW_POINTS, "none within twice half_time of t_median")
        first = last = median
        if len(around):
            row = int(around.flux.argmax())
            peak, flux = float(around.time[row]), float(around.flux[row])
            first, last = min(median, peak), max(median, peak)
        return {
            "t_start": first - self.half_time,
            "t_end": last + self.half_time,
            "t_peak": peak,
            "t_median": median,
            "flux_peak": flux,
        }

    def _verdict(self, table: FluxTable, duration: float, n: int) -> str:
        negative = {
            name[-1] for name, rows in table.by_band() if 1 - (rows.flux > 0).sum() / len(rows) > self.neg_frac_lim
        }
        if negative & {"g", "r"}:
            return "fail:neg_flux"
        if duration > 4 * self.half_time:
            return "fail:duration"
        if n < self.min_det:
            return "fail:detections"
        return "warning:neg_iband" if "i" in negative else "OK"

    def _risedec(self, found: FluxTable) -> tuple[dict[str, Any], Mapping[str, Undefined]]:
        body: dict[str, Any] = {}
        reasons: dict[str, Undefined] = {}
        for name, rows in found.by_band():
            key = f"risedec_{name}"
            peak = int(rows.flux.argmax())
            if rows.flux[peak] <= 0:
                body[key], reasons[f"t_risedec.{key}"] = {}, Undefined(NEGATIVE_FLUX, "it has no peak")
                continue
            body[key] = {k: v for fraction in self.risedec_fractions for k, v in _spans(rows, peak, fraction).items()}
        return body, reasons


def _median(values: Floats) -> float:
    # numpy's own takes ten times as long for a few numbers.
    ordered, middle = np.sort(values), len(values) // 2
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _spans(rows: FluxTable, peak: int, fraction: float) -> dict[str, float]:
    below = np.flatnonzero(rows.flux < (1 - fraction) * rows.flux[peak])
    before, after = below[rows.time[below] < rows.time[peak]], below[rows.time[below] > rows.time[peak]]
    rise, fall = f"rise_{fraction}", f"fall_{fraction}"
    time = rows.time
    return {
        rise if len(before) else f"{rise}_limit": float(time[peak] - time[before[-1] if len(before) else 0]),
        fall if len(after) else f"{fall}_limit": float(time[after[0] if len(after) else -1] - time[peak]),
    }
