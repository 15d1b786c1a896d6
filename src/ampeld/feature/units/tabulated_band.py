"""What one band of a flux table tells about rise and fall: peak, slopes, evolution, time scales."""

from typing import Any, Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.line import slope_of
from ampeld.feature.reasons import NEGATIVE_FLUX, NOT_CONVERGED, OUT_OF_LIMITS, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined
from ampeld.feature.units.tabulated_tau import fit_exponential, fit_flare

STEEPEST: Final = 100.0
"""The steepest slope that is kept, in peak fluxes per day: steeper ones join points of minutes that merely differ."""
TAU_LIMITS: Final = 0.01, 75.0
"""Between which a time scale of the flare is kept [d]."""
RATE_LIMITS: Final = -10.0, 10.0
"""Between which an exponential rate is kept [1/d]."""


class BandSlopes(NamedTuple):
    """What is summed over bands; None where there is no such slope."""

    jd_peak: float
    rise_pull: float | None
    fall_pull: float | None


class BandSettings(NamedTuple):
    """The parameters of the unit that a band needs."""

    cadence: float
    dt_fluxevo: float
    min_expfit_det: int


def measure_band(name: str, rows: FluxTable, settings: BandSettings) -> tuple[BandSlopes, dict[str, Any]]:
    """Return what is summed over bands, and the band's own values.

    Parameters
    ----------
    name
        Of the band.
    rows
        Of this band about the detections; at least one, of different times.
    settings
        As the unit has them.
    """
    peak = int(np.argmax(rows.flux))
    jd_peak, top = float(rows.time[peak]), float(rows.flux[peak])
    values: dict[str, Any] = {f"jd_peak_{name}": jd_peak, f"time_halfpeak_{name}": _half_width(rows, top)}
    before, after = rows.select(rows.time <= jd_peak), rows.select(rows.time >= jd_peak)
    pulls: list[float | None] = []
    scale = float(np.abs(rows.flux).max())
    for side, part in (("rise", before), ("fall", after)):
        slope, pull = _slope(part, scale)
        values[f"{side}_slope_{name}"], values[f"{side}_slopesig_{name}"] = slope, pull
        pulls.append(None if isinstance(pull, Undefined) else pull)
    values |= _time_scales(name, rows, settings, enough=len(before) >= 2 and len(after) >= 2)
    late = np.abs(after.time - jd_peak - settings.dt_fluxevo) < settings.cadence / 2
    values[f"fluxevo_ratio_{name}"] = _evolution(after.select(late), top)
    return BandSlopes(jd_peak, *pulls), values


def _half_width(rows: FluxTable, top: float) -> float | Undefined:
    if top <= 0:
        return Undefined(NEGATIVE_FLUX)
    bright = rows.time[rows.flux > top / 2]
    return float(bright[-1] - bright[0]) if len(bright) > 2 else Undefined(TOO_FEW_POINTS, f"{len(bright)} of 3")


def _slope(rows: FluxTable, scale: float) -> tuple[float | Undefined, float | Undefined]:
    fitted = slope_of(rows.time.tolist(), rows.flux.tolist(), rows.fluxerr.tolist())
    if isinstance(fitted, Undefined):
        return fitted, fitted
    slope, error = fitted
    if not abs(slope) < STEEPEST * scale:
        beyond = Undefined(OUT_OF_LIMITS, f"{slope:.6g} is more than {STEEPEST:g} peak fluxes a day")
        return beyond, beyond
    return slope, slope / error


def _evolution(late: FluxTable, top: float) -> float | Undefined:
    if not len(late):
        return Undefined(TOO_FEW_POINTS, "none about dt_fluxevo after the peak")
    return float(np.mean(late.flux)) / top if top > 0 else Undefined(NEGATIVE_FLUX)


def _time_scales(name: str, rows: FluxTable, settings: BandSettings, *, enough: bool) -> dict[str, Any]:
    if len(rows) > settings.min_expfit_det and enough:
        scales = _flare(rows, settings)
        keys = ("tau_rise", "tau_fall", "tau_chidof", "tau_dof")
        found = dict.fromkeys(keys, scales) if isinstance(scales, Undefined) else scales
    elif len(rows) > settings.min_expfit_det / 2:
        rate = fit_exponential(_from_peak(rows), rows.flux)
        if not isinstance(rate, Undefined) and not RATE_LIMITS[0] < rate < RATE_LIMITS[1]:
            rate = Undefined(OUT_OF_LIMITS, f"{rate:.6g} per day")
        found = {"tau_exp": rate} | ({} if isinstance(rate, Undefined) else {"tau_dof": len(rows)})
    else:
        needed = f"{len(rows)}, more than {settings.min_expfit_det / 2:g} are needed"
        found = {"tau_exp": Undefined(TOO_FEW_POINTS, needed)}
    return {f"{key}_{name}": value for key, value in found.items()}


def _flare(rows: FluxTable, settings: BandSettings) -> dict[str, Any] | Undefined:
    flare = fit_flare(_from_peak(rows), rows.flux, rows.fluxerr, 10 * settings.cadence)
    if isinstance(flare, Undefined):
        return flare
    # AMPEL's "dof" is the number of points, and so it divides by that.
    quality = {"tau_chidof": flare.chi2 / len(rows), "tau_dof": len(rows)}
    if not flare.determined:
        vague = Undefined(NOT_CONVERGED, "the points do not tell rise from fall")
        return {"tau_rise": vague, "tau_fall": vague, **quality}
    low, high = TAU_LIMITS
    if not (low < flare.tau_rise < high and low < flare.tau_fall < high):
        return Undefined(OUT_OF_LIMITS, f"{flare.tau_rise:.6g} and {flare.tau_fall:.6g} d")
    return {"tau_rise": flare.tau_rise, "tau_fall": flare.tau_fall, **quality}


def _from_peak(rows: FluxTable) -> Floats:
    since: Floats = rows.time - rows.time[np.argmax(rows.flux)]
    return since
