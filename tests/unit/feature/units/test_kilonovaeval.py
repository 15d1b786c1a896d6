"""KilonovaEval against AMPEL's own points, and by what must hold of any light curve and any bodies."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import AWKWARD, NIGHT, light_curves, shuffled, ztf, ztf_detection
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.kilonovaeval import KilonovaEval
from ampeld.params import ParameterError

Z = {"ampel_z": 0.03, "group_z_precision": 0.003, "ampel_dist": 5.0}
# Planck15: the distance modulus at z = 0.03.
MODULUS = 35.66443
SKY = {"cumprob": 0.5, "map_dist": 140.0, "map_dist_unc": 10.0, "map_hash": "abc"}
FIT = {
    "model_name": "kn",
    "sncosmo_result": {
        "success": True,
        "chisq": 12.0,
        "ndof": 10,
        "fit_metrics": {"restpeak_model_absmag_B": -15.2, "obspeak_model_B": 20.4},
    },
}


def curve(*, drb=0.999, **given):
    return ztf(ztf_detection(1, NIGHT, 20.0, drb=drb, **given), ztf_detection(2, NIGHT + 1, 20.5, drb=drb, **given))


def judged(light_curve, *inputs, **params):
    return measured(KilonovaEval(**params), light_curve, *inputs)


@pytest.mark.golden
def test_everything_but_the_absolute_magnitude_is_as_ampel_has_it():
    cases = golden("KilonovaEval", "ampelz_0.03")
    assert len(cases) == 56
    for case in cases:
        unit = KilonovaEval(**case.config)
        body = measured(unit, case.light_curve, *[given["body"] for given in case.dependencies])
        assert_described(unit, body)
        assert_described(unit, case.body)
        skip = ["absmag", "rejects*", "kilonovaness", "kilonovaness_dec", "lc_kilonovaness", "is_gold"]
        rel = {"ra": 1e-10, "dec": 1e-10}
        assert not compare(body, case.body, rel=rel, skip=skip, extra=["cuts.*"]), case.name


@pytest.mark.golden
def test_the_absolute_magnitude_is_peak_less_modulus_where_ampel_has_minus_34_for_every_object():
    inside = 0
    for case in golden("KilonovaEval", "ampelz_0.03"):
        unit = KilonovaEval(**case.config)
        body = measured(unit, case.light_curve, *[given["body"] for given in case.dependencies])
        assert case.body["absmag"] == pytest.approx(1 - MODULUS, abs=1e-4)
        assert case.body["rejects"][-1] == "absmag_from_lc"
        assert body["absmag"] == pytest.approx(case.body["peak_mag"] - MODULUS, abs=1e-4)
        good = -20 < body["absmag"] < -12
        inside += good
        assert body["rejects"] == (case.body["rejects"][:-1] if good else case.body["rejects"])
        assert body["kilonovaness"] == case.body["kilonovaness"] + good
        assert body["lc_kilonovaness"] == good
    assert 0 < inside < 56


def test_what_speaks_for_a_kilonova_adds_up():
    body = judged(curve(), Z, SKY, {"bool_fall": True, "bool_peaked": False}, FIT,
                  sky_map={"map": "m"}, rise_decline={}, fits=[{"sncosmo_model_name": "kn"}])  # fmt: skip
    # redshift 3, distance 5, credible level 3, fall 1, fit 3 + 1 + 5, absolute magnitude 1
    assert body["kilonovaness"] == 3 + 5 + 3 + 1 + 9 + 1
    assert (body["rejects"], body["is_gold"], body["kilonovaness_dec"]) == ([], True, 1.0)
    assert (body["z_kilonovaness"], body["dist_kilonovaness"], body["possis_kilonovaness"]) == (3, 5, 9)
    assert body["distance_sigma_diff"] == pytest.approx(abs(135.8 - 140) / 10, abs=0.05)
    assert (body["model"], body["red_chisqu"]) == ("kn", 1.2)


@pytest.mark.parametrize(("mode", "near", "far"), [("reward", 5, 0), ("punish", 0, -20), ("pass", 1, 0)])
def test_the_maps_distance_is_rewarded_or_punished(mode, near, far):
    params = {"sky_map": {}, "distance_mode": mode}
    assert judged(curve(), Z, SKY, **params)["dist_kilonovaness"] == near
    body = judged(curve(), Z, SKY | {"map_dist": 500.0}, **params)
    assert body["dist_kilonovaness"] == far
    assert "distance_mismatch" in body["rejects"]


@pytest.mark.parametrize(("level", "points"), [(0.68, 3), (0.9, 1), (0.99, 0)])
def test_the_credible_level_gives_points(level, points):
    with_map = judged(curve(), Z, SKY | {"cumprob": level}, sky_map={})["kilonovaness"]
    assert with_map == judged(curve(), Z)["kilonovaness"] + 5 + points


def test_of_several_fits_the_one_closest_to_one_is_judged_where_ampel_raises():
    def fit(name, chisq):
        return {**FIT, "model_name": name, "sncosmo_result": {**FIT["sncosmo_result"], "chisq": chisq}}

    failed = {"model_name": "c", "success": False, "sncosmo_result": {"chisq": -1, "ndof": -1}}
    body = judged(curve(), None, fit("a", 300.0), fit("b", 8.0), failed, fits=[{}, {}, {}])
    assert body["model"] == "b"
    assert body["chisquares"] == {"a": {"chisq": 300.0, "ndof": 10}, "b": {"chisq": 8.0, "ndof": 10}}
    assert "no_possis_fits" in judged(curve(), None, failed, fits=[{}])["rejects"]


def test_a_match_in_a_catalogue_speaks_against_it():
    catalogs = {"GAIADR2": {"rs_arcsec": 2.0}, "milliquas": {"rs_arcsec": 2.0}}
    matches = {"GAIADR2": {"dist2transient": 1.0}, "milliquas": None, "undefined": {"milliquas": "no_match"}}
    body = judged(curve(), matches, Z, catalogs=catalogs)
    assert body["rejects"] == ["GAIADR2"]
    assert body["cat_kilonovaness"] == 0


def test_light_curve_cuts_add_rejects_alone():
    body = judged(curve(rb=0.1, drb=None), Z, max_age=0.5)
    assert body["rejects"] == ["age", "rb_minmed", "no_drb_info"]
    assert (body["pass"], body["kilonovaness"]) == (3, 4)
    assert body["kilonovaness_dec"] == 4 / 7
    assert body["undefined"]["drb"].startswith("no_field")


def test_without_a_redshift_or_points_the_rejects_say_so():
    assert judged(curve())["rejects"] == ["no_ampelz_match", "no_absmag_calculated"]
    body = judged(ztf(), Z)
    assert body["rejects"] == ["no_pps", "no_absmag_calculated"]
    assert (body["kilonovaness"], body["detection_times"]) == (3, [])


def test_the_units_that_are_asked_become_dependencies_in_the_order_of_the_inputs():
    unit = KilonovaEval(
        redshift={"catalogs": {}},
        sky_map={"map": "bayestar.fits"},
        catalogs={"NEDz": {"rs_arcsec": 2.0}},
        fits=[{"sncosmo_model_name": "a"}, {"sncosmo_model_name": "b"}],
    )
    below = unit.dependencies()
    assert [one.unit for one in below] == ["CatalogMatch", "DigestRedshifts", "HealpixProb", "SNCosmoFit", "SNCosmoFit"]
    assert below[2].params == {"map": "bayestar.fits"}
    assert [one.unit for one in KilonovaEval().dependencies()] == ["DigestRedshifts"]
    assert KilonovaEval(redshift=None).dependencies() == ()


def test_rewards_that_do_not_pair_with_limits_are_refused():
    with pytest.raises(ParameterError, match="chisqu_rewards"):
        KilonovaEval(chisqu_rewards=[3])


NUMBERS = st.none() | st.floats(-5, 2000) | st.booleans()
BODIES = st.none() | st.dictionaries(st.sampled_from([*Z, *SKY, "bool_fall", "bool_peaked"]), NUMBERS)
FITS = st.none() | st.just(FIT) | st.fixed_dictionaries(
    {"sncosmo_result": st.none() | st.dictionaries(st.sampled_from(["chisq", "ndof"]), NUMBERS)}
)  # fmt: skip


@settings(max_examples=25)
@given(light_curves(), BODIES, BODIES, BODIES, FITS)
def test_any_light_curve_with_any_bodies_is_judged(light_curve, z, sky, slopes, fit):
    unit = KilonovaEval(sky_map={}, rise_decline={}, fits=[{}], max_age=float("inf"))
    body = measured(unit, light_curve, z, sky, slopes, fit)
    assert_described(unit, body)
    assert 0 <= body["kilonovaness_dec"] <= 1


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_are_judged(name):
    assert "rejects" in judged(AWKWARD[name], Z)


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 99))
def test_the_order_of_points_does_not_matter(light_curve, seed):
    assert judged(shuffled(light_curve, seed), Z) == judged(light_curve, Z)
