"""TabulatorRiseDecline against AMPEL's own values, and by what must hold of any light curve."""

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

from ampeld.feature import LightCurve
from ampeld.feature.units.tabulatorrisedecline import TabulatorRiseDecline
from ampeld.params import ParameterError

AMPELS_BANDS = ("lsstg", "lsstr", "lssti", "lsstz")
INDEXED = ("jd_min", "band_det_id", "band_last_id")
"""What AMPEL reads from the wrong row."""
TAUS = ("tau_rise_*", "tau_fall_*", "tau_chidof_*", "tau_dof_*")
VERDICT = (
    "*_slope*",
    "bool_rise",
    "bool_fall",
    "bool_peaked",
    "bool_fast*",
    "jd_peak",
    "t_rise",
    "t_fall",
    "*peak_bands",
)
"""What follows from the slopes that are kept."""
COLOURS = ("*_peak",)
TOLERANCES = {
    "linear_fit_reduced*": 5e-10,
    "linear_fit*": 5e-7,
    "periodogram*": 1e-6,
    "*_slope*": 2e-5,
    "kurtosis*": 1e-10,  # its terms cancel near zero, which leaves the last bits of the fluxes, the processor's own
    "tau_exp*": 1e-6,  # scipy differentiates it numerically: the last bits of exp() come out as 1e-7
    "*": 1e-12,
}
STEEP = {"": 0, "ztf": 8, "ztf_sigma20": 9}
"""By variant: how many states have slopes that AMPEL drops for their size."""


def unit_of(case, **given_):
    config = {"significant_bands": AMPELS_BANDS} | case.config | given_
    return TabulatorRiseDecline(**config)


def positive(curve):
    """Return the light curve as AMPEL sees it: it does not look at the sign of a subtraction."""
    if curve.detections.positive.all():
        return curve
    points = [(n, jd, {**body, "isdiffpos": "t"} if "isdiffpos" in body else body) for n, jd, body in points_of(curve)]
    return LightCurve(curve.survey, points)


QUICK = TabulatorRiseDecline(min_expfit_det=1000)
"""Without the fits, which have tests of their own."""
_BODIES = {}


def body_of(case, variant):
    """Return our body of a light curve as AMPEL sees it; the fits are made once for all tests."""
    if (case.name, variant) not in _BODIES:
        _BODIES[case.name, variant] = measured(unit_of(case), positive(case.light_curve))
    return _BODIES[case.name, variant]


def beyond(body):
    """Tell whether a slope is kept that AMPEL drops for its size alone."""
    slopes = [value for key, value in body.items() if key.startswith(("rise_slope_", "fall_slope_"))]
    return any(not -100 < slope < 1000 for slope in slopes)


def both(body, ampels):
    """Return the bands in which both have fitted a flare."""
    bands = [key.removeprefix("tau_chidof_") for key in ampels if key.startswith("tau_chidof_")]
    return [band for band in bands if f"tau_chidof_{band}" in body]


def _chi2(body, band):
    return body[f"tau_chidof_{band}"] * body[f"tau_dof_{band}"]


@pytest.mark.golden
@pytest.mark.parametrize("variant", STEEP)
def test_every_value_is_ampels_and_no_flare_fits_worse(variant):
    """Where fluxes are positive and slopes within AMPEL's limits; its time scales are of no use, their chi2 is."""
    cases = golden("TabulatorRiseDecline", variant)
    assert len(cases) == 56
    steep, better = 0, []
    for case in cases:
        body = body_of(case, variant)
        assert_described(TabulatorRiseDecline(), body)
        skip = (*TAUS, *INDEXED) if variant else TAUS
        if beyond(body):
            steep += 1
            skip = (*skip, *VERDICT, *COLOURS)
        assert compare(body, case.body, rel=TOLERANCES, skip=skip) == [], case.name
        better += [_chi2(body, band) <= _chi2(case.body, band) * (1 + 1e-6) for band in both(body, case.body)]
    assert steep == STEEP[variant]
    assert all(better)
    assert len(better) >= {"": 0, "ztf": 32, "ztf_sigma20": 13}[variant]


