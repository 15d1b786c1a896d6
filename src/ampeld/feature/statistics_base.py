"""What a statistic of one band is, and the sample that all statistics share: each sum is made once."""

import math
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import EQUAL_TIMES, NO_ERROR, NO_VARIATION, NOT_FINITE, TOO_FEW_POINTS
from ampeld.feature.unit import Undefined

Result = float | Undefined
Computed = float | tuple[Result, ...] | Undefined

ERRORS: Final = "errors"
"""A need: every point has an error, and none is zero."""
TIMES: Final = "times"
"""A need: no two points have one time."""
VARIATION: Final = "variation"
"""A need: not all values are equal."""

_HALF: Final = np.float32(0.5)
_ONE: Final = np.float32(1.0)


class Described(NamedTuple):
    """What one value of a statistic is."""

    key: str
    """Its name; ``{quantile}`` and the like stand for what varies."""
    unit: str
    """In terms of the unit of what is measured: ``{m} / d``; empty for a number without one."""
    description: str


class Sample:
    """The points of one band.

    Parameters
    ----------
    t : shape (n,), n >= 0
        Times [d], ascending.
    m : shape (n,)
        Magnitudes or fluxes, finite.
    sigma : shape (n,)
        Their errors, in the same unit.
    """

    def __init__(self, t: Floats, m: Floats, sigma: Floats) -> None:
        self.t = t
        self.m = m
        self.sigma = sigma
        self.n = len(m)

    @cached_property
    def mean(self) -> float:
        """Return the mean, without weights."""
        return total(self.m) / self.n

    @cached_property
    def deviation(self) -> Floats:
        """Return m - mean."""
        return self.m - self.mean

    @cached_property
    def variance(self) -> float:
        """Return the variance of the sample, with n - 1."""
        return float(self.deviation @ self.deviation) / (self.n - 1)

    @cached_property
    def std(self) -> float:
        """Return the standard deviation of the sample."""
        return math.sqrt(self.variance)

    @cached_property
    def ordered(self) -> Floats:
        """Return the values in rising order."""
        return np.sort(self.m)

    @cached_property
    def extent(self) -> float:
        """Return the largest value less the smallest."""
        return float(self.ordered[-1] - self.ordered[0])

    @cached_property
    def median(self) -> float:
        """Return the median."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> float:
        """Return the value at ``q * n - 1 / 2`` of the ordered values, between two of them linearly (Hazen's rule).

        The position is of single precision, as in ``light-curve``: of a value, it is the seventh digit.
        """
        position = float(np.float32(q) * np.float32(self.n) - _HALF)
        position = min(max(position, 0.0), self.n - 1.0)
        below = int(position)
        low = float(self.ordered[below])
        return low if below == position else low + (float(self.ordered[below + 1]) - low) * (position - below)

    def between(self, q: float) -> float:
        """Return the quantile 1 - q less the quantile q."""
        return self.quantile(float(_ONE - np.float32(q))) - self.quantile(q)

    @cached_property
    def weight(self) -> Floats:
        """Return the inverse squares of the errors."""
        return self.sigma**-2.0

    @cached_property
    def weighted_mean(self) -> float:
        """Return the mean with these weights."""
        return float(self.weight @ self.m) / total(self.weight)

    @cached_property
    def pull(self) -> Floats:
        """Return the deviations from the weighted mean, in errors."""
        return (self.m - self.weighted_mean) / self.sigma

    @cached_property
    def chi2(self) -> float:
        """Return the sum of the squared pulls."""
        return float(self.pull @ self.pull)

    @cached_property
    def dt(self) -> Floats:
        """Return the differences of neighbouring times, shape (n - 1,)."""
        return self.t[1:] - self.t[:-1]

    @cached_property
    def dm(self) -> Floats:
        """Return the differences of neighbouring values, shape (n - 1,)."""
        return self.m[1:] - self.m[:-1]

    @cached_property
    def slope(self) -> Floats:
        """Return the slopes between neighbours, shape (n - 1,)."""
        return self.dm / self.dt

    def lacks(self, need: str) -> Undefined | None:
        """Return why a need is not met; None where it is."""
        return self._lacking[need] if need in self._lacking else self._lacking.setdefault(need, self._look(need))

    @cached_property
    def _lacking(self) -> dict[str, Undefined | None]:
        return {}

    def _look(self, need: str) -> Undefined | None:
        if need == ERRORS:
            bad = self.n - int(np.count_nonzero((self.sigma > 0) & (self.sigma < math.inf)))
            return Undefined(NO_ERROR, f"{bad} of {self.n} points") if bad else None
        if need == TIMES:
            return None if self.n < 2 or self.dt.min() > 0 else Undefined(EQUAL_TIMES, "two points have one time")
        # The squares of differences of 1e-200 are zero.
        return None if self.extent > 0 and self.variance > 0 else Undefined(NO_VARIATION)


class Statistic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One or more values of the points of a band. Its parameters are its fields."""

    minimum: ClassVar[int] = 1
    """Of points."""
    needs: ClassVar[tuple[str, ...]] = ()
    described: ClassVar[tuple[Described, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Return what each value is called."""
        return self._names()

    def _names(self) -> tuple[str, ...]:
        return tuple(one.key for one in self.described)

    def _compute(self, sample: Sample) -> Computed:
        """Return the values of a sample that has all it needs."""
        raise NotImplementedError

    def measure(self, t: Floats, m: Floats, sigma: Floats) -> list[Result]:
        """Return each value, or why there is none, in the order of ``names``.

        Parameters
        ----------
        t : shape (n,), n >= 0
            Times [d], ascending.
        m : shape (n,)
            Magnitudes or fluxes, finite.
        sigma : shape (n,)
            Their errors, in the same unit.
        """
        with np.errstate(all="ignore"):
            return self.of(Sample(t, m, sigma))

    def of(self, sample: Sample) -> list[Result]:
        """Return the same of a sample that other statistics look at, too."""
        if sample.n < self.minimum:
            return [Undefined(TOO_FEW_POINTS, f"{sample.n} of {self.minimum}")] * len(self.names)
        for need in self.needs:
            if (why := sample.lacks(need)) is not None:
                return [why] * len(self.names)
        try:
            computed = self._compute(sample)
        except (ArithmeticError, ValueError):  # numbers of 1e200 and the like: a logarithm of zero, an overflow
            return [Undefined(NOT_FINITE)] * len(self.names)
        if isinstance(computed, Undefined):
            return [computed] * len(self.names)
        values = computed if isinstance(computed, tuple) else (computed,)
        return [one if isinstance(one, Undefined) or math.isfinite(one) else Undefined(NOT_FINITE) for one in values]


def total(values: Floats) -> float:
    """Return the sum; a third of the time of ``values.sum()``, which matters for thirty points."""
    return float(np.add.reduce(values))


def share(chosen: NDArray[np.bool_]) -> float:
    """Return which fraction is true."""
    return int(np.count_nonzero(chosen)) / len(chosen)


def percent(quantile: float) -> str:
    """Return a quantile as it stands in a name: 0.25 is 25."""
    return f"{100 * quantile:.0f}"
