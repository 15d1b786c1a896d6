"""What YoungTransient measures of one band: brightness, rise and fall, and how variable it is."""

import math
from functools import cache
from operator import mul, sub
from typing import Any, Final

from ampeld.feature.light_curve import MAG_OF_FLUX_ERR
from ampeld.feature.reasons import EQUAL_TIMES, NO_ERROR, NO_RISE, NO_VARIATION, NOT_PEAKED, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined
from ampeld.feature.units.young_points import Points, magnitude
from ampeld.feature.units.young_rates import two_lines

_TREND: Final = ("flux_{}_rate", "flux_{}_rate_err", "{}_rate", "{}_rate_err", "{}_red_chi2", "{}_n")
_VARIABILITY: Final = (
    "flux_amplitude",
    "flux_standard_deviation",
    "amplitude",
    "standard_deviation",
    "stetson_K",
    "chi2",
    "excess_variance",
)
SHAPE: Final = (*(key.format(branch) for branch in ("rise", "fall") for key in _TREND), *_VARIABILITY)
"""The names of what `shape` returns."""
_BRIGHTNESS: Final = ("flux_{}", "flux_{}_err", "mag_{}", "mag_{}_err")


@cache
def brightness_keys(where: str, band: str = "") -> tuple[str, ...]:
    """Return the names of what `brightness` returns of the ``first``, ``last`` or ``peak`` detection of a band."""
    return tuple(key.format(where) + (f"_{band}" if band else "") for key in _BRIGHTNESS)


@cache
def shape_keys(band: str) -> tuple[str, ...]:
    """Return the names of what `shape` returns of a band."""
    return tuple(f"{key}_{band}" for key in SHAPE)


def brightness(points: Points, row: int) -> tuple[Any, ...]:
    """Return flux and magnitude of a detection, each with its error."""
    flux, err = points.flux[row], points.err[row]
    if math.isnan(err):
        unsure = Undefined(NO_ERROR)
        return flux, unsure, magnitude(flux), unsure
    return flux, err, magnitude(flux), MAG_OF_FLUX_ERR * err / flux


def shape(points: Points) -> tuple[Any, ...]:
    """Return the rates up to the peak, those from it on, and how variable the band is.

    Parameters
    ----------
    points
        Detections brighter than the reference image; at least one.
    """
    peak, mag = points.peak, points.mag
    rise = _trend(points.part(0, peak + 1), mag[: peak + 1])
    fall = _trend(points.part(peak, len(mag)), mag[peak:])
    return (*rise, *fall, *_variability(points, mag))


def _trend(points: Points, mag: list[float]) -> tuple[Any, ...]:
    if not points.sure:
        points = points.weighed()
        mag = points.mag
    n = len(mag)
    if n < 2:
        why = Undefined(TOO_FEW_POINTS, f"{n} of 2")
        return why, why, why, why, why, n
    return *two_lines(points, mag), n


def _variability(points: Points, mag: list[float]) -> tuple[Any, ...]:
    n, flux, errs = len(points.flux), points.flux, points.err
    low, high = min(flux), max(flux)
    amplitude, in_mag = (high - low) / 2, 1.25 * math.log10(high / low)
    if n < 2:
        few = Undefined(TOO_FEW_POINTS, "1 of 2")
        return amplitude, few, in_mag, few, few, few, few
    # About the first point: it is one of them, so that no digit is lost.
    f_base, m_base = flux[0], mag[0]
    f_sum = f_square = m_sum = m_square = 0.0
    for f, m in zip(flux, mag, strict=True):
        f -= f_base  # noqa: PLW2901  as below
        m -= m_base  # noqa: PLW2901
        f_sum += f
        f_square += f * f
        m_sum += m
        m_square += m * m
    variance = max(0.0, f_square - f_sum * f_sum / n) / (n - 1)
    scatter = amplitude, math.sqrt(variance), in_mag, math.sqrt(max(0.0, m_square - m_sum * m_sum / n) / (n - 1))
    if not points.sure:
        unsure = Undefined(NO_ERROR)
        return *scatter, unsure, unsure, unsure
    weights = [1.0 / (e * e) for e in errs]
    mean = sum(map(mul, weights, flux)) / sum(weights)
    pulls = [abs(f - mean) / e for f, e in zip(flux, errs, strict=True)]
    chi2 = sum(map(mul, pulls, pulls))
    stetson = sum(pulls) / math.sqrt(n * chi2) if high > low and chi2 > 0 else Undefined(NO_VARIATION)
    excess = (variance - sum(map(mul, errs, errs)) / n) / (f_base + f_sum / n) ** 2
    return *scatter, stetson, chi2 / (n - 1), excess


def course(points: Points, sigmas: float) -> dict[str, Any]:
    """Return whether the band rose, peaked or fades, and for how long.

    Parameters
    ----------
    points
        At least one.
    sigmas
        By how many errors two fluxes must differ.
    """
    keys = ("bool_rising", "bool_peaked", "bool_fading", "t_rise", "t_fall")
    if len(points.jd) < 2:
        return dict.fromkeys(keys, Undefined(TOO_FEW_POINTS, "1 of 2"))
    peak = points.peak
    rise, fall = _pull(points, peak, 0), _pull(points, peak, -1)
    if rise is None or fall is None:
        return dict.fromkeys(keys, Undefined(NO_ERROR))
    risen, fallen = rise > sigmas, fall > sigmas
    return {
        "bool_rising": risen and not fallen,
        "bool_peaked": risen and fallen,
        "bool_fading": fallen,
        "t_rise": points.jd[peak] - points.jd[0] if risen else Undefined(NO_RISE),
        "t_fall": points.jd[-1] - points.jd[peak] if fallen else Undefined(NOT_PEAKED),
    }


def gaps(times: list[float], most: float) -> bool | Undefined:
    """Return whether two neighbouring times lie farther apart than ``most`` [d]; they are rising."""
    if len(times) < 2:
        return Undefined(TOO_FEW_POINTS, f"{len(times)} of 2")
    if times[-1] == times[0]:
        return Undefined(EQUAL_TIMES)
    longest: float = max(map(sub, times[1:], times))
    return longest > most


def _pull(points: Points, one: int, other: int) -> float | None:
    if points.jd[one] == points.jd[other]:
        return 0.0
    error = math.hypot(points.err[one], points.err[other])
    return (points.flux[one] - points.flux[other]) / error if error > 0 else None
