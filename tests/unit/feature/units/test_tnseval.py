"""TNSEval against AMPEL's own verdicts, and by what must hold of any light curve and any match."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import AWKWARD, NIGHT, light_curves, shifted, shuffled, ztf, ztf_detection, ztf_limit
from support.features import assert_described, compare, golden, measured

from ampeld.feature.unit import Dependency
from ampeld.feature.units.eval_tns import TNS_FILTERS
from ampeld.feature.units.tnseval import TNSEval
from ampeld.params import ParameterError

FIELDS = {"sharpnr": 0.0, "magfromlim": 1.0, "ssdistnr": -999.0, "distpsnr1": 5.0, "sgscore1": 0.9}
# A limit behind the last detection, since which AMPEL counts.
LATE_LIMIT = {"SYNTH_SN", "SYNTH_DOUBLE"}


def detection(number, jd, mag=18.5, **given):
    return ztf_detection(number, jd, mag, **FIELDS | given)


def good_curve(*more):
    return ztf(
        ztf_limit(1, NIGHT - 2, 20.1, fid=2),
        detection(2, NIGHT, 18.8),
        detection(3, NIGHT + 1, 18.4, fid=2),
        detection(4, NIGHT + 2, 18.2),
        *more,
    )


def verdict(curve, *inputs, **params):
    return measured(TNSEval(**params), curve, *inputs)


def failed(body):
    return [cut["name"] for cut in body["cuts"] if not cut["passed"]]


@pytest.mark.golden
@pytest.mark.parametrize("variant", ["no_catalog", "loose"])
def test_verdicts_and_reports_are_ampels(variant):
    cases = golden("TNSEval", variant)
    assert len(cases) == 56
    for case in cases:
        unit = TNSEval(**case.config)
        body = measured(unit, case.light_curve, *[given["body"] for given in case.dependencies])
        assert_described(unit, body)
        assert_described(unit, case.body)
        assert body["tns_candidate"] == (not failed(body))
        if variant == "loose" and case.object in LATE_LIMIT:
            continue
        # The mean position is of directions, not of numbers: the last digits differ.
        assert not compare(body, case.body, rel={"atdict.*.value": 1e-10}, extra=["cuts.*"]), case.name


@pytest.mark.golden
def test_a_limit_behind_the_last_detection_does_not_count_where_ampel_finds_no_detections_since_it():
    for case in golden("TNSEval", "loose"):
        if case.object not in LATE_LIMIT:
            continue
        curve = case.light_curve
        deep = curve.limits.jd[curve.limits.limit >= 19.5]
        assert deep.max() > curve.detections.jd.max()
        assert case.body["tns_eval"] == "Poor lightcurve."
        body = measured(TNSEval(**case.config), curve, *[given["body"] for given in case.dependencies])
        assert body["tns_eval"] == "Good"
        assert body["atdict"]["non_detection"]["obsdate"] == deep[deep < curve.detections.jd.max()].max()


def test_every_cut_stands_in_the_body_with_its_value_and_its_limit():
    body = verdict(good_curve())
    assert body["tns_eval"] == "Good"
    cuts = {cut["name"]: (cut["value"], cut["limit"], cut["passed"]) for cut in body["cuts"]}
    assert cuts["ndet"] == (3, 2, True)
    assert cuts["peak_mag"] == (18.2, [13.0, 19.5], True)
    assert cuts["age"] == (2.0, [0.0, 50.0], True)
    assert cuts["ndet_postul"] == (3, 2, True)
    assert cuts["drb"] == (0.99, 0.95, True)
    assert cuts["redshift_NEDz"] == (None, [0.0, 1.15], True)


@pytest.mark.parametrize(
    ("cut", "given"),
    [
        ("peak_mag", {"magpsf": 12.0}),
        ("ssdistnr", {"ssdistnr": 0.5}),
        ("ps1_sgscore", {"distpsnr1": 0.5, "sgscore1": 0.9}),
        ("rb", {"rb": 0.1}),
        ("drb", {"drb": 0.2}),
    ],
)
def test_a_cut_that_fails_is_named_and_the_verdict_is_the_light_curves(cut, given):
    curve = ztf(*(detection(n, NIGHT + n, **given) for n in range(1, 4)))
    body = verdict(curve)
    assert cut in failed(body)
    assert body["tns_eval"] == "Poor lightcurve."


def test_cuts_behind_one_that_failed_are_made_all_the_same():
    body = verdict(ztf(detection(1, NIGHT, 12.0, rb=0.1)), {"AAVSOVSX": {"dist2transient": 0.3}})
    assert failed(body) == ["ndet", "peak_mag", "rb", "star_AAVSOVSX"]


def test_a_rise_of_more_than_three_magnitudes_right_behind_the_limit_is_rejected():
    curve = ztf(ztf_limit(1, NIGHT - 1, 20.5), detection(2, NIGHT, 17.0), detection(3, NIGHT + 1, 17.0))
    assert failed(verdict(curve)) == ["fastrise"]
    assert verdict(curve, cut_fastrise=False)["tns_eval"] == "Good"
    slow = ztf(ztf_limit(1, NIGHT - 4, 20.5), detection(2, NIGHT, 17.0), detection(3, NIGHT + 1, 17.0))
    assert verdict(slow)["tns_eval"] == "Good"


def test_points_fainter_than_their_own_limit_are_left_out_unless_that_is_not_wanted():
    curve = ztf(detection(1, NIGHT, 19.4, diffmaglim=19.0), detection(2, NIGHT + 1, 19.4, diffmaglim=19.0))
    assert failed(verdict(curve))[0] == "ndet"
    assert verdict(curve, require_lowerthanlim=False)["tns_eval"] == "Good"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("redshift_NEDz", {"NEDz": {"z": 1.2, "dist2transient": 2.0}}),
        ("redshift_SDSS_spec", {"SDSS_spec": {"z": 0.0, "dist2transient": 2.0}}),
        ("star_SDSSDR10", {"SDSSDR10": {"type": 6, "dist2transient": 1.0}}),
        ("star_LAMOSTDr4", {"LAMOSTDr4": {"class": "STAR", "dist2transient": 1.0}}),
        ("star_AAVSOVSX", {"AAVSOVSX": {"dist2transient": 1.0}}),
        ("gaia_gmag", {"GAIADR2": {"Mag_G": 9.0, "dist2transient": 20.0}}),
    ],
)
def test_a_catalogue_rejects_by_name(name, match):
    body = verdict(good_curve(), match)
    assert (body["tns_eval"], failed(body)) == ("Catalog match rejection.", [name])
    assert "atdict" not in body


def test_of_all_matches_the_nearest_counts():
    matches = {"NEDz": [{"z": 0.03, "dist2transient": 1.0}, {"z": 3.0, "dist2transient": 2.0}]}
    body = verdict(good_curve(), matches)
    assert body["atdict"]["remarks"] == "NED z 0.030. "


def test_needed_catalogues_must_have_a_match():
    catalogs = {"NEDz": {"rs_arcsec": 10.0}}
    wanted = {"needed_catalogs": ["NEDz"], "catalogs": catalogs}
    assert failed(verdict(good_curve(), {"NEDz": None}, **wanted)) == ["needed_NEDz"]
    assert failed(verdict(good_curve(), {"NEDz": {"z": 0.1, "dist2transient": 1.0}}, **wanted)) == []
    assert failed(verdict(good_curve(), require_catalogmatch=True)) == ["catalogs"]


def test_the_report_holds_the_first_points_since_the_limit_in_tns_words():
    report = verdict(good_curve(), nphot_submit=2)["atdict"]
    assert report["non_detection"] == {
        "obsdate": NIGHT - 2,
        "limiting_flux": 20.1,
        "filter_value": TNS_FILTERS["r"],
        "flux_units": "1",
        "instrument_value": "196",
        "exptime": "30",
        "Observer": "Robot",
    }
    points = report["photometry"]["photometry_group"]
    assert [(one["obsdate"], one["flux"], one["filter_value"]) for one in points.values()] == [
        (NIGHT, 18.8, "110"),
        (NIGHT + 1, 18.4, "111"),
    ]
    assert report["discovery_datetime"] == NIGHT
    assert "remarks" not in report


def test_without_a_limit_the_report_says_so():
    curve = ztf(detection(1, NIGHT), detection(2, NIGHT + 1))
    assert verdict(curve)["atdict"]["non_detection"]["archiveid"] == "0"


def test_a_noisy_source_of_gaia_is_remarked_unless_a_galaxy_explains_it():
    noisy = {
        "GAIADR2": {"Mag_G": 17.0, "ExcessNoise": 5.0, "dist2transient": 0.5},
        "NEDz": {"z": 0.005, "dist2transient": 8.0},
        "SDSSDR10": {"type": 3, "dist2transient": 9.0},
    }
    assert "Significant noise in Gaia" in verdict(good_curve(), noisy)["atdict"]["remarks"]
    near = noisy | {"SDSSDR10": {"type": 3, "dist2transient": 2.0}}
    assert "Significant noise" not in verdict(good_curve(), near)["atdict"]["remarks"]


def test_catalogues_that_are_named_become_a_dependency():
    catalogs = {"NEDz": {"rs_arcsec": 10.0, "keys_to_append": ["z"]}}
    (below,) = TNSEval(catalogs=catalogs).dependencies()
    assert isinstance(below, Dependency)
    assert (below.unit, below.params["catalogs"]["NEDz"]["rs_arcsec"]) == ("CatalogMatch", 10.0)
    assert TNSEval().dependencies() == (Dependency("CatalogMatch", {"catalogs": {}}),)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lc_filters": [{"attribute": "sharpnes", "operator": ">", "value": 0}]}, "sharpnr"),
        ({"lc_filters": [{"attribute": "rb", "operator": "=>", "value": 0}]}, "=>"),
        ({"catalogs": {"A": {"rs_arcsec": 1.0}}, "needed_catalogs": ["B"]}, "B"),
    ],
)
def test_wrong_parameters_are_refused_by_name(given, said):
    with pytest.raises(ParameterError, match=said):
        TNSEval(**given)


NUMBERS = st.none() | st.floats(-2, 30) | st.integers(-5, 5) | st.sampled_from(["STAR", "x", True])
COLUMNS = ("z", "dist2transient", "type", "class", "Mag_G", "ExcessNoise", "bptclass", "redshift")
SOURCES = st.dictionaries(st.sampled_from(COLUMNS), NUMBERS, max_size=8)
CATALOGS = ("NEDz", "SDSS_spec", "SDSSDR10", "LAMOSTDr4", "AAVSOVSX", "GAIADR2", "milliquas", "undefined")
MATCHES = st.dictionaries(st.sampled_from(CATALOGS), st.none() | SOURCES | st.lists(SOURCES, max_size=2))


@settings(max_examples=25)
@given(light_curves(), st.none() | MATCHES, st.booleans())
def test_any_light_curve_with_any_matches_has_a_verdict(curve, matches, open_):
    params = {"lc_filters": [], "min_gal_lat": 0.0, "min_ndet": 1, "min_ndet_postul": 0} if open_ else {}
    unit = TNSEval(**params, max_age=float("inf"))
    body = measured(unit, curve, matches)
    assert_described(unit, body)
    assert body["tns_candidate"] == (not failed(body)) == ("atdict" in body)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_have_a_verdict(name):
    assert verdict(AWKWARD[name], lc_filters=[])["tns_eval"] in {"Poor lightcurve.", "Good"}


@settings(max_examples=25)
@given(light_curves("ztf"), st.integers(0, 99), st.integers(-500, 500))
def test_neither_the_order_nor_whole_days_change_the_verdict(curve, seed, days):
    params = {"lc_filters": [], "rb_minmed": 0.0, "drb_minmed": 0.0, "max_age": 1e4}
    body = verdict(curve, **params)
    assert verdict(shuffled(curve, seed), **params) == body
    assert failed(verdict(shifted(curve, days), **params)) == failed(body)
