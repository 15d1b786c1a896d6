"""FastDecliner against AMPEL's own values, and by what must hold of any light curve."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    dimmed,
    light_curves,
    lsst,
    lsst_source,
    points_of,
    rebanded,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
)
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.fastdecliner import FastDecliner
from ampeld.params import ParameterError

AMPELS_KEYS = {"1": "g", "2": "R"}
NEGATIVE = ("f", "0")
"""Of `isdiffpos`."""


def pairs_have_one_sign(case):
    """Tell whether AMPEL's last two detections of each band have one sign and two times."""
    for fid in (1, 2, 3):
        last = [(p[2]["isdiffpos"] in ("t", "1"), p[1]) for p in sorted(case.points) if p[0] > 0 and p[2]["fid"] == fid]
        if len(last) > 1 and (last[-1][0] != last[-2][0] or last[-1][1] == last[-2][1]):
            return False
    return True


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["", "loose"])
def test_detections_of_one_sign_give_ampels_values(variant):
    compared = 0
    for case in golden("FastDecliner", variant):
        unit = FastDecliner(**({"filter_keys": AMPELS_KEYS} | case.config))
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        if pairs_have_one_sign(case):
            assert case.error is None
            assert not compare(body, case.body, extra=["*.decline_rate_err"]), case.name
            compared += 1
    assert compared == 48


@pytest.mark.golden
def test_a_pair_of_two_signs_is_no_trend_where_ampel_sees_a_decline_of_two_magnitudes_a_day():
    (case,) = [case for case in golden("FastDecliner") if case.object == "ZTF18aaxkqbx"]
    body = measured(FastDecliner(**case.config), case.light_curve)
    assert (case.body["fast_decliner"], case.body["g"]["decline_rate"]) == (True, 1.9631975914755924)
    assert body["fast_decliner"] is False
    green = [point["isdiffpos"] for number, _, point in case.points if number > 0 and point["fid"] == 1]
    assert sorted(green[-2:]) == ["f", "t"]
    assert body["g"]["decline_rate"] == pytest.approx(-0.0459946345382963)


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["", "loose"])
def test_equal_times_that_make_ampel_raise_give_the_values_of_the_later_reduction(variant):
    cases = golden("FastDecliner", variant)
    raised = [case for case in cases if case.error]
    assert [case.error for case in raised] == ["ZeroDivisionError: float division by zero"] * 2
    muxed = {case.object: case for case in cases if case.name.endswith("muxed")}
    for case in raised:
        unit = FastDecliner(**case.config)
        assert measured(unit, case.light_curve) == measured(unit, muxed[case.object].light_curve), case.name


@pytest.mark.golden
def test_the_red_band_is_r_where_ampel_says_r_in_capitals():
    (case,) = [case for case in golden("FastDecliner") if case.object == "SYNTH_OUTBURST"]
    body = measured(FastDecliner(), case.light_curve)
    assert "r" not in case.body
    assert body["r"]["decline_rate"] == pytest.approx(case.body["R"]["decline_rate"], rel=1e-14)
    assert body["i"]["delta_t"] == pytest.approx(6.1)


def test_the_error_of_the_rate_is_that_of_both_magnitudes():
    curve = ztf(ztf_detection(1, NIGHT, 18.0, sigmapsf=0.3), ztf_detection(2, NIGHT + 0.5, 19.0, sigmapsf=0.4))
    body = measured(FastDecliner(), curve)
    assert body["g"] == {"delta_t": 0.5, "decline_rate": 2.0, "decline_rate_err": pytest.approx(1.0)}
    assert body["fast_decliner"] is True
    assert body["undefined"]["r"].startswith("too_few_points")


