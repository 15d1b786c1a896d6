"""Statistics that weigh each value by its error."""

import math

import numpy as np

from ampeld.feature.statistics_base import ERRORS, VARIATION, Computed, Described, Sample, Statistic, total


class WeightedMean(Statistic, frozen=True):
    """The mean with weights 1 / sigma^2."""

    needs = (ERRORS,)
    described = (Described("weighted_mean", "{m}", "mean with weights 1 / sigma^2"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.weighted_mean


class ReducedChi2(Statistic, frozen=True):
    """Chi-squared about the weighted mean, by n - 1."""

    minimum = 2
    needs = (ERRORS,)
    described = (Described("chi2", "", "chi-squared about the weighted mean, by n - 1"),)

    def _compute(self, sample: Sample) -> Computed:
        return sample.chi2 / (sample.n - 1)


class Chi2Pvar(Statistic, frozen=True):
    """The chance that constant light scatters as much as this, or more. Kim et al. 2014, A&A 566, A43."""

    minimum = 2
    needs = (ERRORS,)
    described = (Described("chi2_pvar", "", "chance that a constant source scatters as much, or more"),)

    def _compute(self, sample: Sample) -> Computed:
        from scipy.special import gammaincc  # noqa: PLC0415  35 MB, for those who ask for it

        return float(gammaincc((sample.n - 1) / 2, sample.chi2 / 2))


class StetsonK(Statistic, frozen=True):
    """Stetson's K: the mean distance from the weighted mean by the root of the mean square. doi:10.1086/133808."""

    minimum = 2
    needs = (ERRORS, VARIATION)
    described = (Described("stetson_K", "", "Stetson's K: 0.8 for a normal distribution, 0.9 for a sinusoid"),)

    def _compute(self, sample: Sample) -> Computed:
        return total(np.abs(sample.pull)) / math.sqrt(sample.n * sample.chi2)


class ExcessVariance(Statistic, frozen=True):
    """The variance beyond that of the errors, by the square of the mean. After doi:10.3847/1538-4357/aa9188."""

    minimum = 2
    needs = (ERRORS,)
    described = (Described("excess_variance", "", "(variance - mean squared error) by the square of the mean"),)

    def _compute(self, sample: Sample) -> Computed:
        return (sample.variance - float(sample.sigma @ sample.sigma) / sample.n) / sample.mean**2


class Roms(Statistic, frozen=True):
    """The robust median statistic: the distances from the median in errors, by n - 1. doi:10.1086/376598."""

    minimum = 2
    needs = (ERRORS,)
    described = (Described("roms", "", "distances from the median in errors, by n - 1; below 1 if constant"),)

    def _compute(self, sample: Sample) -> Computed:
        return total(np.abs(sample.m - sample.median) / sample.sigma) / (sample.n - 1)
