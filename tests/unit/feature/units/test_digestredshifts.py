"""The best redshift of many catalogues' rows, beside AMPEL's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.curves import ztf
from support.features import assert_described, compare, measured, section

from ampeld.feature.units.catalogmatch import CatalogMatch
from ampeld.feature.units.digestredshifts import DigestRedshifts
from ampeld.feature.units.redshift import get_redshift
from ampeld.params import ParameterError

CURVE = ztf()
"""Nothing of it is looked at."""
OURS = ("ampel_z_spread", "ampel_z_mean")
CORRECTED = {"catalogs_mixed": ("ampel_z", "ampel_dist"), "override": ("ampel_dist", "group_dists*")}
CASES = ("ls_spec_near", "catalogs_mixed", "nedz_extcats", "nothing_good_enough", "override")


def case(name):
    return next(one for one in section("synthetic_T2DigestRedshifts") if one["case"] == name)


def digested(one, **more):
    unit = DigestRedshifts(**one["config"], **more)
    body = measured(unit, CURVE, *(below["body"] for below in one["dependencies"]))
    assert_described(unit, body)
    return body


@pytest.mark.golden
@pytest.mark.parametrize("name", CASES)
def test_groups_and_the_best_redshift_are_those_of_ampel(name):
    one = case(name)
    assert compare(digested(one), one["body"], skip=CORRECTED.get(name, ()), extra=OURS) == []


@pytest.mark.golden
@pytest.mark.parametrize("name", [*CASES, "bts_3_digits", "bts_2_digits"])
def test_a_fit_is_given_the_redshift_that_ampel_gives_it(name):
    one = case(name)
    body = digested(one)
    category = one["config"].get("max_redshift_category", 3)
    found = get_redshift([body], kind="T2DigestRedshifts", max_redshift_category=category)
    if one["get_redshift"] is None:
        assert "UnboundLocalError" in one["error"]
        assert found.source in ("AMPELz_group1", "AMPELz_group2")
        return
    z, source, weights = one["get_redshift"]
    if name != "catalogs_mixed":
        assert found.z == (None if z is None else tuple(z))
    assert (found.source, found.weights) == (source, weights)


@pytest.mark.golden
def test_the_nearest_galaxy_counts_where_ampel_takes_the_mean_of_different_ones():
    one = case("catalogs_mixed")
    body = digested(one)
    assert one["body"]["ampel_z"] == pytest.approx(0.065)
    assert one["body"]["ampel_dist"] == 5.5
    assert (body["ampel_z"], body["ampel_dist"]) == (0.02, 1.0)
    assert body["ampel_z_mean"] == pytest.approx(0.065)
    assert body["ampel_z_spread"] == pytest.approx(0.14)


@pytest.mark.golden
def test_an_overridden_catalogue_gives_its_distance_where_ampel_has_none():
    one = case("override")
    assert one["body"]["ampel_dist"] is None
    assert one["body"]["group_dists"][1] == []
    body = digested(one)
    assert body["ampel_dist"] == 3.0
    assert body["group_dists"][1] == [3.0]


@pytest.mark.golden
@pytest.mark.parametrize(("name", "group"), [("bts_3_digits", 1), ("bts_2_digits", 2)])
def test_a_redshift_of_the_transient_itself_gives_a_value_where_ampel_raises(name, group):
    one = case(name)
    assert one["body"] is None
    body = digested(one)
    assert body["ampel_z"] == float(one["dependencies"][0]["body"]["bts_redshift"])
    assert body["group_z_nbr"] == group
    assert body["group_dists"] == [[]] * 7
    assert body["ampel_dist"] is None
    assert body["undefined"]["ampel_dist"].startswith("no_match")


def test_a_redshift_of_the_transient_itself_goes_before_a_galaxys_and_takes_no_distance():
    rows = {
        "NEDz_extcats": {"z": 0.02, "dist2transient": 0.5},
        "BTS": {"bts_redshift": "0.0312", "dist2transient": 0.1},
    }
    body = measured(DigestRedshifts(), CURVE, rows)
    assert body["group_zs"][0] == [0.0312, 0.02]
    assert body["group_dists"][0] == [0.5]
    assert body["ampel_z"] == 0.0312
    assert body["ampel_dist"] is None


@pytest.mark.parametrize(
    ("catalog", "row", "group"),
    [
        ("LS", {"z_spec": 0.0299}, 1),
        ("LS", {"z_spec": 0.03}, 2),
        ("LS", {"z_spec": 0.15}, 3),
        ("LS", {"z_spec": 0.4}, 5),
        ("LS", {"z_spec": -1.0}, None),
        ("LS", {"z_phot_median": 0.0}, 4),
        ("LS", {"z_phot_median": 0.1}, 5),
        ("LS", {"z_phot_median": 0.2}, 6),
        ("LS", {"z_phot_median": 0.4}, 7),
        ("LS", {"z_spec": 0.02, "dist2transient": 10.1}, None),
        ("NEDz_extcats", {"z": 0.02, "dist2transient": 1.9}, 1),
        ("NEDz_extcats", {"z": 0.02, "dist2transient": 2.0}, 3),
        ("NEDz_extcats", {"z": 0.02, "dist2transient": 20.0}, 4),
        ("NEDz_extcats", {"z": 0.05}, 4),
        ("SDSS_spec", {"z": 2.0}, 2),
        ("SDSS_spec", {"z": 0.1, "dist2transient": 10.0}, None),
        ("NEDz", {"z": 0.39}, 3),
        ("NEDz", {"z": 0.4}, None),
        ("GLADEv23", {"z": 0.049}, 3),
        ("GLADEv23", {"z": 0.05}, 4),
        ("GLADEv23", {"z": None}, None),
        ("LSPhotoZZou", {"specz": 0.1}, 2),
        ("LSPhotoZZou", {"specz": 0.1, "dist2transient": 10.0}, 3),
        ("LSPhotoZZou", {"specz": 0.2}, 5),
        ("LSPhotoZZou", {"photoz": 0.45, "dist2transient": 30.0}, 7),
        ("wiseScosPhotoz", {"zPhoto_Corr": 0.19}, 5),
        ("wiseScosPhotoz", {"zPhoto_Corr": 0.2}, 6),
        ("twoMPZ", {"zPhoto": 0.02}, 3),
        ("twoMPZ", {"zPhoto": 0.03}, 4),
        ("twoMPZ", {"zSpec": 0.5}, 2),
        ("PS1_photoz", {"z_phot": 99}, 4),
        ("PS1_photoz", {"z_phot": 400}, 7),
        ("PS1_photoz", {"z_phot": None}, None),
        ("PS1_photoz", {"z_phot": -999}, None),
        ("BTS", {"bts_redshift": "-"}, None),
        ("BTS", {"bts_redshift": "1"}, 2),
        ("BTS", {"bts_redshift": 0.0312}, 1),
    ],
)
def test_each_catalogue_has_its_rule(catalog, row, group):
    body = measured(DigestRedshifts(), CURVE, {catalog: {"dist2transient": 1.0, **row}})
    assert [n for n, zs in enumerate(body["group_zs"], start=1) if zs] == ([] if group is None else [group])


def test_colours_of_the_host_are_taken_near_it_alone():
    near = {"WISE": {"Mag_W1": 14.0, "Mag_W2": 13.5, "dist2transient": 2.9}}
    assert measured(DigestRedshifts(), CURVE, near)["col_wise_w1w2"] == 0.5
    far = {"WISE": {"Mag_W1": 14.0, "Mag_W2": 13.5, "dist2transient": 3.1}}
    assert "col_wise_w1w2" not in measured(DigestRedshifts(), CURVE, far)
    dark = {"PS1": [{"gPSFMag": 18.0, "rPSFMag": -999.0, "iPSFMag": 17.0, "zPSFMag": 16.0, "dist2transient": 1.0}]}
    assert [key for key in measured(DigestRedshifts(), CURVE, dark) if key.startswith("col_")] == ["col_ps1_iz"]


def test_without_a_good_redshift_the_reason_is_told():
    body = measured(DigestRedshifts(max_redshift_category=2), CURVE, {"GLADEv23": {"z": 0.1, "dist2transient": 1.0}})
    assert "ampel_z" not in body
    assert body["undefined"]["ampel_z"] == "no_redshift: none in groups 1 to 2"
    assert measured(DigestRedshifts(), CURVE, None) == {"undefined": {"*": "no_input: no catalogue has been searched"}}


def test_it_builds_upon_a_search_of_the_catalogues_that_it_is_given():
    catalogs = {"NEDz": {"rs_arcsec": 10.0, "keys_to_append": ["z"]}}
    (dependency,) = DigestRedshifts(catalogs=catalogs).dependencies()
    assert (dependency.unit, dependency.link) == ("CatalogMatch", "first")
    assert CatalogMatch(**dependency.params).catalogs["NEDz"].rs_arcsec == 10.0


BTS = {"bts_redshift": "0.05"}
SAMPLES = {"z_samples": [0.1, 0.2], "z_source": "HOST", "z_weights": [0.7, 0.3]}


@pytest.mark.parametrize(
    ("inputs", "given_", "expected"),
    [
        ([BTS], {"kind": "T2MatchBTS"}, ((0.05,), "BTS", None)),
        ([{"BTS": BTS}], {"kind": "T2MatchBTS"}, ((0.05,), "BTS", None)),
        ([{"bts_redshift": "-"}], {"kind": "T2MatchBTS"}, (None, None, None)),
        ([None, SAMPLES], {"kind": "T2ElasticcRedshiftSampler"}, ((0.1, 0.2), "HOST", (0.7, 0.3))),
        ([], {"kind": "T2ElasticcRedshiftSampler"}, (None, None, None)),
        ([], {"fixed_z": 1}, ((1.0,), "Fixed", None)),
        ([], {"fixed_z": [0.1, 0.2]}, ((0.1, 0.2), "Fixed", None)),
        ([], {"fixed_z": 0.1, "scale_z": 2.0}, ((0.2,), "Fixed + scaled 2.0", None)),
        ([], {}, (None, "Fitted", None)),
        ([{"ampel_z": 0.3, "group_z_nbr": 4}], {"kind": "AmpelZ"}, (None, None, None)),
    ],
)
def test_a_redshift_comes_from_where_it_is_wanted(inputs, given_, expected):
    found = get_redshift(inputs, **given_)
    assert (found.z, found.source, found.weights) == expected


def test_the_redshift_to_try_stands_in_the_body_where_it_is_asked_for():
    rows = {"SDSS_spec": {"z": 0.05, "dist2transient": 1.0}}
    body = measured(DigestRedshifts(redshift_kind="AmpelZ", scale_z=2.0), CURVE, rows)
    assert (body["z"], body["z_source"]) == ([0.1], "AMPELz_group2 + scaled 2.0")


NAMES = (
    "NEDz",
    "NEDz_extcats",
    "SDSS_spec",
    "GLADEv23",
    "LSPhotoZZou",
    "wiseScosPhotoz",
    "twoMPZ",
    "PS1_photoz",
    "BTS",
)
KEYS = ("z", "specz", "photoz", "z_phot", "zSpec", "z_spec", "z_phot_median", "bts_redshift", "Mag_W1", "gPSFMag")
ODD = st.one_of(st.none(), st.floats(), st.text(max_size=5), st.integers(), st.booleans(), st.lists(st.floats()))
ROWS = st.dictionaries(st.sampled_from([*KEYS, "dist2transient"]), ODD)


@given(st.dictionaries(st.sampled_from([*NAMES, "WISE", "PS1"]), st.one_of(ROWS, st.lists(ROWS, max_size=3), ODD)))
def test_whatever_catalogues_hold_gives_groups_and_never_an_exception(rows):
    body = measured(DigestRedshifts(redshift_kind="AmpelZ", max_redshift_category=7), CURVE, rows)
    assert len(body["group_zs"]) == 7
    for zs, dists in zip(body["group_zs"], body["group_dists"], strict=True):
        assert len(dists) <= len(zs)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_redshift_category": 8}, "max_redshift_category"),
        ({"category_precision": [0.1]}, "category_precision"),
        ({"catalogs": {"NEDz": {"radius": 3}}}, "catalogs"),
        (
            {"catalogmatch_override": {"a": {"z_keyword": "z", "max_distance": 1, "max_redshift": 1, "z_group": 0}}},
            "z_group",
        ),
    ],
)
def test_a_wrong_parameter_is_named(params, message):
    with pytest.raises(ParameterError, match=message):
        DigestRedshifts(**params)