@pytest.mark.golden
def test_negative_subtractions_are_negative_where_ampel_has_them_positive():
    (case,) = (case for case in golden("TabulatorRiseDecline", "ztf") if case.object == "SYNTH_SIGNED")
    body = measured(unit_of(case), case.light_curve)
    negative = ~case.light_curve.detections.positive
    assert case.body["frac_pos"] == 1.0
    assert 0 < body["frac_pos"] < 1
    assert negative.sum() > 10


@pytest.mark.golden
def test_the_brightest_detection_is_one_where_ampel_takes_the_row_of_another_table():
    wrong = 0
    for case in golden("TabulatorRiseDecline", "ztf_sigma20"):
        if not case.body["ndet"]:
            continue
        body = body_of(case, "ztf_sigma20")
        rows = case.light_curve.detections
        brightest = rows.mag[rows.jd == body["jd_min"]].min()
        assert brightest == pytest.approx(body["mag_min"])
        wrong += body["jd_min"] != case.body["jd_min"]
    assert wrong == 17


@pytest.mark.golden
def test_a_bright_outburst_that_fades_has_peaked_where_ampel_drops_its_slopes():
    (case,) = (case for case in golden("TabulatorRiseDecline", "ztf") if case.object == "SYNTH_OUTBURST")
    body = measured(unit_of(case), case.light_curve)
    assert (case.body["bool_fall"], case.body["bool_peaked"], case.body.get("fall_slope_ztfr")) == (False, False, None)
    assert (body["bool_fall"], body["bool_peaked"]) == (True, True)
    assert body["fall_slope_ztfr"] < -1000


def test_significant_bands_are_the_surveys_own_where_ampel_looks_for_those_of_lsst():
    points = [ztf_detection(n, NIGHT + n, 19.0) for n in (1, 2, 3)]
    assert measured(TabulatorRiseDecline(), ztf(*points))["ndet"] == 3
    assert measured(TabulatorRiseDecline(significant_bands=AMPELS_BANDS), ztf(*points))["ndet"] == 0
    sources = [lsst_source(n, 60000 + n, 1e4, band=band) for n, band in enumerate("ugrizy", start=1)]
    body = measured(TabulatorRiseDecline(), lsst(*sources))
    assert (body["ndet"], body["det_bands"]) == (4, 1 + 2 + 4 + 8)


def test_of_two_detections_of_one_time_and_band_the_first_counts_where_ampel_raises():
    points = [ztf_detection(n, NIGHT + 5 * n, 19.0 - 0.1 * n) for n in range(1, 9)]
    twice = ztf(*points, ztf_detection(99, NIGHT + 20, 17.0, rcid=8))
    assert measured(TabulatorRiseDecline(), twice) == measured(TabulatorRiseDecline(), ztf(*points))


def test_the_light_curve_ends_with_the_last_allowed_detection():
    points = [ztf_detection(n, NIGHT + n) for n in range(1, 9)]
    body = measured(TabulatorRiseDecline(max_ndet=3), ztf(*points))
    assert (body["ndet"], body["jd_last"]) == (3, NIGHT + 3)


def test_points_below_the_threshold_are_no_detections_but_end_its_purity():
    faint = ztf_detection(1, NIGHT, 20.5, sigmapsf=0.35)
    points = [ztf_detection(n, NIGHT + 2 * n, 18.0) for n in (1, 2, 4)]
    body = measured(TabulatorRiseDecline(), ztf((7, faint[1], faint[2]), *points))
    assert (body["ndet"], body["t_predetect"], body["bool_pure"]) == (3, 2.0, True)
    between = measured(TabulatorRiseDecline(), ztf((7, NIGHT + 5, {**faint[2], "jd": NIGHT + 5}), *points))
    assert (between["t_predetect"], between["bool_pure"]) == (None, False)
    assert between["undefined"]["t_predetect"].startswith("no_limit")


def test_a_negative_first_detection_has_no_magnitude_and_the_rest_is_measured():
    points = [ztf_detection(n, NIGHT + n, isdiffpos="f" if n == 1 else "t") for n in range(1, 6)]
    body = measured(TabulatorRiseDecline(), ztf(*points))
    assert (body["mag_det"], body["mag_last"]) == (None, pytest.approx(19.0))
    assert body["undefined"]["mag_det"] == "negative_flux"
    assert "rise_slope_ztfg" in body


