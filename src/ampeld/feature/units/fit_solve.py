"""Bounded least squares of a shape from the best of many starts, with errors, or why there are none."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import EQUAL_TIMES, NOT_CONVERGED, OUT_OF_LIMITS, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined
from ampeld.feature.units.fit_shape import Shape

TIME_SCALES: Final = frozenset(("rise_time", "fall_time", "plateau_duration"))
"""Parameters that are positive and may span decades."""
_STARTS: Final = 3
_MOST_CALLS: Final = 350
_TOLERANCE: Final = 1e-9
_AT_BOUND: Final = 1e-6  # of the range between the bounds
_LEAST_AMPLITUDE: Final = 1e-9  # of the largest flux
_DEGENERATE: Final = 1e-10  # smallest singular value by the largest, columns of equal length


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit that has converged; parameters and errors in the order of the shape's names."""

    parameters: Floats
    errors: tuple[float | Undefined, ...]
    chi2: float
    dof: int
    message: str


def solve(shape: Shape, data: tuple[Floats, Floats, Floats], limits: dict[str, tuple[float, float]]) -> Fit | Undefined:
    """Fit a shape.

    Parameters
    ----------
    shape
        What is fitted.
    data
        Times in rising order [d], fluxes and their errors > 0, of shape (n,), all finite.
    limits
        Bounds of its parameters behind the reference time, by name, in the units of the data. The amplitude is bound
        to 0 and a hundred times the largest flux, the baseline to the same either way, the reference time to one span
        around the light curve.

    Returns
    -------
    Fit or Undefined
        Undefined if there are too few points, all at one time, no start converges, or nothing rises above the baseline.

    Notes
    -----
    A coarse grid of forms, for which amplitude and baseline follow in closed form, gives the starts; the errors are the
    square roots of the diagonal of (J^T W J)^-1 over the parameters that do not stand at a bound.
    """
    t, flux, err = data
    dof = len(t) - len(shape.names)
    if dof < 1:
        return Undefined(TOO_FEW_POINTS, f"{len(t)} of {len(shape.names) + 1}")
    if t[-1] <= t[0]:
        return Undefined(EQUAL_TIMES)
    middle, scale = float(t[np.argmax(flux / err)]), float(np.max(np.abs(flux)))
    x, y, sigma = t - middle, flux / scale, err / scale
    if not scale > 0 or not np.isfinite(1 / sigma**2).all():
        return Undefined(NOT_CONVERGED, "fluxes of zero, or errors too small to weigh")
    low, high = _bounds(shape, x, limits)
    found = _best(shape, (x, y, sigma), low, high)
    if isinstance(found, Undefined):
        return found
    p, message = found
    if p[0] <= _LEAST_AMPLITUDE:
        return Undefined(NOT_CONVERGED, "nothing rises above the baseline")
    bound = (p - low < _AT_BOUND * (high - low)) | (high - p < _AT_BOUND * (high - low))
    names = [name for name, stands in zip(shape.names, bound.tolist(), strict=True) if stands]
    units = np.array([scale, scale] + [1.0] * (len(p) - 2))
    return Fit(
        p * units + np.array([0.0, 0.0, middle] + [0.0] * (len(p) - 3)),
        _errors(shape.slopes(x, p) / sigma[:, None], bound, units),
        float((((shape.value(x, p) - y) / sigma) ** 2).sum()),
        dof,
        f"{message}; at a bound: {', '.join(names)}" if names else message,
    )


def _bounds(shape: Shape, x: Floats, limits: dict[str, tuple[float, float]]) -> tuple[Floats, Floats]:
    span = float(x[-1] - x[0])
    first = {
        "amplitude": (0.0, 100.0),
        "baseline": (-100.0, 100.0),
        "reference_time": (float(x[0]) - span, float(x[-1]) + span),
    }
    both = np.array([(first | limits)[name] for name in shape.names], dtype=np.float64)
    return both[:, 0], both[:, 1]


