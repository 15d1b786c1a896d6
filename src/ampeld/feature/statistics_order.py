"""Statistics of the ordered values: ranges, quantiles and what is robust."""

import math

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NO_VARIATION
from ampeld.feature.statistics_base import (
    VARIATION,
    Computed,
    Described,
    Sample,
    Statistic,
    percent,
    share,
    total,
)
from ampeld.feature.unit import Undefined


class Amplitude(Statistic, frozen=True):
    """Half of the difference of the largest and the smallest value."""

    described = (Described("amplitude", "{m}", "half of the largest less the smallest value"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.extent / 2


class Median(Statistic, frozen=True):
    """The median."""

    described = (Described("median", "{m}", "median"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.median


class MedianAbsoluteDeviation(Statistic, frozen=True):
    """The median of the distances from the median."""

    described = (Described("median_absolute_deviation", "{m}", "median distance from the median"),)

    def _compute(self, sample: Sample) -> Computed:
        return _mad(sample)


class PercentAmplitude(Statistic, frozen=True):
    """The largest distance from the median."""

    described = (Described("percent_amplitude", "{m}", "largest distance from the median"),)

    def _compute(self, sample: Sample) -> Computed:
        values = sample.ordered
        return max(float(values[-1]) - sample.median, sample.median - float(values[0]))


class InterPercentileRange(Statistic, frozen=True):
    """The difference of the quantiles 1 - quantile and quantile, by Hazen's rule."""

    quantile: float = 0.25

    described = (
        Described("inter_percentile_range_{quantile}", "{m}", "quantile 1 - q less quantile q, by Hazen's rule"),
    )

    def __post_init__(self) -> None:
        _check(self.quantile, "quantile")

    def _names(self) -> tuple[str, ...]:
        return (f"inter_percentile_range_{percent(self.quantile)}",)

    def _compute(self, sample: Sample) -> Computed:
        return sample.between(self.quantile)


class MagnitudePercentageRatio(Statistic, frozen=True):
    """The ratio of two differences of quantiles. D'Isanto et al. 2016, doi:10.1093/mnras/stw157."""

    quantile_numerator: float = 0.4
    quantile_denominator: float = 0.05

    minimum = 2
    needs = (VARIATION,)
    described = (
        Described("magnitude_percentage_ratio_{quantiles}", "", "ratio of two differences of quantiles 1 - q and q"),
    )

    def __post_init__(self) -> None:
        _check(self.quantile_numerator, "quantile_numerator")
        _check(self.quantile_denominator, "quantile_denominator")

    def _names(self) -> tuple[str, ...]:
        both = f"{percent(self.quantile_numerator)}_{percent(self.quantile_denominator)}"
        return (f"magnitude_percentage_ratio_{both}",)

    def _compute(self, sample: Sample) -> Computed:
        below = sample.between(self.quantile_denominator)
        if below == 0:
            return Undefined(NO_VARIATION, "the quantiles of the denominator are equal")
        return sample.between(self.quantile_numerator) / below


class PercentDifferenceMagnitudePercentile(Statistic, frozen=True):
    """A difference of quantiles by the median. D'Isanto et al. 2016, doi:10.1093/mnras/stw157."""

    quantile: float = 0.05

    described = (
        Described("percent_difference_magnitude_percentile_{quantile}", "", "quantile 1 - q less q, by the median"),
    )

    def __post_init__(self) -> None:
        _check(self.quantile, "quantile")

    def _names(self) -> tuple[str, ...]:
        return (f"percent_difference_magnitude_percentile_{percent(self.quantile)}",)

    def _compute(self, sample: Sample) -> Computed:
        return sample.between(self.quantile) / sample.median


class MedianBufferRangePercentage(Statistic, frozen=True):
    """The fraction of points nearer to the median than ``quantile`` amplitudes. doi:10.1093/mnras/stw157."""

    quantile: float = 0.1

    described = (
        Described("median_buffer_range_percentage_{quantile}", "", "fraction of points within q amplitudes of median"),
    )

    def __post_init__(self) -> None:
        if not self.quantile > 0:
            raise ValueError(f"quantile is {self.quantile:g}; it must be > 0")

    def _names(self) -> tuple[str, ...]:
        return (f"median_buffer_range_percentage_{percent(self.quantile)}",)

    def _compute(self, sample: Sample) -> Computed:
        return share(np.abs(sample.m - sample.median) < float(np.float32(self.quantile)) * sample.extent / 2)


class BiweightScale(Statistic, frozen=True):
    """Tukey's biweight scale: a standard deviation that outliers do not move. doi:10.1086/115487, eq. 9."""

    c: float = 9.0

    described = (Described("biweight_scale_{c}", "{m}", "Tukey's biweight scale"),)

    def __post_init__(self) -> None:
        if not self.c > 0:
            raise ValueError(f"c is {self.c:g}; it must be > 0")

    def _names(self) -> tuple[str, ...]:
        return (f"biweight_scale_{self.c:.0f}",)

    def _compute(self, sample: Sample) -> Computed:
        mad = _mad(sample)
        if mad == 0:
            return 0.0
        distance = sample.m - sample.median
        square = (distance / (self.c * mad)) ** 2
        near = square < 1
        square = square[near]
        above = total(distance[near] ** 2 * (1 - square) ** 4)
        below = abs(total((1 - square) * (1 - 5 * square)))
        return math.sqrt(sample.n * above) / below


def _mad(sample: Sample) -> float:
    return _middle(np.sort(np.abs(sample.m - sample.median)))


def _middle(ordered: Floats) -> float:
    n = len(ordered)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def _check(quantile: float, name: str) -> None:
    if not 0 < quantile < 0.5:
        raise ValueError(f"{name} is {quantile:g}; it must be > 0 and < 0.5")
