"""YoungTransient: a value or a reason for every light curve, and what each word means."""

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
    lsst_forced,
    lsst_source,
    points_of,
    rebanded,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
    ztf_limit,
)
from support.features import assert_described, golden, measured

from ampeld.feature import LightCurve
from ampeld.feature.units.young_values import OVERALL
from ampeld.feature.units.youngtransient import YoungTransient
from ampeld.params import ParameterError

UNIT = YoungTransient()
TIMES = ("t_first", "t_last", "t_peak")


def body_of(*points, survey=ztf, **params):
    return measured(YoungTransient(**params), survey(*points))


def night(n, mag, **given):
    return ztf_detection(n, NIGHT + n, mag, **given)


def reasons(body):
    return {key: why.partition(":")[0] for key, why in body.get("undefined", {}).items()}


def complete(body):
    """See that every key that is always there is, and that what is missing has its reason."""
    assert {value.key for value in OVERALL} <= body.keys()
    assert {key for key, value in body.items() if value is None} == body.get("undefined", {}).keys()


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_light_curve_has_values_or_reasons(name):
    body = measured(UNIT, AWKWARD[name])
    assert_described(UNIT, body)
    complete(body)


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 99))
def test_any_light_curve_has_values_or_reasons_in_whichever_order_it_comes(curve, seed):
    body = measured(UNIT, curve)
    assert_described(UNIT, body)
    complete(body)
    assert measured(UNIT, shuffled(curve, seed)) == body
    assert body["ndet"] == sum(value for key, value in body.items() if key.startswith("ndet_"))


@pytest.mark.golden
def test_real_light_curves_have_values_or_reasons():
    for case in golden("LightCurveSummary"):
        body = measured(UNIT, case.light_curve)
        assert_described(UNIT, body)
        complete(body)
        # AMPEL counts the same detections.
        assert body["ndet"] == case.body["num_detections"] or case.name.endswith("all_points")


def close(value, rel=1e-6):
    return None if value is None else pytest.approx(value, rel=rel, abs=1e-6)


def same(one, other, *, moved=0.0):
    assert one.keys() == other.keys()
    for key in one.keys() - {"undefined"}:
        shift = moved if key.startswith(TIMES) and one[key] is not None else 0.0
        if isinstance(one[key], float):
            assert other[key] == close(one[key] + shift), key
        else:
            assert other[key] == one[key], key


@settings(max_examples=25)
@given(light_curves(awkward=False), st.integers(-1000, 1000))
def test_a_shift_in_time_moves_the_times_alone(curve, days):
    # Steps of time that a Julian date holds exactly, and no Modified one that is rounded.
    points = [(n, round(jd * 1024) / 1024, body) for n, jd, body in points_of(curve)]
    fine = LightCurve(curve.survey, points)
    same(measured(UNIT, fine), measured(UNIT, shifted(fine, days)), moved=days)


@settings(max_examples=25)
@given(light_curves(awkward=False), st.sampled_from([-1.5, 0.75]))
def test_dimmer_light_has_smaller_fluxes_and_the_same_shape(curve, mag):
    without_limits = YoungTransient(min_limit=-99.0, forced_sigma=1e-9)
    before, after = measured(without_limits, curve), measured(without_limits, dimmed(curve, mag))
    assert before.keys() == after.keys()
    factor = 10 ** (-0.4 * mag)
    for key, value in before.items():
        if key == "undefined" or not isinstance(value, float):
            assert key == "undefined" or after[key] == value, key
        elif key.startswith(("flux_", "dfdt_")):
            assert after[key] == pytest.approx(value * factor, rel=1e-6, abs=1e-9), key
        elif key.startswith(("mag_first", "mag_peak", "mag_last")) and "_err" not in key:
            assert after[key] == pytest.approx(value + mag, abs=1e-9), key
        elif "chi2" not in key and key != "excess_variance":
            assert after[key] == pytest.approx(value, rel=1e-5, abs=1e-6), key


@settings(max_examples=25)
@given(light_curves("ztf", max_size=15))
def test_bands_that_change_places_change_their_names(curve):
    body, swapped = measured(UNIT, curve), measured(UNIT, rebanded(curve, {1: 2, 2: 1}))
    places = {"g": "r", "r": "g", "i": "i"}
    ours = {key: value for key, value in body.items() if key[-2:] in ("_g", "_r", "_i") and "colo" not in key}
    for key, value in ours.items():
        assert swapped[f"{key[:-1]}{places[key[-1]]}"] == value


def test_the_two_surveys_mean_the_same():
    """The same fluxes at the same times, once as magnitudes of ZTF and once in nJy of LSST."""
    mags = [20.2, 19.6, 19.1, 18.9, 19.0, 19.4]
    ours, theirs = [], []
    for n, mag in enumerate(mags, start=1):
        for band, fid in (("g", 1), ("r", 2)):
            own = mag - 0.1 * fid * n
            source = lsst_source(10 * n + fid, 60900.25 + n + fid / 64, 10 ** (-0.4 * (own - 31.4)), band=band)
            flux = source[2]["psfFlux"]
            theirs.append(source)
            sigma = 50.0 / flux * 2.5 / math.log(10)
            ours.append(ztf_detection(10 * n + fid, source[1], own, fid=fid, sigmapsf=sigma))
    one, other = body_of(*ours), body_of(*theirs, survey=lsst)
    context = {"host_sep", "sgscore", "sso", "n_ssmatch", "gal_b"}
    assert one.keys() == other.keys()
    for key in one.keys() - context - {"undefined"}:
        assert other[key] == (close(one[key]) if isinstance(one[key], float) else one[key]), key


