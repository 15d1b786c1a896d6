"""The peaks of the Lomb-Scargle periodogram, as the `light-curve` package finds them."""

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NO_PERIOD
from ampeld.feature.statistics_base import TIMES, VARIATION, Computed, Described, Result, Sample, Statistic
from ampeld.feature.unit import Undefined

MOST_FREQUENCIES: Final = 2**17
"""In a grid: two points seconds apart would ask for millions with a Nyquist frequency of a quantile."""
_AT_ONCE: Final = 100_000
"""Angles: what stays in a processor's cache."""


class Periodogram(Statistic, frozen=True):
    """The periods of the highest peaks, and how far each stands out of the power's mean, in its standard deviations.

    The power is that of the values divided by their standard deviation, as scipy's ``lombscargle`` gives it.

    Parameters
    ----------
    peaks
        How many, the highest first.
    resolution
        Of the grid of frequencies: steps within 1 / duration.
    max_freq_factor
        The grid ends at this times the Nyquist frequency.
    nyquist
        The frequency of half a mean step of time, of half a median step, or of half of this quantile of the steps.
    fast
        From Fourier transforms of the points spread over a regular grid of times; false: from the sums themselves.

    Notes
    -----
    Scargle 1982, doi:10.1086/160554; ``fast`` after Press and Rybicki 1989, doi:10.1086/167197, with two cells of the
    grid for a point.
    `light-curve` 0.13.3 gives the same to 1e-12, a flaw of ``fast`` included: in the sums of squares of sines and
    cosines it turns by half of the angle that it should, which for few points changes the heights of peaks.
    ``fast = false`` is the periodogram of the textbook, on a grid that begins with two cycles within the duration.
    """

    peaks: int = 1
    resolution: float = 10.0
    max_freq_factor: float = 1.0
    nyquist: Literal["average", "median"] | float = "average"
    fast: bool = True

    minimum = 2
    needs = (TIMES, VARIATION)
    described = (
        Described("periodogram_period_{i}", "d", "period of the i-th highest peak of the periodogram, from 0"),
        Described("periodogram_period_s_to_n_{i}", "", "(power of that peak - mean power) by the power's scatter"),
    )

    def __post_init__(self) -> None:
        if not 1 <= self.peaks <= 100:
            raise ValueError(f"peaks is {self.peaks}; it must be 1 to 100")
        for name in ("resolution", "max_freq_factor"):
            if not 0 < getattr(self, name) < 1e6:
                raise ValueError(f"{name} is {getattr(self, name):g}; it must be > 0 and < 1e6")
        if not isinstance(self.nyquist, str) and not 0 < self.nyquist < 1:
            raise ValueError(f"nyquist is {self.nyquist:g}; a quantile is > 0 and < 1")

    def _names(self) -> tuple[str, ...]:
        both = ("periodogram_period_{}", "periodogram_period_s_to_n_{}")
        return tuple(name.format(i) for i in range(self.peaks) for name in both)

    def _compute(self, sample: Sample) -> Computed:
        frequency, power = self.power(sample)
        inner = power[1:-1]
        highest = np.flatnonzero((inner > power[:-2]) & (inner > power[2:])) + 1
        highest = highest[np.argsort(-power[highest], kind="stable")][: self.peaks]
        mean, scatter = float(power.mean()), float(power.std(ddof=1)) if len(power) > 1 else math.nan
        values: list[Result] = []
        for peak in highest.tolist():
            values += [2 * math.pi / float(frequency[peak]), (float(power[peak]) - mean) / scatter]
        return (*values, *[Undefined(NO_PERIOD)] * (2 * self.peaks - len(values)))

    def power(self, sample: Sample) -> tuple[Floats, Floats]:
        """Return the angular frequencies [rad/d] and the power of a sample of at least two times, not all equal."""
        values = sample.deviation / sample.std
        t = sample.t - sample.t[0]
        step, last = self._grid(sample)
        if self.fast:
            # Fourier transforms are of powers of two; the nearest one in the logarithm, as light-curve has it.
            size = 2 ** min(max(math.floor(math.log2(last / step) + 0.5), 0), int(math.log2(MOST_FREQUENCIES)))
            frequency = step * np.arange(size + 1.0)
            return frequency, _spread_power(t, values, step, size)
        first = 4 * math.pi / float(t[-1])
        # A half is rounded up, whatever the last digit of a sum of times says.
        size = min(max(math.floor((last - first) / step + 0.5 + 1e-9), 1), MOST_FREQUENCIES)
        frequency = first + step * np.arange(float(size))
        return frequency, _powers(t, values, frequency)

    def _grid(self, sample: Sample) -> tuple[float, float]:
        """Return the step of the grid and the last frequency that is asked for [rad/d]."""
        n, duration = sample.n, float(sample.t[-1] - sample.t[0])
        step = 2 * math.pi * (n - 1) / (n * duration * self.resolution)
        if self.nyquist == "average":
            longest = duration / (n - 1)
        else:
            steps = Sample(sample.t[1:], sample.dt, sample.sigma[1:])
            longest = steps.median if isinstance(self.nyquist, str) else steps.quantile(self.nyquist)
        return step, math.pi / longest * self.max_freq_factor


