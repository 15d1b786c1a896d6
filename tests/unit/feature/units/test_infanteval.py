"""InfantEval against AMPEL's own verdicts, and by what must hold of any light curve and any match."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import AWKWARD, NIGHT, dimmed, light_curves, shifted, shuffled, ztf, ztf_detection, ztf_limit
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.infanteval import InfantEval

FIELDS = {"sharpnr": 0.0, "magfromlim": 1.0, "ssdistnr": -999.0, "drb": 0.999}
HOST = {"NEDz": {"z": 0.03, "dist2transient": 5.0}}


def detection(number, jd, mag=18.5, **given):
    return ztf_detection(number, jd, mag, **FIELDS | given)


def young(*more):
    return ztf(ztf_limit(1, NIGHT - 1, 20.1), detection(2, NIGHT, 18.8), detection(3, NIGHT + 1, 18.4, fid=2), *more)


def verdict(curve, matches=None, **params):
    return measured(InfantEval(**params), curve, matches)


def failed(body):
    return [cut["name"] for cut in body["cuts"] if not cut["passed"]]


@pytest.mark.golden
def test_verdicts_and_values_are_ampels():
    cases = golden("InfantCatalogEval", "NEDz_z0.03_5arcsec")
    assert len(cases) == 56
    for case in cases:
        unit = InfantEval(**case.config)
        body = measured(unit, case.light_curve, *[given["body"] for given in case.dependencies])
        assert_described(unit, body)
        assert_described(unit, case.body)
        late = ["last_UL"] if case.object == "SYNTH_OUTBURST" else []
        # Means of directions, and sums in another order: the last digits differ.
        rel = {"ra": 1e-10, "dec": 1e-10, "mag_pull": 1e-13}
        assert not compare(body, case.body, rel=rel, skip=late, extra=["cuts.*"]), case.name


@pytest.mark.golden
def test_the_last_limit_lies_before_the_last_detection_where_ampels_lies_behind_it():
    (case,) = [c for c in golden("InfantCatalogEval", "NEDz_z0.03_5arcsec") if c.object == "SYNTH_OUTBURST"]
    body = measured(InfantEval(**case.config), case.light_curve, *[given["body"] for given in case.dependencies])
    limits, last = case.light_curve.limits, case.light_curve.detections.jd.max()
    before = limits.jd[(limits.limit >= 19.5) & (limits.jd < last)].max()
    assert (case.body["last_UL"], body["last_UL"]) == (-72.5, last - before)


def test_a_young_transient_near_a_galaxy_passes_with_its_absolute_magnitude():
    body = verdict(young(), HOST)
    assert (body["action"], body["eval"], failed(body)) == (True, "Pass", [])
    assert body["zs"] == [[0.03]]
    # Planck15: the distance modulus at z = 0.03 is 35.664 mag, an arcsecond 0.6206 kpc.
    assert body["absmag"] == pytest.approx(18.4 - 35.66443, abs=1e-4)
    assert body["NEDz_kpcdist"] == pytest.approx(5 * 0.620564, rel=1e-5)
    assert body["last_UL"] == 2.0


def test_a_fainter_light_curve_is_fainter_in_absolute_magnitude_by_as_much():
    body, fainter = verdict(young(), HOST), verdict(dimmed(young(), 0.5), HOST)
    assert fainter["absmag"] - body["absmag"] == pytest.approx(0.5)
    assert fainter["mag_pull"] == pytest.approx(body["mag_pull"])


def test_the_first_group_of_cuts_that_fails_gives_the_verdict():
    assert verdict(young(), None)["eval"] == "No catalog match result"
    assert verdict(young(), {})["eval"] == "No catalog match result"
    assert verdict(young(), {"NEDz": None})["eval"] == "No cat match in z-range."
    assert verdict(young(), {"NEDz": {"z": 0.2, "dist2transient": 5.0}})["eval"] == "No cat match in z-range."
    assert verdict(young(), HOST, max_absmag=-19.0)["eval"] == "Absmag"
    body = verdict(young(), {"NEDz": None}, rb_minmed=0.95)
    assert body["eval"] == "LC fail selection."
    assert failed(body) == ["rb", "hosts", "absmag"]
    assert body.keys() == {"action", "eval", "cuts"}


def test_a_host_must_be_near_in_arcseconds_and_in_kiloparsecs():
    near = verdict(young(), {"NEDz": {"z": 0.03, "dist2transient": 1.0}})
    assert failed(near) == ["NEDz_dist2transient", "hosts", "absmag"]
    far = verdict(young(), {"NEDz": {"z": 0.04, "dist2transient": 40.0}})
    assert failed(far) == ["NEDz_kpcdist", "hosts", "absmag"]
    assert verdict(young(), {"NEDz": {"z": 0.04, "dist2transient": 40.0}}, max_kpc_dist=0.0)["eval"] == "Pass"


def test_a_limit_must_have_been_and_not_long_ago():
    alone = ztf(detection(2, NIGHT), detection(3, NIGHT + 1))
    assert failed(verdict(alone, HOST)) == ["last_UL", "ndet_postul"]
    old = ztf(ztf_limit(1, NIGHT - 5, 20.1), detection(2, NIGHT), detection(3, NIGHT + 1))
    assert failed(verdict(old, HOST)) == ["last_UL"]


def test_two_detections_at_the_last_time_give_the_brighter_where_ampel_raises():
    curve = young(detection(4, NIGHT + 1, 18.9, fid=1))
    assert verdict(curve, HOST)["latest_mag"] == 18.4


def test_without_drb_there_is_a_reason_and_no_pass_unless_none_is_asked_for():
    curve = ztf(ztf_limit(1, NIGHT - 1, 20.1), detection(2, NIGHT, drb=None), detection(3, NIGHT + 1, drb=None))
    assert failed(verdict(curve, HOST)) == ["drb"]
    body = verdict(curve, HOST, drb_minmed=0.0)
    assert (body["eval"], body["drb"]) == ("Pass", None)
    assert body["undefined"]["drb"].startswith("no_field")


def test_active_nuclei_are_told():
    matches = HOST | {"milliquas": {"redshift": 0.5}, "SDSS_spec": {"bptclass": 4}}
    body = verdict(young(), matches)
    assert (body["milliAGN"], body["sdssAGN"]) == (True, True)
    assert "milliAGN" not in verdict(young(), HOST)


def test_the_bands_of_detections_are_asked_for():
    assert failed(verdict(young(), HOST, det_filterids=[3])) == ["det_filterids"]
    assert failed(verdict(young(), HOST, min_n_filters=3)) == ["n_filters"]


SOURCES = st.fixed_dictionaries({"z": st.none() | st.floats(-1, 2000), "dist2transient": st.none() | st.floats(0, 60)})
MATCHES = st.dictionaries(st.sampled_from(["NEDz", "SDSS_spec", "GLADEv23", "milliquas"]), st.none() | SOURCES)


@settings(max_examples=25)
@given(light_curves(), st.none() | MATCHES, st.booleans())
def test_any_light_curve_with_any_matches_has_a_verdict(curve, matches, open_):
    params = {"lc_filters": [], "min_gal_lat": 0.0, "maglim_maxago": 1e9, "drb_minmed": 0.0} if open_ else {}
    unit = InfantEval(**params, max_age=float("inf"))
    body = measured(unit, curve, matches)
    assert_described(unit, body)
    assert body["action"] == (not failed(body)) == (body["eval"] == "Pass")


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_have_a_verdict(name):
    assert verdict(AWKWARD[name], HOST, lc_filters=[], maglim_maxago=1e9, drb_minmed=0.0)["eval"]


@settings(max_examples=25)
@given(light_curves("ztf"), st.integers(0, 99), st.integers(-500, 500))
def test_neither_the_order_nor_whole_days_change_the_verdict(curve, seed, days):
    params = {"lc_filters": [], "rb_minmed": 0.0, "drb_minmed": 0.0, "max_age": 1e4, "maglim_maxago": 1e4}
    body = verdict(curve, HOST, **params)
    assert verdict(shuffled(curve, seed), HOST, **params) == body
    assert failed(verdict(shifted(curve, days), HOST, **params)) == failed(body)
