"""LightCurveFeatures against AMPEL's own numbers, and where it is more exact than they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    dimmed,
    light_curves,
    points_of,
    rebanded,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
)
from support.features import GoldenCase, assert_described, compare, golden, measured

from ampeld.feature import LightCurve
from ampeld.feature.units.lightcurvefeatures import LightCurveFeatures
from ampeld.params import ParameterError

# They sum raw Julian dates.
REL = {"linear_fit_slope_ztf?": 5e-7, "linear_fit_reduced_chi2_*": 5e-10, "*": 1e-12}
UNIT = LightCurveFeatures()


def negative(case: GoldenCase) -> bool:
    curve = case.light_curve
    return bool((curve.is_detection & ~curve.positive).any())


def without_signs(curve):
    """Return the light curve as AMPEL's flux table has it: every subtraction is positive."""
    return LightCurve("ztf", [(n, jd, {**body, "isdiffpos": "t"}) for n, jd, body in points_of(curve)])


def values(body):
    return {key: value for key, value in body.items() if key != "undefined"}


def theirs(case, variant):
    # The release names its bands g, r, i.
    return {key[:-1] + "ztf" + key[-1] if variant == "release_0.10.2" else key: v for key, v in case.body.items()}


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["", "more", "release_0.10.2"])
def test_the_values_are_those_of_ampel(variant):
    positive = 0
    for case in golden("LightCurveFeatures", variant):
        unit = LightCurveFeatures(**case.config)
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        expected = theirs(case, variant)
        # Where AMPEL has no key for a whole band, ours has what fewer points give.
        extra = [key for key in body if key not in expected]
        if not negative(case):
            assert compare(body, expected, rel=REL, extra=extra) == [], case.name
            positive += 1
        elif case.name.endswith("muxed"):
            # The formulas are the same for the others, too: it is the signs that AMPEL loses.
            unsigned = measured(unit, without_signs(case.light_curve))
            assert compare(unsigned, expected, rel=REL, extra=[key for key in unsigned if key not in expected]) == []
    assert positive == 25


@pytest.mark.golden
def test_a_band_too_short_for_one_feature_keeps_the_others():
    """AMPEL: a band of two points has no key, since LinearFit needs three."""
    case = next(c for c in golden("LightCurveFeatures") if c.object == "ZTF18aajrzje")
    body = measured(UNIT, case.light_curve)
    assert not any(key.endswith("_ztfr") for key in case.body)
    assert body["inter_percentile_range_25_ztfr"] == pytest.approx(0.4662, abs=1e-4)
    assert body["undefined"]["linear_fit_slope_ztfr"].startswith("too_few_points")


def test_a_negative_flux_has_no_magnitude():
    """AMPEL: a negative subtraction counts with the magnitude of its size."""
    days = [ztf_detection(n, NIGHT + n, 19 + n / 10) for n in range(1, 5)]
    dip = ztf_detection(9, NIGHT + 9, 16.0, isdiffpos="f")
    assert measured(UNIT, ztf(*days, dip)) == measured(UNIT, ztf(*days))
    alone = measured(UNIT, ztf(dip))
    assert values(alone)["stetson_K_ztfg"] is None
    assert alone["undefined"]["stetson_K_ztfg"] == "negative_flux"


def test_of_equal_times_the_first_by_number_counts():
    """AMPEL: a band with two equal times has no key."""
    days = [ztf_detection(n, NIGHT + n, 19 + n / 10) for n in range(1, 5)]
    again = ztf_detection(7, NIGHT + 2, 15.0, rcid=8)
    assert measured(UNIT, ztf(*days, again)) == measured(UNIT, ztf(*days))


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_light_curve_has_values_or_reasons(name):
    assert_described(UNIT, measured(UNIT, AWKWARD[name]))


EVERYTHING = LightCurveFeatures(features={"Periodogram": {"peaks": 2}, "OtsuSplit": {}, "ParabolaFit": {}, "Roms": {}})


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 99))
def test_the_order_of_input_and_of_bands_does_not_matter(curve, seed):
    body = measured(EVERYTHING, curve)
    assert_described(EVERYTHING, body)
    assert measured(EVERYTHING, shuffled(curve, seed)) == body


@settings(max_examples=25)
@given(light_curves("ztf", max_size=15))
def test_bands_that_change_places_change_their_names(curve):
    swapped = values(measured(UNIT, rebanded(curve, {1: 2, 2: 1})))
    places = {"ztfg": "ztfr", "ztfr": "ztfg", "ztfi": "ztfi"}
    assert {key[:-4] + places[key[-4:]]: value for key, value in values(measured(UNIT, curve)).items()} == swapped


@settings(max_examples=25)
@given(light_curves("ztf", max_size=15, awkward=False), st.integers(-1000, 1000))
def test_a_shift_in_time_changes_nothing(curve, days):
    # Steps of time that a Julian date holds exactly.
    fine = LightCurve("ztf", [(n, round(jd * 1024) / 1024, body) for n, jd, body in points_of(curve)])
    body, later = values(measured(UNIT, fine)), values(measured(UNIT, shifted(fine, days)))
    assert body.keys() == later.keys()
    for key, value in body.items():
        assert later[key] == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9))


@settings(max_examples=25)
@given(light_curves("ztf", max_size=15, awkward=False), st.sampled_from([-2.0, 1.5]))
def test_dimmer_light_has_the_same_scatter_and_slopes(curve, magnitudes):
    body, dimmer = values(measured(UNIT, curve)), values(measured(UNIT, dimmed(curve, magnitudes)))
    assert body.keys() == dimmer.keys()
    for key, value in body.items():
        assert dimmer[key] == (None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)), key


def test_an_unknown_feature_or_argument_never_starts():
    with pytest.raises(ParameterError, match="features: there is no 'StetsonJ'"):
        LightCurveFeatures(features={"StetsonJ": None})
    with pytest.raises(ParameterError, match="features: Periodogram has no argument 'peak'"):
        LightCurveFeatures(features={"Periodogram": {"peak": 2}})
