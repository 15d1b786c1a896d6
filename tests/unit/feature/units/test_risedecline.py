"""RiseDecline against AMPEL's own values, numpy's lines, and by what must hold of any light curve."""

import numpy as np
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
    ztf_limit,
)
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.risedecline import RiseDecline
from ampeld.params import ParameterError

OWN = ("slope_*_err", "t_predetect_*", "bool_pure_*")
TOLERANCES = {"slope_*": 5e-9, "col_*": 1e-13}


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["", "loose"])
def test_every_value_is_ampels(variant):
    cases = golden("RiseDeclineStat", variant)
    assert len(cases) == 56
    for case in cases:
        unit = RiseDecline(**case.config)
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        assert compare(body, case.body, rel=TOLERANCES, extra=OWN) == [], case.name


@pytest.mark.golden
def test_slopes_and_their_errors_are_those_of_numpys_polynomials_about_a_near_time():
    seen = 0
    for case in golden("RiseDeclineStat", "loose"):
        body = measured(RiseDecline(**case.config), case.light_curve)
        if body["cut_pp"]:
            continue
        found = case.light_curve.detections
        for band in "gr":
            rows = found.in_band(band)
            if body["bool_peaked"]:
                rows = rows.select(rows.jd <= body["jd_max"])
            if (slope := body[f"slope_rise_{band}"]) is None or len(rows) < 3:
                continue
            fit, covariance = np.polyfit(rows.jd - rows.jd[0], rows.mag, 1, w=1 / rows.mag_err, cov="unscaled")
            # The slope of a flat band is lost in the rounding of its magnitudes.
            assert slope == pytest.approx(fit[0], rel=1e-9, abs=1e-12)
            assert body[f"slope_rise_{band}_err"] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-9)
            seen += 1
    assert seen > 20


def test_a_score_of_zero_counts_and_a_field_of_none_is_passed_over_where_ampel_drops_and_raises():
    points = [ztf_detection(n, NIGHT + n, rb=0.0, distnr=None if n == 2 else float(n)) for n in (1, 2, 3)]
    body = measured(RiseDecline(), ztf(*points))
    assert (body["ndet"], body["rb_med"], body["distnr_med"]) == (3, 0.0, 2.0)


def test_of_equal_times_the_more_reliable_detection_stays():
    points = [ztf_detection(n, NIGHT, rb=rb, rcid=n) for n, rb in enumerate((0.3, 0.9, 0.9, 0.5), start=1)]
    assert measured(RiseDecline(), ztf(*points))["cut_pp"] == 2
    kept = measured(RiseDecline(del_duplicate_rows=False), ztf(*points))
    assert (kept["ndet"], kept["cut_pp"]) == (4, 0)


def test_purity_and_the_last_limit_are_told_of_each_band_too():
    curve = ztf(
        ztf_limit(1, NIGHT, fid=2),
        ztf_limit(2, NIGHT + 1, 19.9),
        ztf_detection(3, NIGHT + 2),
        ztf_limit(4, NIGHT + 3, fid=2),
        ztf_detection(5, NIGHT + 5, fid=2),
    )
    body = measured(RiseDecline(), curve)
    assert (body["t_predetect"], body["t_predetect_g"], body["t_predetect_r"]) == (2.0, None, 2.0)
    assert (body["bool_pure"], body["bool_pure_g"], body["bool_pure_r"]) == (False, True, True)
    assert body["undefined"]["t_predetect_g"] == "no_limit"


def test_a_light_curve_that_peaked_has_slopes_on_both_sides_and_one_that_rises_lacks_the_key():
    mags = (20.0, 19.0, 18.0, 18.5, 19.0, 19.5)
    points = [ztf_detection(n, NIGHT + 3 * n, mag) for n, mag in enumerate(mags)]
    body = measured(RiseDecline(), ztf(*points))
    assert body["bool_peaked"]
    assert (body["jd_max"], body["mag_peak"]) == (NIGHT + 6, 18.0)
    assert body["slope_rise_g"] == pytest.approx(-1 / 3)
    assert body["slope_fall_g"] == pytest.approx(1 / 6)
    assert body["slope_fall_r"] is None
    rising = measured(RiseDecline(), ztf(*points[:3]))
    assert rising["bool_rising"]
    assert "slope_fall_g" not in rising
    assert rising["undefined"]["jd_max"] == "not_peaked"


