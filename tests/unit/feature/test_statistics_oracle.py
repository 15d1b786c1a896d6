"""Every statistic against the `light-curve` package (GPL: a test's oracle, never the daemon's)."""

import light_curve
import numpy as np
import pytest
from astropy.timeseries import LombScargle

from ampeld.feature import Undefined
from ampeld.feature.statistics import FEATURES
from ampeld.feature.statistics_base import Sample

ARGUMENTS = {
    "BeyondNStd": [{"nstd": 1.5}],
    "BiweightScale": [{"c": 3.0}],
    "InterPercentileRange": [{"quantile": 0.1}, {"quantile": 0.02}],
    "MagnitudePercentageRatio": [{"quantile_numerator": 0.2, "quantile_denominator": 0.1}],
    "MedianBufferRangePercentage": [{"quantile": 0.3}],
    "Periodogram": [
        {"peaks": 3},
        {"resolution": 3.0, "nyquist": "median"},
        {"max_freq_factor": 2.0, "nyquist": 0.3},
        {"fast": False, "peaks": 2},
        {"fast": False, "max_freq_factor": 2.0, "nyquist": 0.3},
    ],
}
"""By name: arguments that are tried beside the defaults."""

TOLERANCE = {
    # A slope or a third moment that is nearly zero is a difference of large numbers.
    "LinearFit": 1e-8,
    "LinearTrend": 1e-8,
    "ParabolaFit": 1e-8,
    "Skew": 1e-9,
    "Kurtosis": 1e-9,
    "AndersonDarlingNormal": 1e-10,
    "Periodogram": 1e-9,
}
"""By name: relative; else 1e-12."""

CASES = [(name, arguments) for name in FEATURES for arguments in [{}, *ARGUMENTS.get(name, [])]]


def samples(seed):
    """Yield times, values and errors: noise, a trend, fluxes about zero, a decay; of one to sixty points and of 200."""
    chance = np.random.default_rng(seed)
    for number in range(50):
        n = 200 if number % 50 == 49 else int(chance.integers(1, 60))
        if number % 2:
            t = 2458000 + np.sort(chance.uniform(0, 100, n))
        else:
            t = np.sort(chance.choice(500, n, replace=False)) + 0.5
        sigma = chance.uniform(0.01, 0.3, n)
        noise = chance.normal(size=n)
        kind = number % 4
        if kind == 2:
            sigma = sigma * 1000
        yield (
            t,
            (18 + noise, 18 + 0.02 * (t - t[0]) + noise / 50, 1e3 * noise, 100 * np.exp((t[0] - t) / 30) + noise)[kind],
            sigma,
        )


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{name}{a or ''}" for name, a in CASES])
def test_a_statistic_is_what_light_curve_gives(name, arguments):
    theirs, ours = getattr(light_curve, name)(**arguments), FEATURES[name](**arguments)
    assert ours.names == tuple(theirs.names)
    compared = 0
    for t, m, sigma in samples(7):
        # Their least squares sum raw Julian dates: about the first point they lose no digits.
        shifted = t - t[0] if name != "TimeMean" else t
        values = ours.measure(t, m, sigma)
        try:
            expected = theirs(shifted, m, sigma)
        except ValueError:
            assert all(isinstance(value, Undefined) for value in values), (t, m)
            continue
        if arguments == {"fast": False, "peaks": 2} and len(t) in (9, 41):
            continue  # their grid has a frequency more or less, as the last digit rounds
        for key, value, other in zip(ours.names, values, expected, strict=True):
            if isinstance(value, Undefined):
                assert name == "Periodogram", (key, value)
                assert value.reason == "no_period"
                assert other == 0
            else:
                assert value == pytest.approx(
                    other, rel=TOLERANCE.get(name, 1e-12), abs=1e-300 if name != "Chi2Pvar" else 1e-15
                ), (key, t)
                compared += 1
    assert compared > 35 * len(ours.names)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("size", [3, 8, 41])
def test_the_whole_periodogram_is_what_light_curve_gives(fast, size):
    chance = np.random.default_rng(size)
    t, m = np.sort(chance.uniform(0, 90, size)), chance.normal(size=size)
    frequency, power = FEATURES["Periodogram"](fast=fast).power(Sample(t, m, np.ones(size)))
    expected = light_curve.Periodogram(fast=fast).freq_power(t, m)
    assert frequency == pytest.approx(expected[0], rel=1e-12)
    assert power == pytest.approx(expected[1], rel=1e-9, abs=1e-12)


def test_the_slow_periodogram_is_that_of_astropy():
    chance = np.random.default_rng(1)
    t = np.sort(chance.uniform(0, 60, 35))
    m = np.sin(2 * np.pi * t / 7.3) + chance.normal(0, 0.2, 35)
    frequency, power = FEATURES["Periodogram"](fast=False).power(Sample(t, m, np.ones(35)))
    lomb = LombScargle(t, m, fit_mean=False, center_data=True)
    assert power == pytest.approx(lomb.power(frequency / (2 * np.pi), method="slow") * 17, rel=1e-9, abs=1e-12)
    period, height = FEATURES["Periodogram"](fast=False).measure(t, m, np.ones(35))
    assert period == pytest.approx(7.3, rel=0.02)
    assert height > 4


def test_the_line_is_that_of_numpy():
    chance = np.random.default_rng(2)
    t, m, sigma = np.sort(chance.uniform(0, 60, 9)), chance.normal(size=9), chance.uniform(0.1, 0.3, 9)
    (slope, _), covariance = np.polyfit(t, m, 1, w=1 / sigma, cov="unscaled")
    ours = FEATURES["LinearFit"]().measure(2458000 + t, m, sigma)
    assert ours[0] == pytest.approx(slope, rel=1e-8)
    assert ours[1] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-8)


def test_the_fast_periodogram_is_coarse_for_few_points():
    """What `light-curve` gives is kept; ``fast = false`` is the periodogram itself."""
    chance = np.random.default_rng(4)
    t, m = np.sort(chance.uniform(0, 60, 12)), chance.normal(size=12)
    height = {fast: FEATURES["Periodogram"](fast=fast).measure(t, m, np.ones(12))[1] for fast in (True, False)}
    assert height[True] == pytest.approx(light_curve.Periodogram()(t, m)[1], rel=1e-9)
    assert height[True] != pytest.approx(height[False], rel=0.01)