def _powers(t: Floats, values: Floats, frequency: Floats) -> Floats:
    rows = max(1, _AT_ONCE // len(t))
    parts = [_some_powers(t, values, frequency[at : at + rows]) for at in range(0, len(frequency), rows)]
    return np.concatenate(parts)


def _some_powers(t: Floats, values: Floats, frequency: Floats) -> Floats:
    angle = frequency[:, None] * t
    turn = np.arctan2(np.sin(2 * angle).sum(axis=1), np.cos(2 * angle).sum(axis=1)) / 2
    angle -= turn[:, None]
    power = np.zeros(len(frequency))
    for wave in (np.cos(angle), np.sin(angle)):
        size = (wave * wave).sum(axis=1)
        # It can be zero throughout but for its last digits: then it is no wave.
        power += np.divide((wave @ values) ** 2, 2 * size, out=np.zeros(len(size)), where=size > 1e-20 * len(t))
    return power


def _spread_power(t: Floats, values: Floats, step: float, size: int) -> Floats:
    n = len(t)
    cell = t * (step * size / math.pi)
    wave = np.fft.rfft(_spread(cell, values, 2 * size))
    twice = np.fft.rfft(_spread(2 * cell, np.ones(n), 2 * size))
    cos, sin, cos2, sin2 = wave.real, -wave.imag, twice.real, -twice.imag
    length = np.hypot(cos2, sin2)
    turned = np.divide(cos2, length, out=np.ones(size + 1), where=length > 0)
    cosine = np.sqrt(0.5 * (1 + turned))
    sine = np.copysign(np.sqrt(0.5 * (1 - turned)), sin2)
    along, across = cos * cosine + sin * sine, sin * cosine - cos * sine
    # The textbook turns cos2 and sin2 by the whole angle here: n / 2 + length / 2.
    below = 0.5 * (n + cos2 * cosine + sin2 * sine)
    power = 0.5 * (_ratio(along, below) + _ratio(across, n - below))
    # At both ends one of the two waves is zero throughout.
    power[0] = 0.0
    power[-1] *= 2
    return power


def _ratio(wave: Floats, below: Floats) -> Floats:
    return np.divide(wave * wave, below, out=np.zeros(len(wave)), where=below > 0)


def _spread(cell: Floats, values: Floats, size: int) -> Floats:
    """Return the values on a ring of ``size`` cells, each shared between the two that it lies between."""
    low: NDArray[np.intp] = np.floor(cell).astype(np.intp)
    part = cell - low
    ring: Floats = np.zeros(size)
    np.add.at(ring, low % size, values * (1 - part))
    np.add.at(ring, (low + 1) % size, values * part)
    return ring
