import pytest
from fakes.catalog import FakeCatalog
from fakes.table import packet, table

from ampeld.channel.catalogfilter import CatalogFilter
from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import judge
from ampeld.flow.verdict import cut_name, is_accepted
from ampeld.params import ParameterError

ARCSEC = 1 / 3600
GALAXIES = FakeCatalog([10.0, 10.0], [20 + 2 * ARCSEC, 20 + 8 * ARCSEC], z=[0.01, 0.5], mag=[15.0, None])
STARS = FakeCatalog([10.0], [20 - 4 * ARCSEC], mag=[12.0])
CATALOGS = {"galaxies": GALAXIES, "stars": STARS}


def verdict(params, **fields):
    names = CutNames()
    judgement = judge(CatalogFilter(**params), Columns(table(packet(**fields)), CATALOGS), names)
    assert judgement.failures == []
    code = int(judgement.codes[0])
    return "accepted" if is_accepted(code) else cut_name(code, names.names)


def near(catalog="galaxies", radius=3.0, **limits):
    return {"catalog": catalog, "radius": radius, "limits": {key: list(value) for key, value in limits.items()}}


@pytest.mark.parametrize(
    ("expected", "searches"),
    [
        ("accepted", [near()]),
        ("match", [near(radius=1.9)]),
        ("accepted", [near(z=(0.01, 0.03))]),
        ("match", [near(z=(0.011, 0.03))]),
        ("accepted", [near(radius=9, z=(0.4, 0.6))]),
        ("match", [near(radius=9, z=(0.4, 0.6), mag=(0.0, 30.0))]),  # that one has no magnitude
        ("match", [near(radius=9, z=(0.4, 0.6), mag=(float("-inf"), float("inf")))]),
        ("match", [near(radius=9, z=(0.4, 0.6), mag=(14.0, 16.0))]),  # each limit holds for another source
        ("accepted", [near("stars", 1.0), near("galaxies", 3.0)]),
        ("match", [near("stars", 1.0), near("galaxies", 1.0)]),
    ],
)
def test_an_alert_near_a_source_of_any_search_is_accepted(expected, searches):
    assert verdict({"match": searches}) == expected


def test_all_searches_must_find_something_if_asked_to():
    both = [near("stars", 5.0), near("galaxies", 3.0)]
    assert verdict({"match": both, "match_if": "all"}) == "accepted"
    assert verdict({"match": [*both, near("stars", 1.0)], "match_if": "all"}) == "match"


def test_a_source_within_the_radius_is_a_veto():
    assert verdict({"veto": [near("stars", 5.0)]}) == "veto"
    assert verdict({"veto": [near("stars", 3.0)]}) == "accepted"
    assert verdict({"veto": [near("stars", 5.0), near("galaxies", 1.0)]}) == "veto"
    assert verdict({"veto": [near("stars", 5.0), near("galaxies", 1.0)], "veto_if": "all"}) == "accepted"


def test_veto_and_match_go_together():
    assert verdict({"match": [near()], "veto": [near("stars", 3.0)]}) == "accepted"
    assert verdict({"match": [near()], "veto": [near("stars", 5.0)]}) == "veto"


def test_detections_and_sign_are_looked_at_first():
    assert verdict({"match": [near()], "min_ndet": 2}) == "ndet"
    assert verdict({"match": [near()]}, isdiffpos="f") == "isdiffpos"
    assert verdict({"match": [near()], "positive": False}, isdiffpos="f") == "accepted"


def test_every_catalogue_and_column_is_asked_for_at_the_start():
    made = CatalogFilter(match=[near(z=(0, 1)), near(mag=(0, 20))], veto=[near("stars")])
    assert made.catalogs() == {"galaxies": {"z", "mag"}, "stars": set()}


@pytest.mark.parametrize(
    ("params", "key", "message"),
    [
        ({}, None, "neither match nor veto"),
        ({"match": [near(radius=0)]}, "match", "radius of 0"),
        ({"veto": [near(radius=36_001)]}, "veto", "up to 36000"),
        ({"match": [near(z=(1, 0))]}, "match", "exclude every value"),
        ({"match": [near() | {"radios": 1}]}, "match", "unknown field"),
        ({"match": [near()], "match_if": "some"}, "match_if", "some"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(params, key, message):
    with pytest.raises(ParameterError) as caught:
        CatalogFilter(**params)
    assert caught.value.errors[0][0] == key
    assert message in caught.value.errors[0][1]
