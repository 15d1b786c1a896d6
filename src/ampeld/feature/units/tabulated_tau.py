"""Time scales of one band: a rise and a decay that meet in a flare, or one exponential where points are few."""

import math
import warnings
from typing import Any, Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NEGATIVE_FLUX, NOT_CONVERGED
from ampeld.feature.unit import Undefined
from ampeld.feature.units.tabulated_descent import Problem, chi2_of, descend, finish

TAU: Final = 1e-3, 100.0
"""Between which time scales are sought [d]."""
VAGUE: Final = 1.0
"""The error of a time scale's logarithm from which on it is not determined."""
_PER_PART: Final = 8
"""How many of the best starts of each part are followed."""
_MOST_TURNS: Final = 24
_MOST_VALLEYS: Final = 3
_MOST_POINTS: Final = 250
_ALIKE: Final = 0.5
"""Ends whose time scales' logarithms differ by less lie in one valley."""
_SCALES: Final = np.log(np.geomspace(0.1, 90.0, 8))
_TURNS: Final = np.array((-0.98, -0.6, -0.3, -0.15, -0.07, 0.0, 0.07, 0.15, 0.3, 0.6, 0.98))


_SHORT: Final = np.array((0.03, 0.2, 0.7))
"""Time scales that are sudden [d]."""
_RATES: Final = np.geomspace(2e-3, 0.5, 7)
"""[1/d]."""


class Flare(NamedTuple):
    """The best flare."""

    tau_rise: float
    """[d]."""
    tau_fall: float
    """[d]."""
    t0: float
    """When one turns into the other, from the brightest point [d]."""
    chi2: float
    determined: bool
    """Whether the data tell the time scales: an exponential is a flare whose turn lies outside, with any of them."""


