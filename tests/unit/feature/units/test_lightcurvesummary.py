"""LightCurveSummary against AMPEL's own values, and by what must hold of any light curve."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    light_curves,
    lsst,
    lsst_forced,
    lsst_source,
    points_of,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
    ztf_limit,
)
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.lightcurvesummary import LightCurveSummary
from ampeld.params import ParameterError

LIMIT = "last_significant_nondetection_*"


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["", "limit20.5"])
def test_everything_but_the_limit_is_as_ampel_has_it(variant):
    cases = golden("LightCurveSummary", variant)
    assert len(cases) == 56
    for case in cases:
        unit = LightCurveSummary(**case.config)
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        assert not compare(body, case.body, skip=[LIMIT]), case.name
        # The limit is there for us if it is there for AMPEL.
        assert body.keys() - {"undefined"} == case.body.keys(), case.name


@pytest.mark.golden
@pytest.mark.parametrize(("variant", "different"), [("", 29), ("limit20.5", 22)])
def test_the_last_deep_limit_is_the_latest_where_ampel_gives_the_earliest(variant, different):
    found = 0
    for case in golden("LightCurveSummary", variant):
        if "last_significant_nondetection_jd" not in case.body:
            continue
        body = measured(LightCurveSummary(**case.config), case.light_curve)
        depth = case.config.get("limiting_magnitude", 19.5)
        deep = [
            jd
            for number, jd, point in case.points
            if number < 0 and jd < case.body["first_detection"] and point["diffmaglim"] > depth
        ]
        assert case.body["last_significant_nondetection_jd"] == min(deep), case.name
        assert body["last_significant_nondetection_jd"] == max(deep), case.name
        found += bool(compare(body, case.body))
    assert found == different


def test_a_photopoint_without_a_magnitude_counts_and_is_no_limit():
    bare = ztf_detection(2, NIGHT, magpsf=None, diffmaglim=20.9)
    body = measured(LightCurveSummary(), ztf(ztf_limit(1, NIGHT - 5, 20.4), bare, ztf_detection(3, NIGHT + 2)))
    assert (body["num_detections"], body["first_detection"]) == (2, NIGHT)
    assert body["last_significant_nondetection_jd"] == NIGHT - 5
    body = measured(LightCurveSummary(), ztf(bare))
    assert body["num_detections"] == 1
    assert body["magpsf"] is None


def test_only_deep_limits_before_the_first_detection_count():
    curve = ztf(
        ztf_limit(1, NIGHT - 9, 20.0, fid=2),
        ztf_limit(2, NIGHT - 5, 20.5, fid=1),
        ztf_limit(3, NIGHT - 3, 19.5),
        ztf_detection(4, NIGHT),
        ztf_limit(5, NIGHT + 3, 21.0),
    )
    body = measured(LightCurveSummary(), curve)
    assert body["last_significant_nondetection_jd"] == NIGHT - 5
    assert body["last_significant_nondetection_fid"] == 1
    assert body["last_significant_nondetection_diffmaglim"] == 20.5
    assert "last_significant_nondetection_jd" not in measured(LightCurveSummary(limiting_magnitude=20.5), curve)


def test_without_a_limit_its_keys_are_absent_with_a_reason():
    body = measured(LightCurveSummary(), ztf(ztf_detection(1, NIGHT)))
    assert not [key for key in body if key.startswith("last_significant")]
    assert body["undefined"]["last_significant_nondetection_jd"].startswith("no_limit")


def test_without_a_detection_there_is_the_count_alone():
    body = measured(LightCurveSummary(), AWKWARD["limits alone"])
    assert body == {"num_detections": 0, "undefined": {"first_detection": "no_detection"}}


def test_first_and_last_are_by_number_for_ztf_and_by_time_for_lsst():
    ours = ztf(ztf_detection(9, NIGHT, 18.0), ztf_detection(3, NIGHT + 1, 19.0))
    theirs = lsst(lsst_source(9, 60900.0, ra=1.0), lsst_source(3, 60901.0, ra=2.0), lsst_forced(1, 60899.0))
    split = measured(LightCurveSummary(), ours)
    assert (split["first_detection"], split["last_detection"], split["magpsf"]) == (NIGHT + 1, NIGHT, 18.0)
    body = measured(LightCurveSummary(), theirs)
    assert (body["num_detections"], body["ra_dis"], body["ra"]) == (2, 1.0, 2.0)


def test_the_score_and_the_magnitude_of_lsst_stand_under_ztfs_names():
    body = measured(LightCurveSummary(), lsst(lsst_source(1, 60900.0, 10**2.56, reliability=0.7)))
    assert (body["drb"], body["magpsf"]) == (0.7, pytest.approx(25.0))
    fading = measured(LightCurveSummary(), lsst(lsst_source(1, 60900.0, -5.0, reliability=None)))
    assert (fading["undefined"]["magpsf"], fading["magpsf"], fading["drb"]) == ("negative_flux", None, None)


def test_a_limit_of_lsst_has_a_band_and_the_depth_of_its_noise():
    noise = (2, 2460000.5, {"midpointMjdTai": 60000.0, "band": "i", "diaNoise": 200.0})
    body = measured(LightCurveSummary(), lsst(noise, lsst_source(1, 60900.0)))
    assert body["last_significant_nondetection_band"] == "i"
    assert "last_significant_nondetection_fid" not in body
    assert body["last_significant_nondetection_diffmaglim"] == pytest.approx(23.9)


def test_a_column_that_the_detection_lacks_is_none_with_a_reason():
    unit = LightCurveSummary(cols=["neargaia", "rb"])
    body = measured(unit, ztf(ztf_detection(1, NIGHT, rb=0.5)))
    assert (body["neargaia"], body["rb"]) == (None, 0.5)
    assert body["undefined"]["neargaia"] == "no_field: the detection has no neargaia"
    assert unit.reads == ("neargaia",)


def test_a_parameter_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="limiting_magnitude"):
        LightCurveSummary(limiting_mag=20)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_give_values_or_reasons(name):
    unit = LightCurveSummary()
    body = measured(unit, AWKWARD[name])
    assert_described(unit, body)
    assert body["num_detections"] == AWKWARD[name].is_detection.sum()


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 5))
def test_the_order_of_the_points_does_not_matter(curve, seed):
    assert measured(LightCurveSummary(), shuffled(curve, seed)) == measured(LightCurveSummary(), curve)


@settings(max_examples=25)
@given(light_curves("ztf"), st.integers(-1000, 1000))
def test_a_shift_in_time_shifts_the_times_alone(curve, days):
    before, after = measured(LightCurveSummary(), curve), measured(LightCurveSummary(), shifted(curve, days))
    times = {"first_detection", "last_detection", "last_significant_nondetection_jd"} & before.keys()
    assert {key: after[key] for key in times} == {key: pytest.approx(before[key] + days, abs=1e-8) for key in times}
    assert {k: v for k, v in after.items() if k not in times} == {k: v for k, v in before.items() if k not in times}


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_no_limit_that_counts_is_later_than_the_one_that_is_given(curve):
    body = measured(LightCurveSummary(), curve)
    if not body["num_detections"]:
        return
    first = min(point for point in points_of(curve) if "magpsf" in point[2])[1]
    deep = [jd for _, jd, b in points_of(curve) if "magpsf" not in b and jd < first and b["diffmaglim"] > 19.5]
    assert body.get("last_significant_nondetection_jd") == max(deep, default=None)
