"""What local catalogues have near a point, through the adapter that units are given."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from support.catalogs import make_catalog
from support.features import assert_described

from ampeld.catalog.directory import open_catalogs
from ampeld.daemon.feature_resources import LocalResources
from ampeld.feature import PointView
from ampeld.feature.body import settle
from ampeld.feature.units.catalogmatch import CatalogMatch
from ampeld.params import ParameterError

ARCSEC = 1 / 3600


@pytest.fixture(scope="module")
def resources(tmp_path_factory):
    directory = tmp_path_factory.mktemp("catalogs")
    dec = [2.0 + n * ARCSEC for n in (1, 3, 5)]
    make_catalog(
        directory,
        "NEDz",
        ra=[150.0] * 3,
        dec=dec,
        z=[0.01, 0.02, None],
        kind=["G", "QSO", None],
        n=[1, 2, 3],
    )
    make_catalog(directory, "edge", ra=[359.9999, 0.0001], dec=[0.0, 89.9999], mag=[18.0, 19.0])
    return LocalResources(open_catalogs(directory), directory)


def point(ra=150.0, dec=2.0):
    return PointView("ztf", 1, 2458300.5, ("ZTF",), {"ra": ra, "dec": dec})


def matched(resources, at=None, **catalogs):
    unit = CatalogMatch(catalogs=catalogs)
    unit.open(resources)
    body = settle(unit.measure(at or point()))
    assert_described(unit, body)
    return body


def test_the_nearest_source_is_given_with_the_columns_that_are_asked_for(resources):
    body = matched(resources, NEDz={"rs_arcsec": 10.0, "keys_to_append": ["z", "kind"]})
    assert list(body["NEDz"]) == ["dist2transient", "z", "kind"]
    assert body["NEDz"]["dist2transient"] == pytest.approx(1.0, abs=1e-6)
    assert (body["NEDz"]["z"], body["NEDz"]["kind"]) == (0.01, "G")


def test_without_a_choice_all_columns_are_given_in_plain_types(resources):
    found = matched(resources, NEDz={"rs_arcsec": 1.5})["NEDz"]
    assert set(found) == {"dist2transient", "ra", "dec", "z", "kind", "n"}
    assert [type(found[key]) for key in ("ra", "z", "kind", "n")] == [float, float, str, int]


def test_all_sources_come_nearest_first_with_none_where_a_value_is_missing(resources):
    found = matched(resources, NEDz={"rs_arcsec": 10.0, "all": True})["NEDz"]
    assert [row["n"] for row in found] == [1, 2, 3]
    assert [row["z"] for row in found] == [0.01, 0.02, None]
    assert found[2]["kind"] is None


def test_nothing_near_is_none_with_a_reason(resources):
    body = matched(resources, point(dec=-2.0), NEDz={"rs_arcsec": 10.0}, edge={"rs_arcsec": 1.0, "all": True})
    assert (body["NEDz"], body["edge"]) == (None, None)
    assert body["undefined"] == {"NEDz": "no_match: within 10 arcsec", "edge": "no_match: within 1 arcsec"}


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"z": {"$gt": 0.01}}, 2),
        ({"z": {"$gte": 0.01, "$lt": 0.02}}, 1),
        ({"kind": "QSO"}, 2),
        ({"kind": {"$ne": "G"}}, 2),
        ({"kind": {"$in": ["QSO", "AGN"]}}, 2),
        ({"kind": {"$nin": ["G", "QSO"]}}, 3),
        ({"z": {"$exists": False}}, 3),
        ({"n": {"$lte": 3, "$gt": 2}}, 3),
        ({"kind": {"$gt": 1}}, None),
    ],
)
@pytest.mark.parametrize("key", ["pre_filter", "post_filter"])
def test_sources_are_chosen_by_their_columns_before_the_nearest_is_taken(resources, query, number, key):
    found = matched(resources, NEDz={"rs_arcsec": 10.0, key: query})["NEDz"]
    assert (found and found["n"]) == number


@settings(max_examples=25)
@given(st.floats(0, 360), st.floats(-90, 90))
def test_the_distance_is_astropys(resources, ra, dec):
    body = matched(resources, point(ra, dec), edge={"rs_arcsec": 36_000.0, "all": True})
    sources = SkyCoord([359.9999, 0.0001] * u.deg, [0.0, 89.9999] * u.deg)
    distances = SkyCoord(ra * u.deg, dec * u.deg).separation(sources).arcsec
    expected = np.sort(distances[distances <= 36_000])
    assert [row["dist2transient"] for row in body["edge"] or []] == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("body", [{}, {"ra": None, "dec": 2.0}, {"ra": 150.0}, {"ra": math.nan, "dec": 2.0}])
def test_a_point_without_a_position_has_a_reason(resources, body):
    unit = CatalogMatch(catalogs={"NEDz": {"rs_arcsec": 3.0}})
    unit.open(resources)
    settled = settle(unit.measure(PointView("ztf", 1, 2458300.5, (), body)))
    assert settled["undefined"]["*"].startswith("no_field")


def test_what_was_searched_is_in_the_trace(resources):
    matched(resources, NEDz={"rs_arcsec": 3.0})
    assert len(resources.digests["NEDz"]) == 16
    assert list(CatalogMatch(catalogs={"NEDz": {"rs_arcsec": 3.0}}).needs()) == [("catalog", "NEDz")]


def test_a_column_that_is_not_there_is_told_before_the_start(resources):
    for search in ({"keys_to_append": ["z", "zz"]}, {"pre_filter": {"Z": 1}}):
        unit = CatalogMatch(catalogs={"NEDz": {"rs_arcsec": 3.0, **search}})
        (problem,) = resources.problems(unit.needs())
        assert "did you mean 'z'" in problem


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"rs_arcsec": 0.0}, "radius"),
        ({"rs_arcsec": 40_000.0}, "36000"),
        ({"rs_arcsec": 3.0, "pre_filter": {"z": {"$les": 1}}}, "no comparison"),
        ({"rs_arcsec": 3.0, "pre_filter": {"$or": []}}, "logical operators"),
        ({"rs_arcsec": 3.0, "post_filter": {"z": {"$in": 3}}}, "wants a list"),
        ({"rs_arcsec": 3.0, "post_filter": {"z": {"$lt": None}}}, "wants a number"),
        ({"radius": 3.0}, "radius"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(search, message):
    with pytest.raises(ParameterError, match=message):
        CatalogMatch(catalogs={"NEDz": search})


def test_a_configuration_of_ampel_is_taken_as_it_is(resources):
    search = {"use": "extcats", "rs_arcsec": 3, "keys_to_append": ["z"], "pre_filter": None, "post_filter": None}
    assert matched(resources, NEDz=search)["NEDz"]["z"] == 0.01