def fit_flare(t: Floats, flux: Floats, fluxerr: Floats, reach: float) -> Flare | Undefined:
    r"""Return the weighted least-squares fit of A exp(-u / tau_fall) / (1 + exp(-u / tau_rise)), u = t - t0, A >= 0.

    The chi2 has many valleys: it is looked at on a grid, and followed down from the best points of each part of that.
    What has not converged is not taken.

    Parameters
    ----------
    t : shape (n,), n >= 5
        Time since the brightest point, ascending [d].
    flux, fluxerr : shape (n,)
        In one unit; errors > 0.
    reach
        The largest \|t0\| [d].
    """
    low, high = math.log(TAU[0]), math.log(TAU[1])
    bounds = np.array((-reach, low, low)), np.array((reach, high, high))
    problem = Problem(t, flux / fluxerr, fluxerr, *bounds)
    with np.errstate(all="ignore"):
        # Valleys are told apart as well on some of the points, and grid by points is what takes memory.
        some = np.s_[:: max(1, len(t) // _MOST_POINTS)]
        thinned = problem._replace(t=t[some], data=problem.data[some], fluxerr=fluxerr[some])
        starts = np.concatenate([_best_of(thinned, part) for part in _parts(t, reach)])
        if not len(starts):
            return Undefined(NEGATIVE_FLUX, "no positive amplitude fits")
        ends, chi2 = descend(thinned, starts)
        bottoms = [finish(problem, ends[i]) for i in _valleys(ends, chi2)]
    found = [bottom for bottom in bottoms if bottom is not None]
    if not found:
        return Undefined(NOT_CONVERGED)
    best = min(found, key=lambda bottom: bottom.chi2)
    t0, rise, fall = best.x.tolist()
    excess = max(1.0, best.chi2 / max(len(t) - 4, 1))
    return Flare(math.exp(rise), math.exp(fall), t0, best.chi2, _is_determined(best.curvature / excess))


def _valleys(ends: Floats, chi2: Floats) -> list[int]:
    """Return the ends with the lowest chi2, few of them, none in another's valley."""
    chosen: list[int] = []
    for i in np.argsort(chi2, kind="stable").tolist():
        near = (np.abs(ends[i, 1:] - ends[j, 1:]).max() < _ALIKE for j in chosen)
        if math.isfinite(chi2[i]) and not any(near):
            chosen.append(i)
        if len(chosen) == _MOST_VALLEYS:
            break
    return chosen


def _parts(t: Floats, reach: float) -> list[Floats]:
    """Return starts (t0, ln tau_rise, ln tau_fall) in groups that lead to valleys of their own."""
    gaps = (t[1:] + t[:-1]) / 2  # a jump may hide between two points
    gaps = gaps[np.abs(gaps) < reach]
    if len(gaps) > _MOST_TURNS:
        gaps = gaps[np.linspace(0, len(gaps) - 1, _MOST_TURNS).astype(np.int64)]
    turns = _TURNS * reach
    groups = [_box(chosen) for chosen in (turns[:3], turns[3:8], turns[8:], gaps) if len(chosen)]
    ends = [_sudden(gaps)] if len(gaps) else []
    return [*groups, *ends, _ridge(reach)]


def _box(turns: Floats) -> Floats:
    return np.stack(np.meshgrid(turns, _SCALES, _SCALES, indexing="ij"), axis=-1).reshape(-1, 3)


def _ridge(reach: float) -> Floats:
    """Return starts with the turn far outside: only the difference of the rates is left there, small or large."""
    rates = [0.0, *(s * r for r in np.geomspace(1e-3, 1.0, 10).tolist() for s in (-1, 1))]
    scales = np.geomspace(0.2, 50.0, 8).tolist()
    pairs: list[tuple[Any, ...]] = [(rise, 1 / rise - rate) for rise in scales for rate in rates]
    found = [(0.98 * reach, math.log(rise), -math.log(rate)) for rise, rate in pairs if rate > 1 / TAU[1]]
    return np.array(found)


def _sudden(turns: Floats) -> Floats:
    """Return starts of exponentials of any rate that end between two points: both time scales short, and all but equal.

    That valley is as narrow as the rate is small beside the rates of the two, and a grid of these misses it.
    """
    rates = np.concatenate((-_RATES, [0.0], _RATES))
    turn, rise, rate = (axis.ravel() for axis in np.meshgrid(turns, _SHORT, rates, indexing="ij"))
    return np.stack((turn, np.log(rise), -np.log(1 / rise - rate)), axis=1)


def _best_of(problem: Problem, starts: Floats) -> Floats:
    chi2 = chi2_of(problem, starts)
    order = np.argsort(chi2, kind="stable")[:_PER_PART]
    return starts[order[np.isfinite(chi2[order])]]


def _is_determined(curvature: Floats) -> bool:
    """Tell whether both time scales are known to better than a factor of e."""
    try:
        covariance = np.linalg.inv(curvature)
    except np.linalg.LinAlgError:
        return False
    variances = np.diag(covariance)
    return bool((variances > 0).all() and max(variances[1], variances[2]) < VAGUE**2)


def fit_exponential(t: Floats, flux: Floats) -> float | Undefined:
    """Return the rate b [1/d] of the unweighted fit of a exp(b t).

    Parameters
    ----------
    t : shape (n,), n >= 2
        Time since the brightest point [d].
    flux : shape (n,)
        In any unit.
    """
    from scipy.optimize import OptimizeWarning, curve_fit  # noqa: PLC0415  half a second, for those who fit

    def model(x: Floats, height: float, rate: float) -> Floats:
        return height * np.exp(rate * x)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", OptimizeWarning)
        try:
            (height, rate), _ = curve_fit(model, t, flux, p0=(1.0, 1.0))
        except (RuntimeError, ValueError) as error:
            return Undefined(NOT_CONVERGED, str(error)[:100])
        misfit = float(np.sum((flux - model(t, height, rate)) ** 2))
    # Where the first guess overflows the search stays there and says nothing of it.
    return float(rate) if math.isfinite(misfit) else Undefined(NOT_CONVERGED, "the exponential overflows")
