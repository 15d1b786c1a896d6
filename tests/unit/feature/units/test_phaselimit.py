"""PhaseLimit against AMPEL's own values, and by what must hold of any light curve."""

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
    rebanded,
    shifted,
    shuffled,
    ztf,
    ztf_detection,
)
from support.features import assert_described, compare, golden, measured, unsigned

from ampeld.feature.tables import flux_table
from ampeld.feature.units.phaselimit import PhaseLimit
from ampeld.params import ParameterError

TIMES = ("t_start", "t_end", "t_peak", "t_median")
VARIANTS = ["nocap", "nocap_risedec"]


def has_negatives(case):
    return bool((flux_table(case.light_curve).flux < 0).any())


@pytest.mark.golden
@pytest.mark.parametrize(("variant", "number"), [("nocap", 25), ("nocap_risedec", 22)])
def test_objects_without_negative_fluxes_have_ampels_values(variant, number):
    cases = [case for case in golden("PhaseLimit", variant) if not has_negatives(case) and not case.error]
    assert len(cases) == number
    for case in cases:
        unit = PhaseLimit(**case.config)
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        assert not compare(body, case.body), case.name


@pytest.mark.golden
@pytest.mark.parametrize(("variant", "number"), [("nocap", 56), ("nocap_risedec", 46)])
def test_without_the_signs_all_values_are_ampels(variant, number):
    cases = [case for case in golden("PhaseLimit", variant) if not case.error]
    assert len(cases) == number
    for case in cases:
        assert not compare(measured(PhaseLimit(**case.config), unsigned(case)), case.body), case.name


@pytest.mark.golden
def test_ampels_default_of_the_flux_fails_every_object_and_ours_none_that_it_does_not_without_it():
    for case, free in zip(golden("PhaseLimit"), golden("PhaseLimit", "nocap"), strict=True):
        assert case.body["t2eval"] == "fail:detections"
        assert not compare(measured(PhaseLimit(**case.config), unsigned(case)), free.body), case.name
        capped = measured(PhaseLimit(**case.config, max_flux=10), unsigned(case))
        assert not compare(capped, case.body), case.name


@pytest.mark.golden
def test_negative_subtractions_fail_where_ampel_has_lost_their_sign():
    failed = 0
    for case in golden("PhaseLimit", "nocap"):
        body = measured(PhaseLimit(**case.config), case.light_curve)
        assert case.body["t2eval"] != "fail:neg_flux"
        assert body["t_median"] == case.body["t_median"]
        assert body["t_masked_duration"] == case.body["t_masked_duration"]
        assert body["n_remaining"] == case.body["n_remaining"]
        failed += body["t2eval"] == "fail:neg_flux"
    assert failed == 26


@pytest.mark.golden
def test_a_peak_in_the_first_or_last_row_is_a_limit_where_ampel_raises():
    raised = [case for case in golden("PhaseLimit", "nocap_risedec") if case.error]
    assert len(raised) == 10
    for case in raised:
        assert case.error.startswith(("ValueError: max()", "ValueError: min()"))
        spans = measured(PhaseLimit(**case.config), unsigned(case))["t_risedec"].values()
        assert 0.0 in [value for band in spans for key, value in band.items() if key.endswith("_limit")], case.name


def test_a_time_far_from_the_others_is_an_outlier():
    nights = [0, 1, 2, 3, 4, 5, 6, 400]
    curve = ztf(*(ztf_detection(n, NIGHT + day, 19 + n / 10) for n, day in enumerate(nights, start=1)))
    body = measured(PhaseLimit(half_time=10.0), curve)
    assert (body["t_median"], body["t_masked_duration"], body["n_remaining"]) == (NIGHT + 3, 6.0, 7)
    assert (body["t_start"], body["t_end"], body["t_peak"]) == (NIGHT - 10, NIGHT + 13, NIGHT)
    assert body["t2eval"] == "OK"


@pytest.mark.parametrize(
    ("fid", "half_time", "negative", "verdict"),
    [
        (1, 10.0, 1, "fail:neg_flux"),
        (2, 10.0, 1, "fail:neg_flux"),
        (3, 10.0, 1, "warning:neg_iband"),
        (3, 10.0, 0, "OK"),
        (3, 2.0, 0, "fail:duration"),
        (3, 2.0, 1, "fail:duration"),
    ],
)
def test_the_verdict_is_the_first_that_applies(fid, half_time, negative, verdict):
    rows = [ztf_detection(n, NIGHT + n, 19.0, fid=fid, isdiffpos="f" if n <= negative else "t") for n in range(1, 11)]
    assert measured(PhaseLimit(half_time=half_time), ztf(*rows))["t2eval"] == verdict


