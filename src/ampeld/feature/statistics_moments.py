"""Statistics of the values alone: their mean, scatter and shape."""

import math
from typing import Final

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.statistics_base import VARIATION, Computed, Described, Sample, Statistic, share, total

_ROOT_2: Final = math.sqrt(2.0)


class Mean(Statistic, frozen=True):
    """The mean, without weights."""

    described = (Described("mean", "{m}", "mean, without weights"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.mean


class StandardDeviation(Statistic, frozen=True):
    """The standard deviation s of the sample, with n - 1."""

    minimum = 2
    described = (Described("standard_deviation", "{m}", "standard deviation of the sample (n - 1)"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.std


class MeanVariance(Statistic, frozen=True):
    """The standard deviation by the mean."""

    minimum = 2
    described = (Described("mean_variance", "", "standard deviation by the mean"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.std / sample.mean


class Skew(Statistic, frozen=True):
    """The skewness of the sample, G1: n / ((n-1)(n-2)) sum(d^3) / s^3."""

    minimum = 3
    needs = (VARIATION,)
    described = (Described("skew", "", "skewness G1 of the sample"),)

    def _compute(self, sample: Sample) -> Computed:
        n, d = sample.n, sample.deviation
        return n / ((n - 1) * (n - 2)) * float(d * d @ d) / sample.std**3


class Kurtosis(Statistic, frozen=True):
    """The excess kurtosis of the sample, G2."""

    minimum = 4
    needs = (VARIATION,)
    described = (Described("kurtosis", "", "excess kurtosis G2 of the sample; 0 for a normal distribution"),)

    def _compute(self, sample: Sample) -> Computed:
        n, square = sample.n, sample.deviation**2
        fourth = float(square @ square) / sample.variance**2
        return n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))


class BeyondNStd(Statistic, frozen=True):
    """The fraction of points farther from the mean than ``nstd`` standard deviations.

    D'Isanto et al. 2016, doi:10.1093/mnras/stw157.
    """

    nstd: float = 1.0

    minimum = 2
    described = (Described("beyond_{nstd}_std", "", "fraction of points farther than nstd std from the mean"),)

    def __post_init__(self) -> None:
        if not self.nstd > 0:
            raise ValueError(f"nstd is {self.nstd:g}; it must be > 0")

    def _names(self) -> tuple[str, ...]:
        return (f"beyond_{self.nstd:.0f}_std",)

    def _compute(self, sample: Sample) -> Computed:
        return share(np.abs(sample.deviation) > self.nstd * sample.std)


class Cusum(Statistic, frozen=True):
    """The range of the cumulative sums of the deviations, by n s. Kim et al. 2014, doi:10.1051/0004-6361/201323252."""

    minimum = 2
    needs = (VARIATION,)
    described = (Described("cusum", "", "range of the cumulative sums of standardised values, by n"),)

    def _compute(self, sample: Sample) -> Computed:
        sums = np.add.accumulate(sample.deviation)
        return float(sums.max() - sums.min()) / (sample.n * sample.std)


class AndersonDarlingNormal(Statistic, frozen=True):
    """Anderson and Darling's distance from a normal distribution, A^2 (1 + 4/n - 25/n^2)."""

    minimum = 4
    needs = (VARIATION,)
    described = (Described("anderson_darling_normal", "", "Anderson-Darling distance from a normal distribution"),)

    def _compute(self, sample: Sample) -> Computed:
        n = sample.n
        # Of thirty points faster than an import of scipy.special would ever pay back.
        scaled = ((sample.ordered - sample.mean) / (sample.std * _ROOT_2)).tolist()
        terms = math.fsum(
            (2 * i + 1) * math.log(0.5 * math.erfc(-y)) + (2 * (n - i) - 1) * math.log(0.5 * math.erfc(y))
            for i, y in enumerate(scaled)
        )
        return (1 + 4 / n - 25 / n**2) * (-n - terms / n)


class LaflerKinmanStringLength(Statistic, frozen=True):
    """The sum of squared differences of neighbours, the last and the first too, by 2 (n-1) s^2. ApJS 11, 216."""

    minimum = 2
    needs = (VARIATION,)
    described = (
        Described("lafler_kinman_string_length", "", "squared differences of neighbours by the scatter; 1 if random"),
    )

    def _compute(self, sample: Sample) -> Computed:
        around = float(sample.m[0] - sample.m[-1])
        return (float(sample.dm @ sample.dm) + around**2) / (2 * (sample.n - 1) * sample.variance)


class OtsuSplit(Statistic, frozen=True):
    """The two groups that differ most (Otsu 1979, doi:10.1109/tsmc.1979.4310076): how far, how wide, how many."""

    minimum = 2
    needs = (VARIATION,)
    described = (
        Described("otsu_mean_diff", "{m}", "difference of the means of the upper and the lower group"),
        Described("otsu_std_lower", "{m}", "standard deviation of the lower group"),
        Described("otsu_std_upper", "{m}", "standard deviation of the upper group"),
        Described("otsu_lower_to_all_ratio", "", "fraction of points in the lower group"),
    )

    def _compute(self, sample: Sample) -> Computed:
        values, n = sample.ordered, sample.n
        lower = np.add.accumulate(values)[:-1]
        count = np.arange(1.0, n)
        difference = (lower[-1] + values[-1] - lower) / (n - count) - lower / count
        # Equal values are of one group.
        between = np.where(values[1:] > values[:-1], count * (n - count) * difference**2, -1.0)
        first = int(between.argmax())
        return float(difference[first]), _std(values[: first + 1]), _std(values[first + 1 :]), (first + 1) / n


def _std(values: Floats) -> float:
    n = len(values)
    if n < 2:
        return 0.0
    deviation = values - total(values) / n
    return math.sqrt(float(deviation @ deviation) / (n - 1))
