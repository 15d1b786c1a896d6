"""Mean and spread of a distance along a line of sight, from the parameters that sky maps carry."""

import math
from typing import Final

import numpy as np

_TAIL: Final = -4.0
"""Below this mu / sigma the closed form loses its digits."""


def moments(mu: float, sigma: float) -> tuple[float, float]:
    """Return mean and standard deviation of a density proportional to r^2 exp(-(r - mu)^2 / 2 sigma^2), r > 0.

    Parameters
    ----------
    mu
        [Mpc], of either sign.
    sigma
        [Mpc], above 0.

    Notes
    -----
    Singer et al. 2016, ApJ Supplement 226, 10. The moments of the truncated normal follow from each other by parts:
    M(k+1) = mu M(k) + k sigma^2 M(k-1); far in the tail by Gauss-Laguerre quadrature. Checked against numerical
    integration to 1e-8.
    """
    ratio = mu / sigma
    second, third, fourth = _tail(ratio) if ratio < _TAIL else _recursion(ratio)
    mean = third / second
    return sigma * mean, sigma * math.sqrt(max(fourth / second - mean * mean, 0.0))


def _recursion(ratio: float) -> tuple[float, float, float]:
    zeroth = 0.5 * math.erfc(-ratio / math.sqrt(2))
    first = ratio * zeroth + math.exp(-0.5 * ratio * ratio) / math.sqrt(2 * math.pi)
    second = ratio * first + zeroth
    third = ratio * second + 2 * first
    return second, third, ratio * third + 3 * second


def _tail(ratio: float) -> tuple[float, float, float]:
    nodes, weights = np.polynomial.laguerre.laggauss(40)
    r = nodes / -ratio
    rest = weights * np.exp(-0.5 * r * r)
    return float(np.sum(rest * r**2)), float(np.sum(rest * r**3)), float(np.sum(rest * r**4))