def test_averages_are_over_the_significant_bands_that_have_the_value():
    points = [ztf_detection(n, NIGHT + n, 18 + 0.03 * n**2, fid=1 + n % 3) for n in range(1, 25)]
    body = measured(TabulatorRiseDecline(significant_bands=("ztfg", "ztfr")), ztf(*points))
    assert body["skew_flux"] == pytest.approx((body["skew_ztfg_flux"] + body["skew_ztfr_flux"]) / 2)
    assert "skew_ztfi_flux" in body


@pytest.mark.parametrize("name", AWKWARD)
def test_what_is_awkward_has_values_or_reasons(name):
    unit = TabulatorRiseDecline(rainbow_fit={"band_wave_aa": {"ztfg": 4783.0, "ztfr": 6417.0}})
    assert_described(unit, measured(unit, AWKWARD[name]))


@settings(max_examples=10, deadline=None)
@given(light_curves(), st.integers(0, 5))
def test_any_light_curve_gives_the_same_body_in_any_order(curve, seed):
    unit = TabulatorRiseDecline()
    body = measured(unit, curve)
    assert_described(unit, body)
    assert measured(unit, shuffled(curve, seed)) == body


@settings(max_examples=20, deadline=None)
@given(light_curves(awkward=False), st.integers(-5, 5))
def test_a_later_light_curve_differs_in_its_dates_alone(curve, days):
    body, later = (measured(QUICK, one) for one in (curve, shifted(curve, 100 * days)))
    exact = ("ndet", "frac_pos", "mag_det", "mag_last", "band_det_id", "band_last_id", "success", "det_bands")
    assert {key: later.get(key) for key in exact} == {key: body.get(key) for key in exact}
    for key in ("jd_det", "jd_last", "jd_min"):
        if key in body:
            assert later[key] == pytest.approx(body[key] + 100 * days, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(light_curves("ztf", awkward=False), st.sampled_from([-2, 1, 3]))
def test_a_fainter_light_curve_differs_by_a_factor_in_its_fluxes_alone(curve, magnitudes):
    body, fainter = measured(QUICK, curve), measured(QUICK, dimmed(curve, magnitudes))
    factor = 10 ** (-0.4 * magnitudes)
    for key, value in body.items():
        if key.startswith("bool_") or key.endswith("_bands"):
            assert fainter[key] == value, key
        elif key.startswith(("rise_slope_", "fall_slope_")):
            assert fainter[key] == pytest.approx(value * factor, rel=1e-6, abs=1e-6), key
        elif key.startswith(("mag_",)) and value is not None:
            assert fainter[key] == pytest.approx(value + magnitudes), key
        elif key.startswith(("time_half", "fluxevo", "skew_ztf", "stetson_K_ztf")) or "slopesig" in key:
            assert fainter[key] == pytest.approx(value, rel=1e-6, abs=1e-6), key


@settings(max_examples=30, deadline=None)
@given(light_curves("ztf"))
def test_bands_that_change_places_change_their_values(curve):
    body, other = measured(QUICK, curve), measured(QUICK, rebanded(curve, {1: 2, 2: 1}))
    swap = {"ztfg": "ztfr", "ztfr": "ztfg"}
    for key, value in body.items():
        band = next((band for band in swap if f"_{band}" in key), None)
        if band and "ratio_ztf" not in key and "ratioevo" not in key:
            assert other[key.replace(band, swap[band])] == value, key


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"feature_limits": {"period_0": (0, 1)}}, "no value is called 'period_0'"),
        ({"significant_bands": ["ztfR"]}, "there is no band 'ztfR'"),
        ({"color_list": [["ztfg", "r"]]}, "there is no band 'r'"),
        ({"lightcurve_features_flux": {"Skewness": None}}, "there is no 'Skewness'"),
        ({"lightcurve_features_flux": {"Skew": {"peaks": 1}}}, "Skew"),
        ({"t_cadence": 0}, "above zero"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(given_, told):
    with pytest.raises(ParameterError, match=told) as refused:
        TabulatorRiseDecline(**given_)
    assert refused.value.errors[0][0] == next(iter(given_))
