"""Blocks of constant level, the baseline under them and what rises above it."""

import pytest
from astropy import units as u
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
    shifted,
    shuffled,
    ztf,
    ztf_detection,
)
from support.features import assert_described, compare, measured

from ampeld.feature import LightCurve
from ampeld.feature.units.bayesianblocks import BayesianBlocks
from ampeld.params import ParameterError


def outburst(band=1, start=1):
    """Return forty nights at magnitude 20 with five of magnitude 17 in their midst."""
    mags = [20 + 0.02 * (-1) ** n - (3 if 18 <= n < 23 else 0) for n in range(40)]
    return [ztf_detection(start + n, NIGHT + n, mag, fid=band, sigmapsf=0.05) for n, mag in enumerate(mags)]


def test_an_outburst_is_one_region_of_one_block_above_the_baseline():
    unit = BayesianBlocks(data_type="ztf_alert", filters=["ZTF_g"])
    body = measured(unit, ztf(*outburst()))["ZTF_g"]
    assert body["jd_excess_regions"] == [[NIGHT + 18, NIGHT + 22]]
    assert body["description"] == [1]
    assert body["max_baye_block_timescale"] == 4.0
    assert body["baseline"] == pytest.approx(20, abs=0.01)
    assert body["max_mag"] == pytest.approx(16.98)
    assert body["max_sigma_excess_region"][0] > 100
    assert body["strength_peak"] == pytest.approx((20 - 16.98) / 0.02, rel=0.02)


def test_filters_are_read_by_name_and_not_by_their_place_in_the_list():
    curve = ztf(*outburst(band=2))
    both = measured(BayesianBlocks(data_type="ztf_alert", filters=["ZTF_g", "ZTF_r"]), curve)
    alone = measured(BayesianBlocks(data_type="ztf_alert", filters=["ZTF_r"]), curve)
    assert both["ZTF_r"] == alone["ZTF_r"]
    assert both["ZTF_g"]["baseline"] is None
    assert both["undefined"]["ZTF_g.baseline"].startswith("too_few_points")


def test_peaks_of_two_filters_at_one_time_coincide_whatever_their_order():
    curve = ztf(*outburst(1), *outburst(2, start=101))
    for filters in (["ZTF_g", "ZTF_r"], ["ZTF_r", "ZTF_g"]):
        body = measured(BayesianBlocks(data_type="ztf_alert", filters=filters), curve)
        assert (body["coincide_peak_block"], body["overlapping_regions_count"]) == (1, 1)
        assert (body["start_excess"], body["size_excess"]) == (NIGHT + 18, 4.0)


def test_in_fluxes_a_negative_subtraction_is_below_zero_and_no_outburst():
    points = [(n, jd, body | ({"isdiffpos": "f"} if body["magpsf"] < 18 else {})) for n, jd, body in outburst()]
    unit = BayesianBlocks(data_type="ztf_alert", filters=["ZTF_g"], flux=True)
    body = measured(unit, ztf(*points))["ZTF_g"]
    faint = 10 ** (0.4 * (31.4 - 20))
    assert body["max_mag"] == pytest.approx(faint, rel=0.05)
    assert body["baseline"] < -10 * faint  # the lowest block of five points


def test_fluxes_of_lsst_are_read_with_their_sign_and_forced_ones_too():
    fluxes = [20.0 + (-1) ** n for n in range(12)] + [900.0, 905.0, 895.0] + [-15.0 - (-1) ** n for n in range(12)]
    make = (lsst_forced, lsst_source)
    curve = lsst(*(make[n % 2](n + 1, 60900.0 + n, flux, psfFluxErr=5.0) for n, flux in enumerate(fluxes)))
    body = measured(BayesianBlocks(data_type="lsst", filters=["LSST_r"], flux=True), curve)["LSST_r"]
    assert body["baseline"] == pytest.approx(-15.0, abs=0.2)
    assert body["max_mag"] == 905.0
    assert body["nu_of_excess_blocks"] == [2]


def test_a_lone_exposure_above_five_sigma_is_an_outlier_of_wise():
    points = [
        (n, NIGHT + 180.0 * n, {"filter": "Wise_W1", "mean_flux": 1.0 + 0.001 * (-1) ** n, "flux_rms": 0.02})
        for n in range(12)
    ]
    points[6][2]["mean_flux"] = 3.0
    for n, _, body in points:
        body |= {"flux_ul": "False", "flux_density_Npoints": 1 if n == 6 else 11}
    curve = LightCurve("wise", points)
    body = measured(BayesianBlocks(filters=["Wise_W1"], flux=True, Npoints=True), curve)["Wise_W1"]
    assert body["jd_outlier"] == [[NIGHT + 1080.0, NIGHT + 1080.0]]
    assert body["nu_of_excess_regions"] == 0
    assert body["max_mag"] == pytest.approx(1.001)
    assert body["nu_of_baseline_regions"] == 1
    counted = measured(BayesianBlocks(filters=["Wise_W1"], flux=True), curve)["Wise_W1"]
    assert counted["description"] == [0]
    assert counted["max_mag"] == 3.0