@pytest.mark.parametrize(("delta_t", "fast"), [(0.1, False), (0.125, True), (1.875, True), (2.0, False)])
def test_only_pairs_that_are_near_enough_in_time_count(delta_t, fast):
    curve = ztf(ztf_detection(1, NIGHT, 18.0), ztf_detection(2, NIGHT + delta_t, 20.0))
    unit = FastDecliner(min_trange=0.1 if delta_t != 0.1 else float(NIGHT + 0.1) - NIGHT)
    assert measured(unit, curve)["fast_decliner"] is fast


def test_a_detection_without_an_error_is_passed_over():
    curve = ztf(
        ztf_detection(1, NIGHT, 18.0),
        ztf_detection(2, NIGHT + 1, 18.5),
        ztf_detection(3, NIGHT + 2, 30.0, sigmapsf=None),
    )
    assert measured(FastDecliner(), curve)["g"]["decline_rate"] == 0.5


def test_any_band_of_lsst_can_be_asked_for():
    curve = lsst(lsst_source(1, 60900.0, 1000.0, band="z"), lsst_source(2, 60901.0, 100.0, band="z"))
    body = measured(FastDecliner(filter_keys={"z": "z"}), curve)
    assert body["z"]["decline_rate"] == pytest.approx(2.5)


@pytest.mark.parametrize(("keys", "why"), [({"7": "x"}, "'7' is no filter"), ({"1": "fast_decliner"}, "of its own")])
def test_filters_and_names_that_cannot_be_are_refused(keys, why):
    with pytest.raises(ParameterError, match=f"filter_keys: .*{why}"):
        FastDecliner(filter_keys=keys)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_give_values_or_reasons(name):
    unit = FastDecliner()
    body = measured(unit, AWKWARD[name])
    assert_described(unit, body)
    assert body.keys() | body.get("undefined", {}).keys() >= {"g", "r", "i"}


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_the_rate_is_that_of_the_last_two_times_of_one_sign(curve):
    body = measured(FastDecliner(), curve)
    for fid, name in ((1, "g"), (2, "r"), (3, "i")):
        newest = {}
        for number, jd, point in points_of(curve):
            if point["fid"] == fid and "magpsf" in point and point.get("sigmapsf") is not None:
                newest[jd] = max(newest.get(jd, (0, None, None)), (number, point["magpsf"], point.get("isdiffpos")))
        # Of equal times the largest number decides of the last one's sign.
        sign = newest[max(newest)][2] in NEGATIVE if newest else None
        same = sorted(
            (jd, number, point["magpsf"])
            for number, jd, point in points_of(curve)
            if point["fid"] == fid
            and "magpsf" in point
            and point.get("sigmapsf") is not None
            and (point.get("isdiffpos") in NEGATIVE) is sign
        )
        earlier = [row for row in same if row[0] < max(newest)] if newest else []
        assert (name in body) is bool(earlier)
        if earlier:
            jd, mag = max(newest), newest[max(newest)][1]
            assert body[name]["decline_rate"] == pytest.approx(
                (mag - earlier[-1][2]) / (jd - earlier[-1][0]), rel=1e-12
            )


@settings(max_examples=25)
@given(light_curves("ztf"), st.integers(0, 5))
def test_order_time_and_a_factor_of_the_fluxes_do_not_matter(curve, seed):
    body = measured(FastDecliner(), curve)
    assert measured(FastDecliner(), shuffled(curve, seed)) == body
    for other in (shifted(curve, 512), dimmed(curve, 2.5)):
        changed = measured(FastDecliner(), other)
        assert changed.keys() == body.keys()
        for name in body.keys() & {"g", "r", "i"}:
            assert _near(changed[name], body[name])


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_renamed_bands_change_places(curve):
    body, other = measured(FastDecliner(), curve), measured(FastDecliner(), rebanded(curve, {1: 2, 2: 1}))
    assert (body.get("g"), body.get("r")) == (other.get("r"), other.get("g"))


def _near(one, other):
    # Two times of four decimals are at least a ten-thousandth of a day apart, and a Julian date has nine digits behind.
    return all(math.isclose(one[key], other[key], rel_tol=1e-4, abs_tol=1e-9) for key in other)