def test_negative_subtractions_count_but_are_not_the_transient():
    body = body_of(night(1, 19.0), night(2, 18.0, isdiffpos="f"), night(3, 19.2, isdiffpos="0"))
    assert (body["ndet"], body["n_pos"], body["frac_pos"]) == (3, 1, 1 / 3)
    assert body["mag_peak"] == pytest.approx(19.0)
    alone = body_of(night(2, 18.0, isdiffpos="f"))
    assert reasons(alone)["flux_peak"] == reasons(alone)["rise_rate"] == "no_detection"
    assert alone["frac_pos"] == 0.0


def test_unreliable_detections_are_passed_over_if_that_is_asked():
    points = night(1, 19.0, rb=0.2), night(2, 19.0, rb=0.6), night(3, 19.0, rb=None)
    assert body_of(*points)["ndet"] == 3
    assert body_of(*points, min_reliability=0.5)["ndet"] == 1


def test_a_rise_and_a_fall_must_be_significant():
    rise = [night(n, 20 - n / 4) for n in range(1, 6)]
    fall = [night(n, 17.5 + n / 4) for n in range(6, 11)]
    flat = [night(n, 19.0 + 0.01 * n) for n in range(1, 6)]
    flags = ("bool_rising", "bool_peaked", "bool_fading")
    for points, expected in (
        (rise, (True, False, False)),
        (rise + fall, (False, True, True)),
        (fall, (False, False, True)),
        (flat, (False, False, False)),
    ):
        assert tuple(body_of(*points)[flag] for flag in flags) == expected
    both = body_of(*rise, *fall)
    assert (both["t_rise"], both["t_fall"]) == (4.0, 5.0)
    assert both["rise_rate"] < 0 < both["fall_rate"]
    assert both["flux_rise_rate"] > 0 > both["flux_fall_rate"]
    assert reasons(body_of(*flat))["t_rise"] == "no_rise"
    assert reasons(body_of(*rise))["t_fall"] == "not_peaked"


def test_a_colour_is_no_rise():
    """AMPEL compares the first and the brightest point across bands: a blue one and a red one look like a rise."""
    red_later = [night(1, 20.0, sigmapsf=0.02), night(2, 20.0, sigmapsf=0.02), night(3, 18.5, fid=2, sigmapsf=0.02)]
    body = body_of(*red_later)
    assert body["lead_band"] == "g"
    assert body["bool_rising"] is False
    assert body["band_peak"] == "r"


@pytest.mark.parametrize(
    ("limit", "pure", "before"),
    [
        (ztf_limit(5, NIGHT + 2, 20.5), False, None),
        (ztf_limit(5, NIGHT + 2, 19.5), True, None),
        (ztf_limit(5, NIGHT + 2, 20.5, fid=2), True, None),
        (ztf_limit(5, NIGHT + 7, 20.5), True, None),
        (ztf_limit(5, NIGHT - 3, 20.5, fid=2), True, 4.0),
        (ztf_limit(5, NIGHT - 3, 19.5), True, None),
    ],
)
def test_good_limits_tell_when_it_began_and_whether_it_went_away(limit, pure, before):
    body = body_of(night(1, 19.0), limit, night(4, 19.0))
    assert (body["bool_pure"], body["t_predetect"]) == (pure, before)


def test_forced_photometry_without_a_source_is_a_limit():
    source = [lsst_source(n, 60905 + n, 4000.0 * n) for n in (1, 2)]
    nothing, something = lsst_forced(8, 60903, 20.0), lsst_forced(9, 60904, 900.0)
    body = body_of(nothing, something, *source, survey=lsst)
    assert body["t_predetect"] == pytest.approx(3.0)
    assert body["ndet"] == 2
    # Five errors of 50 nJy are 25.4 mag.
    limit = 31.4 - 2.5 * math.log10(250.0)
    assert body["dmdt_first"] == pytest.approx((31.4 - 2.5 * math.log10(4000.0) - limit) / 3)


def test_an_outburst_stands_out_of_its_past_in_forced_photometry_too():
    past = [lsst_forced(n, 60900 + n, 10.0 * (-1) ** n) for n in range(1, 11)]
    body = body_of(*past, lsst_source(99, 60921, 5000.0), survey=lsst)
    assert body["jump_sigma"] == pytest.approx(5000 / math.hypot(50, 10 * math.sqrt(10 / 9)))
    assert reasons(body_of(*past[:2], lsst_source(99, 60921, 5000.0), survey=lsst))["jump_sigma"] == "too_few_points"


def test_of_one_band_and_time_there_is_one_detection():
    body = body_of(night(1, 19.0), night(2, 18.0), (3, NIGHT + 2, night(3, 15.0)[2] | {"jd": NIGHT + 2, "rcid": 9}))
    assert body["ndet"] == 2
    assert body["mag_peak"] == pytest.approx(18.0)


def test_a_point_without_error_has_brightness_but_no_weight():
    body = body_of(night(1, 19.0), night(2, 18.5, sigmapsf=None), night(3, 18.0))
    assert body["flux_amplitude"] is not None
    assert body["rise_n"] == 2
    assert reasons(body)["stetson_K"] == "no_error"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sigmas": 0.0}, "sigmas: 0: a number > 0"),
        ({"fixed_z": -0.1}, "fixed_z: -0.1: a redshift"),
        ({"fixed_z": 0.1, "redshifts": {}}, "fixed_z: either this or redshifts"),
        ({"extinction": {"g": -1.0}}, "extinction: -1 in g"),
        ({"min_snr": 3.0}, "no such parameter"),
    ],
)
def test_a_wrong_parameter_never_starts(params, message):
    with pytest.raises(ParameterError, match=message):
        YoungTransient(**params)
