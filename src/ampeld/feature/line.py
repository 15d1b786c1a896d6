"""The weighted straight line through a few points, with the error of its slope: plain numbers beat arrays here."""

import math
from collections.abc import Sequence

from ampeld.feature.reasons import EQUAL_TIMES, NO_ERROR, NOT_FINITE, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined


def slope_of(t: Sequence[float], y: Sequence[float], err: Sequence[float]) -> tuple[float, float] | Undefined:
    """Return the slope of the weighted line and its error; points without a positive error are passed over.

    Parameters
    ----------
    t
        Times [d], finite, in any order.
    y, err
        Values and their errors, in one unit.

    Returns
    -------
    tuple of float, or Undefined
        Slope and its error, in the unit of y per day.

    Notes
    -----
    Slope = sum w (t - t_mean) (y - y_mean) / S and its error S^(-1/2), with w = 1 / err^2, weighted means and
    S = sum w (t - t_mean)^2 (Bevington & Robinson 2003, eq. 6.12). Times are centred first: a Julian date leaves a
    double nine digits of a day.
    """
    if len(t) < 2:
        return Undefined(TOO_FEW_POINTS, f"{len(t)} of 2")
    least = min(err)
    if not 0 < least <= max(err) < math.inf:
        usable = [row for row in zip(t, y, err, strict=True) if 0 < row[2] < math.inf]
        return slope_of(*zip(*usable, strict=True)) if len(usable) > 1 else Undefined(NO_ERROR)
    first, base = t[0], y[0]
    # Weights are relative to the largest: squares of tiny errors would overflow.
    rows = [(a - first, b - base, (w := least / e) * w) for a, b, e in zip(t, y, err, strict=True)]
    total = t_mean = y_mean = 0.0
    for a, b, w in rows:
        total += w
        t_mean += w * a
        y_mean += w * b
    t_mean /= total
    y_mean /= total
    spread = cross = 0.0
    for a, b, w in rows:
        pull = w * (a - t_mean)
        spread += pull * (a - t_mean)
        cross += pull * (b - y_mean)
    if spread <= 0:
        return Undefined(EQUAL_TIMES)
    slope, error = cross / spread, least / math.sqrt(spread)
    return (slope, error) if math.isfinite(slope) and math.isfinite(error) else Undefined(NOT_FINITE)