def test_a_fluctuation_before_the_peak_has_a_key_of_its_own():
    levels = [1.0] * 8 + [3.0] * 3 + [2.0] * 3 + [6.0] * 3 + [1.0] * 8
    points = [
        (
            n,
            NIGHT + n,
            {"filter": "Wise_W1", "mean_flux": level + 0.01 * (-1) ** n, "flux_rms": 0.02, "flux_ul": "False"},
        )
        for n, level in enumerate(levels)
    ]
    body = measured(BayesianBlocks(filters=["Wise_W1"], flux=True), LightCurve("wise", points))["Wise_W1"]
    assert body["nu_of_excess_blocks"] == [3]
    assert body["significance_of_fluctuation"] == []
    assert len(body["significance_of_fluctuation_before"]) == 1


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("flux", [False, True])
def test_an_awkward_curve_gives_values_or_reasons(name, flux):
    curve = AWKWARD[name]
    survey = ("lsst", "LSST_r", "LSST_g") if curve.survey == "lsst" else ("ztf_alert", "ZTF_g", "ZTF_r")
    unit = BayesianBlocks(data_type=survey[0], filters=survey[1:], flux=flux)
    assert_described(unit, measured(unit, curve))


UNIT = BayesianBlocks(data_type="ztf_alert", filters=["ZTF_g", "ZTF_r", "ZTF_i"])


@given(light_curves("ztf", max_size=15))
@settings(max_examples=40)
def test_no_curve_raises_and_each_missing_value_has_its_reason(curve):
    for unit in (UNIT, BayesianBlocks(data_type="ztf_fp", filters=["ZTF_g"], flux=True, min_det_per_block=2)):
        body = measured(unit, curve)
        for name in unit.filters:
            missing = [key for key, value in body[name].items() if value is None and key != "jd_outlier"]
            assert all(f"{name}.{key}" in body["undefined"] for key in missing)


@given(light_curves("ztf", max_size=12, awkward=False), st.integers(-300, 300), st.integers(0, 9))
@settings(max_examples=25)
def test_a_shift_in_time_and_the_order_of_points_change_no_level(curve, days, seed):
    body = measured(UNIT, curve)
    assert measured(UNIT, shuffled(curve, seed)) == body
    later = measured(UNIT, shifted(curve, days))
    assert compare(later, body, rel=1e-9, skip=["*jd*", "*start_excess", "*size_excess", "*timescale"]) == []


@given(light_curves("ztf", max_size=12, awkward=False))
@settings(max_examples=25)
def test_dimming_all_points_moves_magnitudes_and_no_significance(curve):
    body, dim = measured(UNIT, curve), measured(UNIT, dimmed(curve, 1.0))
    for name in UNIT.filters:
        if body[name]["baseline"] is not None:
            assert dim[name]["baseline"] == pytest.approx(body[name]["baseline"] + 1, abs=1e-9)
            assert dim[name]["sigma_from_baseline"] == pytest.approx(body[name]["sigma_from_baseline"], abs=1e-6)


def test_a_point_without_an_error_is_left_out_with_the_others_kept():
    points = outburst()
    for n in (3, 7):
        points[n][2]["sigmapsf"] = 0.0 if n == 3 else None
    kept = [point for n, point in enumerate(points) if n not in (3, 7)]
    unit = BayesianBlocks(data_type="ztf_alert", filters=["ZTF_g"])
    assert measured(unit, ztf(*points)) == measured(unit, ztf(*kept))
    assert len(points_of(ztf(*points))) == 40


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"filters": []}, "filters: none"),
        ({"filters": ["ZTF_G"], "data_type": "ztf_alert"}, "did you mean 'ZTF_g'"),
        ({"filters": ["Wise_W1", "Wise_W1"]}, "twice"),
        ({"filters": ["Wise_W1"], "rej_sigma": 0.0}, "rej_sigma"),
        ({}, "filters"),
    ],
)
def test_a_wrong_parameter_is_named(params, message):
    with pytest.raises(ParameterError, match=message):
        BayesianBlocks(**params)


def test_every_value_has_a_unit_that_astropy_reads():
    for value in BayesianBlocks.values:
        u.Unit(value.unit)
