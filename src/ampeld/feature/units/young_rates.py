"""How fast a young transient changes: lines through fluxes and magnitudes, pairs of points, and their errors."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ampeld.feature.light_curve import MAG_OF_FLUX_ERR
from ampeld.feature.reasons import NO_ERROR, NO_LIMIT, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined
from ampeld.feature.units.young_points import Limit, Points, magnitude


def two_lines(points: Points, mag: Sequence[float]) -> tuple[float, float, float, float, float | Undefined]:
    """Return slope and error of the line through fluxes, and slope, error and fit of that through magnitudes.

    As `slope_of` twice, in one walk over two points or more: most of a young transient's time is spent here.
    """
    t, flux = points.jd, points.flux
    first, f_base, m_base = t[0], flux[0], mag[0]
    # By the square of the signal-to-noise ratio: magnitudes' errors are 1.0857 times its inverse.
    rows = [(a, f, m, w := 1.0 / (e * e), w * f * f) for a, f, m, e in zip(t, flux, mag, points.err, strict=True)]
    w_sum = w_t = w_f = v_sum = v_t = v_m = 0.0
    for a, f, m, w, v in rows:
        w_sum += w
        w_t += w * (a - first)
        w_f += w * (f - f_base)
        v_sum += v
        v_t += v * (a - first)
        v_m += v * (m - m_base)
    t_flux, t_mag = first + w_t / w_sum, first + v_t / v_sum
    f_base += w_f / w_sum
    m_base += v_m / v_sum
    f_spread = f_cross = m_spread = m_cross = m_square = 0.0
    for a, f, m, w, v in rows:
        days = a - t_flux
        f_spread += w * days * days
        f_cross += w * days * (f - f_base)
        days, rest = a - t_mag, m - m_base
        m_spread += v * days * days
        m_cross += v * days * rest
        m_square += v * rest * rest
    slope = m_cross / m_spread
    fit: float | Undefined = Undefined(TOO_FEW_POINTS, "2 of 3")
    if len(rows) > 2:
        # What is left of a perfect fit is the last digits' and may be below zero.
        fit = max(0.0, m_square - slope * m_cross) / MAG_OF_FLUX_ERR**2 / (len(rows) - 2)
    return f_cross / f_spread, f_spread**-0.5, slope, MAG_OF_FLUX_ERR * m_spread**-0.5, fit


def first_rate(points: Points, band: str, limits: Sequence[Limit]) -> dict[str, Any]:
    """Return the rates from the latest good limit in the band of the first detection to that."""
    jd, flux, err = points.jd[0], points.flux[0], points.err[0]
    before = [limit for limit in limits if limit.band == band and limit.jd < jd]
    if not before:
        return dict.fromkeys(FIRST_RATE, Undefined(NO_LIMIT, f"in {band}"))
    limit = before[-1]
    days = jd - limit.jd
    unsure = Undefined(NO_ERROR)
    limiting = 10 ** (-0.4 * (limit.mag - magnitude(1.0)))
    return {
        "dfdt_first": (flux - limiting) / days,
        "dfdt_first_err": err / days if err == err else unsure,  # noqa: PLR0124  not NaN
        "dmdt_first": (magnitude(flux) - limit.mag) / days,
        "dmdt_first_err": MAG_OF_FLUX_ERR * err / flux / days if err == err else unsure,  # noqa: PLR0124  not NaN
    }


def last_rate(positive: Mapping[str, Points], min_dt: float) -> dict[str, Any]:
    """Return the rates between the last two detections of one band that lie far enough apart: of the latest such."""
    best: tuple[float, str, int, int] | None = None
    for band, points in positive.items():
        rows = points.weighed()
        end = len(rows.jd) - 1
        start = next((i for i in range(end - 1, -1, -1) if rows.jd[end] - rows.jd[i] >= min_dt), None)
        if start is not None and (best is None or rows.jd[end] > best[0]):
            best = rows.jd[end], band, start, end
    if best is None:
        return dict.fromkeys(LAST_RATE, Undefined(TOO_FEW_POINTS, "no band has 2"))
    _, band, start, end = best
    rows = positive[band].weighed()
    days = rows.jd[end] - rows.jd[start]
    (f1, f2), (e1, e2) = (rows.flux[start], rows.flux[end]), (rows.err[start], rows.err[end])
    return {
        "flux_rate_last": (f2 - f1) / days,
        "flux_rate_last_err": math.hypot(e1, e2) / days,
        "rate_last": (magnitude(f2) - magnitude(f1)) / days,
        "rate_last_err": MAG_OF_FLUX_ERR * math.hypot(e1 / f1, e2 / f2) / days,
        "rate_last_band": band,
    }


def jump(measured: Mapping[str, Points], newest: float) -> float | Undefined:
    """Return how far the brightest flux of the last 10 days stands above the 10 to 70 days before the newest point.

    In errors, those of the flux and the scatter of the past together; the largest of the bands. After Lasair's
    ``jump``.
    """
    found: list[float] = []
    for points in measured.values():
        recent = bisect_right(points.jd, newest - 10.0)
        past = points.flux[bisect_left(points.jd, newest - 70.0) : recent]
        n = len(past)
        if n < _PAST:
            continue
        mean = sum(past) / n
        variance = sum([(f - mean) ** 2 for f in past]) / (n - 1)
        rows = zip(points.flux[recent:], points.err[recent:], strict=True)
        found += [(f - mean) / math.sqrt(variance + e * e) for f, e in rows]
    return max(found) if found else Undefined(TOO_FEW_POINTS, f"no band has {_PAST} in the 10 to 70 days before")


FIRST_RATE = ("dfdt_first", "dfdt_first_err", "dmdt_first", "dmdt_first_err")
LAST_RATE = ("flux_rate_last", "flux_rate_last_err", "rate_last", "rate_last_err", "rate_last_band")
_PAST = 3  # points of which a scatter means something
