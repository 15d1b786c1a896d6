"""Two shapes of a transient's flux with time: their values, their slopes, and where a fit of them may begin."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from scipy.special import expit

from ampeld.feature.light_curve import Floats

_MOST_EXPONENT: Final = 60.0  # e^60 is beyond any flux, and its square is still a number


class Shape(Protocol):
    """A shape with amplitude and baseline first, then the reference time, then what makes its form."""

    names: Sequence[str]
    """Of its parameters, in the words of the ``light-curve`` package."""

    def value(self, t: Floats, p: Floats) -> Floats:
        """Return the flux of shape (n,) at times (n,)."""
        ...

    def slopes(self, t: Floats, p: Floats) -> Floats:
        """Return the derivatives by each parameter, shape (n, len(names))."""
        ...

    def starts(self, t: Floats, low: Floats, high: Floats) -> Floats:
        """Return forms to begin with, shape (m, len(names)), amplitude 1 and baseline 0."""
        ...


class Bazin:
    """B + A exp(-(t - t0)/tau_fall) / (1 + exp(-(t - t0)/tau_rise)).

    Notes
    -----
    Source: Bazin et al. 2009, A&A 499, 653, equation 1.
    """

    names: Sequence[str] = ("amplitude", "baseline", "reference_time", "rise_time", "fall_time")

    @staticmethod
    def value(t: Floats, p: Floats) -> Floats:
        """Return the flux."""
        a, b, t0, rise, fall = p
        return np.asarray(b + a * _bazin(t - t0, rise, fall))

    @staticmethod
    def slopes(t: Floats, p: Floats) -> Floats:
        """Return the derivatives."""
        a, _, t0, rise, fall = p
        x = t - t0
        shape, before = _bazin(x, rise, fall), expit(-x / rise)
        return np.column_stack(
            (
                shape,
                np.ones_like(t),
                a * shape * (1 / fall - before / rise),
                -a * shape * before * x / rise**2,
                a * shape * x / fall**2,
            )
        )

    @staticmethod
    def starts(t: Floats, low: Floats, high: Floats) -> Floats:
        """Return forms over the whole light curve, quick and slow."""
        span = t[-1] - t[0]
        times = np.linspace(t[0] - 0.25 * span, t[-1], 16)
        scales = span * np.array((0.01, 0.03, 0.1, 0.3, 1.0))
        return _combined(low, high, (times, scales, scales))


class Villar:
    """A rise to a plateau that falls linearly, and an exponential fall behind it.

    c + A s (1 - nu (t - t0)/gamma) before t0 + gamma, c + A s (1 - nu) exp(-(t - t0 - gamma)/tau_fall) behind it, with
    s = 1/(1 + exp(-(t - t0)/tau_rise)); nu is the relative fall over the plateau, gamma its duration.

    Notes
    -----
    Source: Villar et al. 2019, ApJ 884, 83, equation 1, as the ``light-curve`` package writes it.
    """

    names: Sequence[str] = (
        "amplitude",
        "baseline",
        "reference_time",
        "rise_time",
        "fall_time",
        "plateau_rel_amplitude",
        "plateau_duration",
    )

    @staticmethod
    def value(t: Floats, p: Floats) -> Floats:
        """Return the flux."""
        a, c, t0, rise, fall, nu, gamma = p
        x = t - t0
        late = np.exp(-np.maximum(x - gamma, 0) / fall)
        return np.asarray(c + a * expit(x / rise) * np.where(x < gamma, 1 - nu * x / gamma, (1 - nu) * late))

    @staticmethod
    def slopes(t: Floats, p: Floats) -> Floats:
        """Return the derivatives."""
        a, _, t0, rise, fall, nu, gamma = p
        x = t - t0
        plateau = x < gamma
        late = np.exp(-np.maximum(x - gamma, 0) / fall)
        step = expit(x / rise)
        form = np.where(plateau, 1 - nu * x / gamma, (1 - nu) * late)
        bend = step * expit(-x / rise)
        falling = np.where(plateau, -nu / gamma, -(1 - nu) * late / fall)
        return np.column_stack(
            (
                step * form,
                np.ones_like(t),
                -a * (bend / rise * form + step * falling),
                -a * form * bend * x / rise**2,
                a * step * np.where(plateau, 0.0, (1 - nu) * late * (x - gamma) / fall**2),
                -a * step * np.where(plateau, x / gamma, late),
                a * step * np.where(plateau, nu * x / gamma**2, (1 - nu) * late / fall),
            )
        )

    @staticmethod
    def starts(t: Floats, low: Floats, high: Floats) -> Floats:
        """Return forms over the whole light curve, with plateaus from flat to none."""
        span = t[-1] - t[0]
        times = np.linspace(t[0] - 0.25 * span, t[-1], 12)
        scales = span * np.array((0.01, 0.1, 0.5))
        return _combined(
            low, high, (times, scales, scales, np.array((0.05, 0.4, 0.8)), span * np.array((0.1, 0.3, 0.7)))
        )


def _bazin(x: Floats, rise: float, fall: float) -> Floats:
    # One exponent: the two factors of the formula overflow apart where their product is small.
    return np.asarray(np.exp(np.minimum(-x / fall - np.logaddexp(0.0, -x / rise), _MOST_EXPONENT)))


def _combined(low: Floats, high: Floats, forms: Sequence[Floats]) -> Floats:
    """Return every combination of the forms, within the bounds, behind an amplitude of 1 and a baseline of 0."""
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*forms, indexing="ij")], axis=1)
    grid = np.clip(grid, low[2:], high[2:])
    return np.column_stack((np.ones(len(grid)), np.zeros(len(grid)), grid))