def test_limits_of_magnitude_and_of_flux_choose_the_points_of_the_times():
    mags = [17.0, 18.0, 19.0, 20.0, 21.0, 22.0]
    curve = ztf(*(ztf_detection(n, NIGHT + n, mag) for n, mag in enumerate(mags, start=1)))
    bright = measured(PhaseLimit(half_time=10.0, max_mag=19.5), curve)
    faint = measured(PhaseLimit(half_time=10.0, max_flux=10 ** (0.4 * (25 - 19.5))), curve)
    assert (bright["t_median"], faint["t_median"]) == (NIGHT + 2, NIGHT + 5)


def test_a_limit_of_magnitude_leaves_out_negative_subtractions_which_have_none():
    signs = {1: "t", 2: "t", 3: "t", 4: "t", 5: "t", 6: "f", 7: "f", 8: "f"}
    curve = ztf(*(ztf_detection(n, NIGHT + n, 18.0, isdiffpos=sign) for n, sign in signs.items()))
    assert measured(PhaseLimit(half_time=10.0), curve)["t_median"] == NIGHT + 4.5
    assert measured(PhaseLimit(half_time=10.0, max_mag=19.5), curve)["t_median"] == NIGHT + 3


def test_the_bands_of_lsst_are_judged_by_their_colour():
    rows = [lsst_source(n, 60900.0 + n, 1000.0 * (-1 if n == 3 else 1), band="i") for n in range(1, 8)]
    assert measured(PhaseLimit(half_time=10.0), lsst(*rows))["t2eval"] == "warning:neg_iband"


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({}, "'half_time' .* is missing"),
        ({"half_time": 0.0}, "half_time: "),
        ({"risedec_fractions": [1.5]}, "fractions"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(given_, why):
    with pytest.raises(ParameterError, match=why):
        PhaseLimit(**({"half_time": 5.0} | given_ if given_ else {}))


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_give_values_or_reasons(name):
    for unit in (PhaseLimit(half_time=5.0), PhaseLimit(half_time=0.1, min_det=0, risedec_fractions=[0.1, 1.0])):
        body = measured(unit, AWKWARD[name])
        assert_described(unit, body)
        missing = {key for key in (*TIMES, "flux_peak") if body[key] is None}
        assert missing <= body.get("undefined", {}).keys()


UNITS = st.builds(
    lambda half, sigma, least: PhaseLimit(
        half_time=half, rej_sigma=sigma, min_sigma=least, risedec_fractions=[0.5, 0.1]
    ),
    st.sampled_from([0.5, 5.0, 40.0]),
    st.sampled_from([1.0, 5.0]),
    st.sampled_from([0.0, 10.0]),
)


@settings(max_examples=25)
@given(UNITS, light_curves(), st.integers(0, 5))
def test_the_order_of_the_points_does_not_matter(unit, curve, seed):
    assert measured(unit, shuffled(curve, seed)) == measured(unit, curve)


@settings(max_examples=25)
@given(light_curves("ztf"), st.integers(-1000, 1000))
def test_a_shift_in_time_shifts_the_times_alone(curve, days):
    unit = PhaseLimit(half_time=500.0, rej_sigma=1e9)
    before, after = measured(unit, curve), measured(unit, shifted(curve, days))
    if before["t_median"] is None:
        assert after == before
        return
    for key in TIMES:
        assert after[key] == pytest.approx(before[key] + days, abs=1e-8)
    assert after["t_masked_duration"] == pytest.approx(before["t_masked_duration"], abs=1e-8)
    for key in ("flux_peak", "n_remaining", "t2eval"):
        assert after[key] == before[key]


@settings(max_examples=25)
@given(UNITS, light_curves(awkward=False))
def test_one_factor_for_all_fluxes_is_that_of_the_peak(unit, curve):
    before, after = measured(unit, curve), measured(unit, dimmed(curve, 2.5))
    if before["flux_peak"] is None:
        assert after == before
        return
    assert after["flux_peak"] == pytest.approx(before["flux_peak"] / 10, rel=1e-9)
    assert after["t2eval"] == before["t2eval"]


@settings(max_examples=25)
@given(UNITS, light_curves("ztf"))
def test_green_and_red_can_change_places(unit, curve):
    body, other = measured(unit, curve), measured(unit, rebanded(curve, {1: 2, 2: 1}))
    spans, changed = body.pop("t_risedec", {}), other.pop("t_risedec", {})
    assert spans.get("risedec_ztfg") == changed.get("risedec_ztfr")
    assert {**body, "undefined": None} == {**other, "undefined": None}