def _best(
    shape: Shape, data: tuple[Floats, Floats, Floats], low: Floats, high: Floats
) -> tuple[Floats, str] | Undefined:
    from scipy.optimize import least_squares  # noqa: PLC0415  a quarter of a second that other units need not pay

    x, y, sigma = data
    # Time scales by their logarithms: the valleys of chi2 are straight there, and the steps few.
    scales = np.array([name in TIME_SCALES for name in shape.names])

    def plain(q: Floats) -> Floats:
        return np.where(scales, np.exp(np.where(scales, q, 0.0)), q)

    def log(p: Floats) -> Floats:
        return np.where(scales, np.log(np.where(scales, p, 1.0)), p)

    flat = float((((y - np.average(y, weights=sigma**-2)) / sigma) ** 2).sum())
    best: tuple[float, Floats, str] | None = None
    failed = "nothing rises above the baseline"
    for start in _starts(shape, data, low, high):
        with np.errstate(over="ignore", invalid="ignore"):
            result = least_squares(
                lambda q: (shape.value(x, plain(q)) - y) / sigma,
                log(start),
                jac=lambda q: shape.slopes(x, plain(q)) * np.where(scales, plain(q), 1.0) / sigma[:, None],
                bounds=(log(low), log(high)),
                x_scale="jac",
                ftol=_TOLERANCE,
                xtol=_TOLERANCE,
                gtol=_TOLERANCE,
                max_nfev=_MOST_CALLS,
            )
        if not result.success or not np.isfinite(result.x).all():
            failed = str(result.message)
        elif 2 * result.cost > flat:
            failed = "no start comes closer than a constant flux"
        elif best is None or result.cost < best[0]:
            best = float(result.cost), np.clip(plain(result.x), low, high), str(result.message)
    return Undefined(NOT_CONVERGED, failed) if best is None else best[1:]


def _starts(shape: Shape, data: tuple[Floats, Floats, Floats], low: Floats, high: Floats) -> Floats:
    """Return the most promising starts, best first, strictly within the bounds."""
    x, y, sigma = data
    forms = shape.starts(x, low, high)
    weight = 1 / sigma**2
    values = np.array([shape.value(x, form) for form in forms])
    total, first = weight.sum(), values @ weight
    second, both = values**2 @ weight, values @ (weight * y)
    plain = float(weight @ y)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        forms[:, 0] = (total * both - first * plain) / (total * second - first**2)
        forms[:, 1] = (plain - forms[:, 0] * first) / total
        chi2 = (((forms[:, :1] * values + forms[:, 1:2] - y) / sigma) ** 2).sum(axis=1)
    within = ((forms[:, :2] > low[:2]) & (forms[:, :2] < high[:2])).all(axis=1)
    good = np.flatnonzero(np.isfinite(chi2) & within)
    ranked = good[np.argsort(chi2[good], kind="stable")]
    # The best of each reference time: neighbours of the best start would end where it does.
    _, of_each = np.unique(forms[ranked, 2], return_index=True)
    inside = 1e-4 * (high - low)
    return np.asarray(np.clip(forms[ranked[np.sort(of_each)[:_STARTS]]], low + inside, high - inside))


def _errors(weighted: Floats, bound: np.ndarray, units: Floats) -> tuple[float | Undefined, ...]:
    """Return the errors of the parameters that stand free."""
    errors: list[float | Undefined] = [Undefined(OUT_OF_LIMITS, "the parameter stands at its bound")] * len(units)
    free = np.flatnonzero(~bound)
    jacobian = weighted[:, free]
    length = np.sqrt((jacobian**2).sum(axis=0))
    if not len(free) or not (np.isfinite(length).all() and (length > 0).all()):
        spread = None
    else:
        _, sizes, turn = np.linalg.svd(jacobian / length, full_matrices=False)
        known = sizes[-1] > _DEGENERATE * sizes[0]
        spread = np.sqrt(((turn / sizes[:, None]) ** 2).sum(axis=0)) / length * units[free] if known else None
    for i, place in enumerate(free.tolist()):
        unknown = Undefined(NOT_CONVERGED, "the points do not tell this parameter from others")
        errors[place] = unknown if spread is None or not np.isfinite(spread[i]) else float(spread[i])
    return tuple(errors)
