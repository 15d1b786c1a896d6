"""The smoothing spline of one band: area, width, peaks, and what these say of two bands together."""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NOT_PEAKED, OUT_OF_LIMITS, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined

FEWEST: Final = 6
"""Rows of a spline."""
SMOOTHING: Final = 0.1
"""The weight of the squared curvature."""
AREA_LIMITS: Final = -99.0, 1e5
"""Between which the area is kept [flux d]."""
RATIO_LIMITS: Final = 0.0, 10.0
EVOLUTION_LIMITS: Final = -99.0, 10.0
"""[1/d]."""
_LEVEL: Final = 0.63
_SPREAD: Final = 5
"""A peak is as high, and stands out as much, as one over this of the largest flux."""


class Peaks(NamedTuple):
    """The peaks of one band."""

    flux: list[float]
    offset: list[float] | None
    """The spline ``dt_fluxevo`` after each; None where that is beyond the grid."""


def measure_spline(
    name: str, rows: FluxTable, highest: float, cadence: float, dt_fluxevo: float
) -> tuple[Peaks | None, dict[str, Any]]:
    """Return a band's peaks, and its values.

    Parameters
    ----------
    name
        Of the band.
    rows
        Of this band, of different times.
    highest
        The largest flux of all bands.
    cadence
        The step of the grid [d].
    dt_fluxevo
        [d].
    """
    if len(rows) < FEWEST:
        return None, {f"{name}_splineflux": Undefined(TOO_FEW_POINTS, f"{len(rows)} of {FEWEST}")}
    from scipy.interpolate import make_smoothing_spline  # noqa: PLC0415  for those who fit
    from scipy.signal import find_peaks  # noqa: PLC0415

    grid = np.arange(rows.time[0] + cadence, rows.time[-1] - cadence, cadence)
    if len(grid) < 3:
        return None, {f"{name}_splineflux": Undefined(TOO_FEW_POINTS, "the grid has fewer than 3 steps")}
    weights = 1 / rows.fluxerr**2
    curve = make_smoothing_spline(rows.time, rows.flux, w=weights, lam=SMOOTHING)(grid)
    errors = make_smoothing_spline(rows.time, rows.fluxerr, w=weights, lam=SMOOTHING)(grid)
    own = float(rows.flux.max())
    where = find_peaks(curve, height=highest / _SPREAD, prominence=own / _SPREAD, width=2, distance=3)[0].tolist()
    area = _area(curve, cadence)
    if not where:
        return None, {f"{name}_splineflux": Undefined(NOT_PEAKED)}
    if not AREA_LIMITS[0] < area < AREA_LIMITS[1]:
        return None, {f"{name}_splineflux": Undefined(OUT_OF_LIMITS, f"{area:.6g}")}
    above = grid[curve > curve.max() / 2]
    inside = (rows.time > above[0]) & (rows.time < above[-1])
    peaks = _peaks(curve, where, int(dt_fluxevo / cadence))
    values = {
        f"{name}_splineflux": area,
        f"{name}_splineerr": _area(errors, cadence),
        f"{name}_splinethalf": float(above[-1] - above[0]),
        f"{name}_dethalf": int(inside.sum()),
        f"{name}_peaksnbr": len(where),
        f"{name}_peaksflux": peaks.flux,
        f"{name}_peakstime": grid[where].tolist(),
    }
    if peaks.offset is not None:
        values[f"{name}_offsetpeakflux"] = peaks.offset
        values[f"{name}_offsetpeakratio"] = [late / top for late, top in zip(peaks.offset, peaks.flux, strict=True)]
    values |= _around(name, grid, curve, where[0])
    if len(where) > 1:
        values[f"{name}_peakstdiff"] = [float(grid[b] - grid[a]) for a, b in pairwise(where)]
        values[f"{name}_valleyflux"] = [float(curve[(a + b) // 2]) for a, b in pairwise(where)]
    return peaks, values


def _area(curve: Floats, cadence: float) -> float:
    """Return the area on the grid; added one by one, as AMPEL does, it has AMPEL's last digit."""
    return float(np.cumsum(curve * cadence)[-1])


def _peaks(curve: Floats, where: list[int], offset: int) -> Peaks:
    late = [at + offset for at in where]
    return Peaks(curve[where].tolist(), curve[late].tolist() if late[-1] < len(curve) else None)


def _around(name: str, grid: Floats, curve: Floats, peak: int) -> dict[str, float]:
    low = np.flatnonzero(curve < _LEVEL * curve[peak])
    earlier, later = low[low < peak], low[low > peak]
    if not len(earlier):
        return {}
    values = {f"{name}_dtrise63": float(grid[peak] - grid[earlier[-1]])}
    if len(later):
        values[f"{name}_dtfall63"] = float(grid[later[0]] - grid[peak])
    return values


def ratios(
    peaks: Mapping[str, Peaks], pairs: Collection[tuple[str, str]], dt_fluxevo: float
) -> Iterator[tuple[str, Any]]:
    """Yield how the first peaks of two bands compare, then and ``dt_fluxevo`` later."""
    for one, other in pairs:
        if one not in peaks or other not in peaks:
            continue
        blue, red = peaks[one], peaks[other]
        at_peak = blue.flux[0] / red.flux[0]
        yield f"peakratio_{one}_{other}", at_peak
        if blue.offset is None or red.offset is None:
            continue
        later = blue.offset[0] / red.offset[0] if red.offset[0] else -1.0
        if not RATIO_LIMITS[0] < later < RATIO_LIMITS[1]:
            yield f"offsetratio_{one}_{other}", Undefined(OUT_OF_LIMITS, f"{later:.6g}")
            continue
        yield f"offsetratio_{one}_{other}", later
        change = (at_peak - later) / dt_fluxevo
        within = EVOLUTION_LIMITS[0] < change < EVOLUTION_LIMITS[1]
        yield f"ratioevo_{one}_{other}", change if within else Undefined(OUT_OF_LIMITS, f"{change:.6g}")
