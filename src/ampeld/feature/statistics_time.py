"""Statistics of the values in time: slopes, lines, how smooth they are, and of the times alone."""

import math

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.statistics_base import ERRORS, TIMES, VARIATION, Computed, Described, Sample, Statistic, total


class Eta(Statistic, frozen=True):
    """Von Neumann's eta: the mean squared difference of neighbours by the variance. doi:10.1051/0004-6361/201323252."""

    minimum = 2
    needs = (VARIATION,)
    described = (Described("eta", "", "mean squared difference of neighbours by the variance"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(sample.dm @ sample.dm) / ((sample.n - 1) * sample.variance)


class EtaE(Statistic, frozen=True):
    """Eta for uneven times: (t_n - t_1)^2 / (n-1)^3 sum((dm/dt)^2) / s^2."""

    minimum = 2
    needs = (TIMES, VARIATION)
    described = (Described("eta_e", "", "mean squared slope between neighbours by the variance, times the step^2"),)

    def _compute(self, sample: Sample) -> Computed:
        duration = float(sample.t[-1] - sample.t[0])
        return duration**2 / (sample.n - 1) ** 3 * float(sample.slope @ sample.slope) / sample.variance


class MaximumSlope(Statistic, frozen=True):
    """The steepest slope between neighbours, without its sign."""

    minimum = 2
    needs = (TIMES,)
    described = (Described("maximum_slope", "{m} / d", "steepest slope between neighbours, without its sign"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(np.abs(sample.slope).max())


class LinearFit(Statistic, frozen=True):
    """The line of least squares with weights 1 / sigma^2, about the mean time so that no digit is lost."""

    minimum = 3
    needs = (ERRORS, TIMES)
    described = (
        Described("linear_fit_slope", "{m} / d", "slope of the weighted line"),
        Described("linear_fit_slope_sigma", "{m} / d", "error of that slope, from the errors of the points"),
        Described("linear_fit_reduced_chi2", "", "chi-squared of the weighted line, by n - 2"),
    )

    def _compute(self, sample: Sample) -> Computed:
        weight, m = sample.weight, sample.m - sample.weighted_mean
        t = sample.t - sample.t[0]
        t = t - float(weight @ t) / total(weight)
        weighted = weight * t
        spread = float(weighted @ t)
        slope = float(weighted @ m) / spread
        rest = m - slope * t
        return slope, 1 / math.sqrt(spread), float(weight @ (rest * rest)) / (sample.n - 2)


class LinearTrend(Statistic, frozen=True):
    """The line of least squares without weights; its error and the noise follow from the scatter about it."""

    minimum = 3
    needs = (TIMES,)
    described = (
        Described("linear_trend", "{m} / d", "slope of the line without weights"),
        Described("linear_trend_sigma", "{m} / d", "error of that slope, from the scatter about the line"),
        Described("linear_trend_noise", "{m}", "scatter about the line"),
    )

    def _compute(self, sample: Sample) -> Computed:
        t = _centred(sample.t)
        spread = float(t @ t)
        slope = float(t @ sample.deviation) / spread
        rest = sample.deviation - slope * t
        noise = math.sqrt(float(rest @ rest) / (sample.n - 2))
        return slope, noise / math.sqrt(spread), noise


class ParabolaFit(Statistic, frozen=True):
    """The parabola of weighted least squares: its curvature, its extremum, and how well it fits."""

    minimum = 4
    needs = (ERRORS, TIMES, VARIATION)
    described = (
        Described("parabola_fit_g", "{m} / d2", "curvature of the weighted parabola"),
        Described("parabola_fit_m0", "{m}", "its extremum"),
        Described("parabola_fit_reduced_chi2", "", "its chi-squared, by n - 3"),
    )

    def _compute(self, sample: Sample) -> Computed:
        t, weight = _centred(sample.t), sample.weight
        # Polynomials that are orthogonal for these times and weights: no matrix to be ill-conditioned.
        t = t - float(weight @ t) / total(weight)
        square = t * t
        norm = float(weight @ square)
        offset = norm / total(weight)
        tilt = float((weight * t) @ square) / norm
        bow = square - tilt * t - offset
        m = sample.m - sample.weighted_mean
        slope = float((weight * t) @ m) / norm
        curvature = float((weight * bow) @ m) / float((weight * bow) @ bow)
        rest = m - slope * t - curvature * bow
        at = (tilt - slope / curvature) / 2
        extremum = sample.weighted_mean + slope * at + curvature * (at * at - tilt * at - offset)
        return curvature, extremum, float(weight @ (rest * rest)) / (sample.n - 3)


class Duration(Statistic, frozen=True):
    """The time from the first to the last point."""

    described = (Described("duration", "d", "time from the first to the last point"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(sample.t[-1] - sample.t[0])


class MaximumTimeInterval(Statistic, frozen=True):
    """The longest time between neighbours."""

    minimum = 2
    described = (Described("maximum_time_interval", "d", "longest time between neighbours"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(sample.dt.max())


class MinimumTimeInterval(Statistic, frozen=True):
    """The shortest time between neighbours."""

    minimum = 2
    described = (Described("minimum_time_interval", "d", "shortest time between neighbours"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(sample.dt.min())


class ObservationCount(Statistic, frozen=True):
    """How many points there are."""

    minimum = 0
    described = (Described("observation_count", "", "how many points there are"),)

    def _compute(self, sample: Sample) -> Computed:
        return float(sample.n)


class TimeMean(Statistic, frozen=True):
    """The mean time."""

    described = (Described("time_mean", "d", "mean time [JD]"),)

    def _compute(self, sample: Sample) -> Computed:
        first = float(sample.t[0])
        return first + total(sample.t - first) / sample.n


class TimeStandardDeviation(Statistic, frozen=True):
    """The standard deviation of the times, with n - 1."""

    minimum = 2
    described = (Described("time_standard_deviation", "d", "standard deviation of the times (n - 1)"),)

    def _compute(self, sample: Sample) -> Computed:
        t = _centred(sample.t)
        return math.sqrt(float(t @ t) / (sample.n - 1))


def _centred(t: Floats) -> Floats:
    # From the first: sums of raw Julian dates lose seven digits.
    t = t - t[0]
    return t - total(t) / len(t)