def test_lsst_is_told_in_the_same_words():
    points = [lsst_source(n, 60000 + 3 * n, flux, band="g") for n, flux in enumerate((1e3, 1e4, 2e4, 5e3), start=1)]
    points.append(lsst_source(9, 60009.5, 1e4))
    unit = RiseDecline()
    body = measured(unit, lsst(*points))
    assert_described(unit, body)
    assert (body["ndet"], body["rb_med"], body["bool_peaked"]) == (5, 0.9, True)
    assert body["col_peak"] == pytest.approx(-2.5 * np.log10(2))
    assert body["slope_rise_g"] < 0 < body["slope_fall_g"]


@pytest.mark.parametrize("name", AWKWARD)
def test_what_is_awkward_has_values_or_reasons(name):
    unit = RiseDecline(lc_filter=())
    assert_described(unit, measured(unit, AWKWARD[name]))
    assert_described(unit, measured(RiseDecline(), AWKWARD[name]))


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 5))
def test_any_light_curve_gives_the_same_body_in_any_order(curve, seed):
    unit = RiseDecline()
    body = measured(unit, curve)
    assert_described(unit, body)
    assert measured(unit, shuffled(curve, seed)) == body


@settings(max_examples=25)
@given(light_curves(awkward=False), st.integers(-500, 500))
def test_a_later_light_curve_differs_in_its_dates_alone(curve, days):
    body, later = (measured(RiseDecline(), one) for one in (curve, shifted(curve, days)))
    for key in ("jd_det", "jd_last", "jd_max"):
        if body.get(key) is not None:
            assert later.pop(key) == pytest.approx(body.pop(key) + days, abs=1e-6)
    assert compare(later, body, rel=1e-5, extra=("jd_*",), skip=("undefined*", "slope_*", "t_*")) == []


@settings(max_examples=25)
@given(light_curves("ztf", awkward=False), st.integers(-3, 3))
def test_a_fainter_light_curve_differs_in_its_magnitudes_alone(curve, magnitudes):
    body = measured(RiseDecline(min_UL=20.0), curve)
    fainter = measured(RiseDecline(min_UL=20.0 + magnitudes), dimmed(curve, magnitudes))
    for key in ("mag_det", "mag_last", "mag_peak"):
        if body.get(key) is not None:
            assert fainter.pop(key) == pytest.approx(body.pop(key) + magnitudes)
    assert {k: v for k, v in fainter.items() if isinstance(v, bool)} == {
        k: v for k, v in body.items() if isinstance(v, bool)
    }
    for key, value in body.items():
        if isinstance(value, float):
            assert fainter[key] == pytest.approx(value, rel=1e-6, abs=1e-9), key


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_bands_that_change_places_change_their_slopes_and_keep_the_colours_of_first_and_second(curve):
    body = measured(RiseDecline(), curve)
    other = measured(RiseDecline(filter_ids=(2, 1)), rebanded(curve, {1: 2, 2: 1}))
    swap = {"_g": "_r", "_r": "_g", "_g_err": "_r_err", "_r_err": "_g_err"}
    for key, value in body.items():
        for one, two in swap.items():
            if key.startswith(("slope_", "t_predetect_", "bool_pure_")) and key.endswith(one):
                assert other[key.removesuffix(one) + two] == value
    assert [other.get(f"col_{when}") for when in ("det", "last", "peak")] == [
        body.get(f"col_{when}") for when in ("det", "last", "peak")
    ]


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"lc_filter": [{"attribute": "isdifpos", "operator": "==", "value": "t"}]}, "did you mean 'isdiffpos'"),
        ({"lc_filter": [{"attribute": "rb", "operator": "=>", "value": 1}]}, "operator"),
        ({"filter_ids": [1, 4]}, "4 is not among filters"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(given_, told):
    with pytest.raises(ParameterError, match=told) as refused:
        RiseDecline(**given_)
    assert str(refused.value.errors[0][0]) == next(iter(given_))


def test_a_filter_that_a_field_cannot_answer_drops_the_point():
    cut = {"attribute": "isdiffpos", "operator": ">", "value": 1}
    body = measured(RiseDecline(lc_filter=cut), ztf(ztf_detection(1, NIGHT)))
    assert body["success"] is False
    assert body["cause"] == "No data survive selection criteria"
