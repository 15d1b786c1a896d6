"""Statistics: each on its own minimum of points, and a reason instead of a number that is none."""

import math
import warnings

import numpy as np
import pytest
from astropy.units import Unit
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ampeld.feature import Undefined
from ampeld.feature.reasons import WORDS
from ampeld.feature.statistics import FEATURES, Extractor, described

EVERY = Extractor(dict.fromkeys(FEATURES))
ABOUT_TIMES = {"duration", "maximum_time_interval", "minimum_time_interval", "time_mean", "time_standard_deviation"}


def reasons(made):
    return {name: value.reason for name, value in made.items() if isinstance(value, Undefined)}


def arrays(*columns):
    return tuple(np.array(column, dtype=np.float64) for column in columns)


@pytest.mark.parametrize("name", FEATURES)
def test_a_statistic_has_its_own_minimum_of_points(name):
    statistic = FEATURES[name]()
    if statistic.minimum:
        n = statistic.minimum - 1
        few = statistic.measure(np.arange(float(n)), np.arange(float(n)) ** 2 + 18, np.ones(n))
        assert few == [Undefined("too_few_points", f"{n} of {statistic.minimum}")] * len(statistic.names)
    n = statistic.minimum
    enough = statistic.measure(np.arange(float(n)), np.arange(float(n)) ** 2 + 18, np.ones(n))
    assert [value.reason for value in enough if isinstance(value, Undefined)] in ([], ["no_period"] * 2)


def test_one_point_has_what_needs_no_second():
    made = EVERY.measure(*arrays([2458000.5], [18.0], [0.1]))
    assert set(reasons(made).values()) == {"too_few_points"}
    assert made["mean"] == made["median"] == made["weighted_mean"] == 18.0
    assert made["amplitude"] == made["inter_percentile_range_25"] == made["duration"] == 0.0


def test_equal_values_have_no_shape_but_a_scatter_of_zero():
    made = EVERY.measure(np.arange(8.0), np.full(8, 18.0), np.full(8, 0.1))
    assert made["standard_deviation"] == made["amplitude"] == made["maximum_slope"] == 0.0
    missing = {"skew", "kurtosis", "eta", "eta_e", "stetson_K", "cusum", "anderson_darling_normal"}
    assert {reasons(made)[name] for name in missing} == {"no_variation"}


def test_equal_times_spoil_what_divides_by_their_difference_alone():
    t, m, sigma = arrays([1, 2, 2, 3, 4, 5], [18, 18.1, 18.3, 18.2, 18.5, 18.4], [0.1] * 6)
    made = EVERY.measure(t, m, sigma)
    assert {name for name, why in reasons(made).items() if why == "equal_times"} == {
        "eta_e",
        "maximum_slope",
        "linear_fit_slope",
        "linear_fit_slope_sigma",
        "linear_fit_reduced_chi2",
        "linear_trend",
        "linear_trend_sigma",
        "linear_trend_noise",
        "parabola_fit_g",
        "parabola_fit_m0",
        "parabola_fit_reduced_chi2",
        "periodogram_period_0",
        "periodogram_period_s_to_n_0",
    }
    assert len(reasons(made)) == 13


@pytest.mark.parametrize("bad", [0.0, math.nan, -0.1, math.inf])
def test_a_missing_error_spoils_what_weighs_by_errors_alone(bad):
    made = EVERY.measure(np.arange(5.0), np.array([18, 19, 18.5, 20, 18.2]), np.array([0.1, bad, 0.1, 0.1, 0.1]))
    spoiled = {name for name, why in reasons(made).items() if why == "no_error"}
    assert {"weighted_mean", "chi2", "stetson_K", "excess_variance", "linear_fit_slope"} <= spoiled
    assert not {"mean", "median", "skew", "eta", "linear_trend"} & set(reasons(made))


@st.composite
def odd_samples(draw):
    n = draw(st.integers(0, 12))
    day = st.integers(0, 20).map(float) | st.floats(0, 1e4)
    value = st.sampled_from([0.0, 18.0, -1e200, 1e-200, 5e-324, 1e308]) | st.floats(-1e6, 1e6)
    error = st.sampled_from([0.0, math.nan, 1e-300, 1e300]) | st.floats(1e-3, 10)
    columns = [draw(st.lists(kind, min_size=n, max_size=n)) for kind in (day, value, error)]
    return np.sort(np.array(columns[0])), np.array(columns[1]), np.array(columns[2])


@settings(max_examples=50)
@given(odd_samples())
def test_whatever_the_numbers_are_there_is_a_finite_value_or_a_reason(sample):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = EVERY.measure(*sample)
    assert list(made) == EVERY.names
    for value in made.values():
        assert (isinstance(value, Undefined) and value.reason in WORDS) or math.isfinite(value)


