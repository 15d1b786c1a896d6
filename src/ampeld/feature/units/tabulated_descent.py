"""The flare's chi2, followed some way down from forty starts in the time of one, and from the best to its end."""

import math
from typing import Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Floats

STEPS: Final = 20
"""Of the descents together; enough to tell the valleys apart."""
MOST_STEPS: Final = 100
"""Of the last descent, which goes to the end."""
_TINY: Final = np.finfo(np.float64).tiny
_VANISHED: Final = -700.0
"""Below this exp() vanishes."""


class Problem(NamedTuple):
    """What is fitted: A exp(-u / tau_fall) / (1 + exp(-u / tau_rise)), u = t - t0, A >= 0."""

    t: Floats
    """[d], shape (n,)."""
    data: Floats
    """Fluxes by their errors, shape (n,)."""
    fluxerr: Floats
    low: Floats
    """Bounds of t0, ln tau_rise, ln tau_fall, shape (3,)."""
    high: Floats


class Bottom(NamedTuple):
    """The end of a descent."""

    x: Floats
    """t0, ln tau_rise, ln tau_fall."""
    chi2: float
    curvature: Floats
    """J^T J, shape (3, 3)."""


def chi2_of(problem: Problem, x: Floats) -> Floats:
    """Return the chi2 at each x, shape (k, 3), with the best amplitude there; infinite where that is not positive."""
    shape, _, height = _fitted(problem, x)
    residuals = problem.data - height[:, None] * shape
    chi2: Floats = np.where(height > 0, np.einsum("kn,kn->k", residuals, residuals), np.inf)
    return chi2


def descend(problem: Problem, starts: Floats) -> tuple[Floats, Floats]:
    """Follow the chi2 down from every start for some steps; return where that leads, and the chi2 there.

    Levenberg and Marquardt's damping, each start with its own (Press et al. 2007, 15.5.2), within the bounds; the
    amplitude is projected out (Golub & Pereyra 1973).

    Parameters
    ----------
    problem
        What is fitted.
    starts : shape (k, 3), k >= 1
        Within the bounds.
    """
    x = starts.copy()
    damping = np.full(len(x), 1e-3)
    chi2, slope, curvature = _linearised(problem, x)
    for _ in range(STEPS):
        # Where a bound stops the descent that parameter stands still, and the others go on.
        held = ((x <= problem.low) & (slope > 0)) | ((x >= problem.high) & (slope < 0))
        system = np.where(held[:, :, None] | held[:, None, :], 0.0, curvature)
        diagonal = np.einsum("kii->ki", system)
        floor = 1e-12 * diagonal.max(axis=1, keepdims=True) + _TINY
        diagonal += damping[:, None] * np.maximum(diagonal, floor) + held + floor
        step = -np.linalg.solve(system, np.where(held, 0.0, slope)[:, :, None])[:, :, 0]
        trial = np.clip(x + step, problem.low, problem.high)
        there = _linearised(problem, trial)
        better = there[0] <= chi2
        x[better] = trial[better]
        for now, then in zip((chi2, slope, curvature), there, strict=True):
            now[better] = then[better]
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-14, 1e14)
    return x, chi2


def finish(problem: Problem, start: Floats) -> Bottom | None:
    """Follow the chi2 down to the end; None if that was not reached."""
    from scipy.optimize import least_squares  # noqa: PLC0415  half a second, for those who fit

    def residuals(x: Floats) -> Floats:
        shape, _, height = _fitted(problem, x[None, :])
        found: Floats = problem.data - height[0] * shape[0]
        return found

    def jacobian(x: Floats) -> Floats:
        found: Floats = _jacobian(problem, x[None, :])[1][0].T
        return found

    width = problem.high - problem.low
    found = least_squares(
        residuals,
        np.clip(start, problem.low + 1e-6 * width, problem.high - 1e-6 * width),
        jacobian,
        bounds=(problem.low, problem.high),
        x_scale=[max(width[0] / 20, 1e-3), 1.0, 1.0],
        xtol=1e-9,
        ftol=1e-11,
        gtol=1e-9,
        max_nfev=MOST_STEPS,
    )
    if found.status <= 0 or not math.isfinite(found.cost):
        return None
    return Bottom(found.x, 2 * float(found.cost), found.jac.T @ found.jac)


def _fitted(problem: Problem, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return shapes by the errors, their squared norms, and the best amplitudes."""
    u = problem.t - x[:, 0, None]
    exponent = -u / np.exp(x[:, 2, None]) - np.logaddexp(0.0, -u / np.exp(x[:, 1, None]))
    # The true height would overflow where the rise is slow; the amplitude makes up for any factor.
    shape = np.exp(np.maximum(exponent - exponent.max(axis=1, keepdims=True), _VANISHED)) / problem.fluxerr
    norm = np.maximum(np.einsum("kn,kn->k", shape, shape), _TINY)
    return shape, norm, np.maximum(shape @ problem.data / norm, 0.0)


def _linearised(problem: Problem, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return chi2, half of its gradient, and J^T J."""
    residuals, jacobian = _jacobian(problem, x)
    return (
        np.einsum("kn,kn->k", residuals, residuals),
        np.einsum("kin,kn->ki", jacobian, residuals),
        np.einsum("kin,kjn->kij", jacobian, jacobian),
    )


def _jacobian(problem: Problem, x: Floats) -> tuple[Floats, Floats]:
    """Return residuals, shape (k, n), and their derivatives, shape (k, 3, n)."""
    shape, norm, height = _fitted(problem, x)
    u = problem.t - x[:, 0, None]
    rise, fall = np.exp(x[:, 1, None]), np.exp(x[:, 2, None])
    early = np.exp(-np.logaddexp(0.0, u / rise))
    # Of the exponent, by t0, ln tau_rise and ln tau_fall.
    change = np.stack((1 / fall - early / rise, -u / rise * early, u / fall), axis=1) * shape[:, None, :]
    along = np.einsum("kin,kn->ki", change, shape)
    growth = (change @ problem.data - 2 * height[:, None] * along) / norm[:, None]
    jacobian: Floats = -growth[:, :, None] * shape[:, None, :] - height[:, None, None] * change
    return problem.data - height[:, None] * shape, jacobian