@st.composite
def plain_samples(draw):
    n = draw(st.integers(5, 20))
    unique = draw(st.lists(st.integers(0, 500), min_size=n, max_size=n, unique=True))
    values = draw(st.lists(st.integers(-3000, 3000), min_size=n, max_size=n, unique=True))
    errors = draw(st.lists(st.integers(10, 300), min_size=n, max_size=n))
    return np.sort(np.array(unique)) / 8, np.array(values) / 1024, np.array(errors) / 1024


WITHOUT_TIME = Extractor({name: None for name in FEATURES if name != "TimeMean"})


@settings(max_examples=30)
@given(plain_samples(), st.integers(-(10**6), 10**6))
def test_a_shift_in_time_changes_the_mean_time_alone(sample, days):
    t, m, sigma = sample
    before, after = WITHOUT_TIME.measure(t, m, sigma), WITHOUT_TIME.measure(t + days, m, sigma)
    for name, value in before.items():
        if not isinstance(value, Undefined):
            assert after[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@settings(max_examples=30)
@given(plain_samples(), st.sampled_from([0.25, 8.0, 1024.0]))
def test_values_scale_with_the_flux_as_their_units_say(sample, factor):
    t, m, sigma = sample
    units = {one.key: one.unit for name in FEATURES for one in FEATURES[name].described}
    for name in FEATURES:
        statistic = FEATURES[name]()
        before, after = statistic.measure(t, m, sigma), statistic.measure(t, m * factor, sigma * factor)
        for one, was, value in zip(statistic.described, before, after, strict=False):
            if isinstance(was, Undefined):
                assert value == was
            else:
                assert value == pytest.approx(was * (factor if "{m}" in units[one.key] else 1), rel=1e-9), name


SHIFTED = {"mean", "weighted_mean", "median", "parabola_fit_m0"}
RELATIVE = {"mean_variance", "excess_variance", "percent_difference_magnitude_percentile_5"}


@settings(max_examples=30)
@given(plain_samples(), st.sampled_from([-16.0, 32.0]))
def test_a_shift_of_all_values_moves_the_means_alone(sample, shift):
    t, m, sigma = sample
    before, after = EVERY.measure(t, m, sigma), EVERY.measure(t, m + shift, sigma)
    for name in set(before) - RELATIVE - {"parabola_fit_m0"}:
        if not isinstance(before[name], Undefined):
            expected = before[name] + (shift if name in SHIFTED else 0)
            assert after[name] == pytest.approx(expected, rel=1e-7, abs=1e-9), name


def test_quantiles_are_of_hazen():
    for n in (1, 2, 5, 14):
        m = np.random.default_rng(n).normal(size=n)
        found = FEATURES["InterPercentileRange"](quantile=0.1).measure(m, m, m)[0]
        assert found == pytest.approx(np.ptp(np.quantile(m, [0.1, 0.9], method="hazen")), rel=1e-5)


def test_chi_squared_is_that_of_scipy():
    chance = np.random.default_rng(3)
    m, sigma = chance.normal(18, 0.1, 9), np.full(9, 0.1)
    chi2 = float((((m - m.mean()) / sigma) ** 2).sum())
    assert FEATURES["Chi2Pvar"]().measure(m, m, sigma)[0] == pytest.approx(stats.chi2(8).sf(chi2), rel=1e-10)
    assert FEATURES["Skew"]().measure(m, m, sigma)[0] == pytest.approx(stats.skew(m, bias=False), rel=1e-9)
    assert FEATURES["Kurtosis"]().measure(m, m, sigma)[0] == pytest.approx(stats.kurtosis(m, bias=False), rel=1e-9)


def test_one_statistic_may_be_asked_for_with_several_arguments():
    two = [{}, {"quantile_numerator": 0.2, "quantile_denominator": 0.1}]
    extractor = Extractor({"MagnitudePercentageRatio": two, "Mean": {}})
    assert extractor.names == ["magnitude_percentage_ratio_40_5", "magnitude_percentage_ratio_20_10", "mean"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"Stetson": None}, "no 'Stetson'.*StetsonK"),
        ({"InterPercentileRange": {"quantil": 0.1}}, "no argument 'quantil'.*quantile"),
        ({"InterPercentileRange": {"quantile": 0.7}}, "must be > 0 and < 0.5"),
        ({"InterPercentileRange": {"quantile": "a"}}, "Expected `float`"),
        ({"BeyondNStd": {"nstd": 0}}, "must be > 0"),
        ({"Periodogram": {"peaks": 0}}, "must be 1 to 100"),
        ({"Periodogram": {"nyquist": 2.0}}, "a quantile is > 0 and < 1"),
        ({"BeyondNStd": [{"nstd": 2.0}, {"nstd": 1.6}]}, "asked for twice: beyond_2_std"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        Extractor(asked)


def test_every_value_is_described_with_a_unit_that_astropy_reads():
    values = list(described("mag", "_{band}"))
    assert len({value.key for value in values}) == len(values) == len(EVERY.names)
    for value in values:
        Unit(value.unit)
        assert value.key.endswith("_{band}")
        assert value.description
