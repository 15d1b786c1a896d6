"""What a sky map tells of an object, beside AMPEL's own."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import AWKWARD, NIGHT, light_curves, shifted, shuffled, ztf, ztf_detection, ztf_limit
from support.features import assert_described, measured, section
from support.skymaps import flat, golden_prob, multi_order, partial, split

from ampeld.feature.units.healpixprob import HealpixProb
from ampeld.params import ParameterError

HEADER = {"DATE-OBS": "2019-04-25T08:18:05", "DISTMEAN": 156.1, "DISTSTD": 41.4}
PROB = golden_prob()


class Files:
    """Files in memory."""

    def __init__(self, **files):
        self.files = {name.replace("_", "."): data for name, data in files.items()}

    def read(self, name):
        return self.files[name]


def unit(data, **params):
    made = HealpixProb(map="m.fits", **params)
    made.open(Files(m_fits=data))
    return made


def at(ra, dec):
    return ztf(ztf_detection(1, NIGHT, ra=ra, dec=dec))


FLAT = unit(flat(PROB, **HEADER))


@pytest.mark.golden
@pytest.mark.parametrize("data", [flat(PROB, **HEADER), flat(PROB, ordering="RING", **HEADER)])
def test_the_golden_map_gives_the_values_of_ampel(data):
    golden = section("synthetic_healpix")
    made = unit(data)
    for one in golden["cumprob"]:
        body = measured(made, at(one["ra"], one["dec"]))
        assert body["cumprob"] == pytest.approx(one["cumprob"], rel=1e-14)
        assert body["map_hash"] == golden["hash"]
        assert body["trigger_time"] == golden["trigger_time"]
        assert [body["map_dist"], body["map_dist_unc"]] == golden["dist"]
        assert body["seed"] == golden["seed"]
        assert_described(made, body)


@pytest.mark.golden
@pytest.mark.parametrize("level", ["0.1", "0.5", "0.9"])
def test_the_area_is_larger_by_the_crossing_cell_than_ampels(level):
    golden = section("synthetic_healpix")
    body = measured(unit(flat(PROB, **HEADER), pvalue_limit=float(level)), at(0, 0))
    ampel, each = golden["maparea_deg2"][level], 360**2 / math.pi / 192
    assert ampel == pytest.approx(golden["pixels_le"][level] * each, rel=1e-12)
    assert body["map_area"] == pytest.approx(ampel + each, rel=1e-12)


def test_a_multi_order_map_gives_the_density_of_the_flat_one():
    made = unit(multi_order(split(PROB, set(range(0, 192, 3))), **HEADER))
    for ra, dec in ((13.0, 48.0), (200.0, -14.88), (359.9, -89.9), (0.0, 90.0)):
        ours, expected = measured(made, at(ra, dec)), measured(FLAT, at(ra, dec))
        assert ours["density"] == pytest.approx(expected["density"], rel=1e-12)
        assert ours["cumprob"] == pytest.approx(expected["cumprob"], abs=PROB.max())


def test_the_position_is_right_across_ra_zero_where_a_plain_mean_is_not():
    both = ztf(ztf_detection(1, NIGHT, ra=359.9, dec=30.0), ztf_detection(2, NIGHT + 1, ra=0.1, dec=30.0))
    assert measured(FLAT, both) == measured(FLAT, at(0.0, 30.0))
    assert measured(FLAT, both)["cumprob"] != measured(FLAT, at(180.0, 30.0))["cumprob"]


def test_the_distance_is_that_of_the_line_of_sight():
    layers = {
        "DISTMU": np.linspace(50, 250, 192),
        "DISTSIGMA": np.full(192, 1.0),
        "DISTNORM": 1 / np.linspace(50, 250, 192) ** 2,
    }
    made = unit(flat(PROB, layers=layers, **HEADER))
    body = measured(made, at(13.0, 48.0))
    assert body["map_dist"] == pytest.approx(body["map_dist_mu"], abs=0.1)
    assert body["map_dist_unc"] == pytest.approx(1.0, rel=0.01)
    assert (body["map_dist_sky"], body["map_dist_sky_unc"]) == (156.1, 41.4)
    assert measured(made, at(200.0, -14.88))["map_dist"] != body["map_dist"]
    assert_described(made, body)


def test_outside_of_a_map_in_part_no_contour_holds_the_position():
    made = unit(partial(PROB, np.arange(192) > 0, **HEADER))
    body = measured(made, at(45.0, 2.0))
    assert (body["cumprob"], body["density"], body["map_dist"]) == (1.0, 0.0, 156.1)


def test_what_the_map_does_not_tell_has_a_reason():
    body = measured(unit(flat(PROB)), at(0, 0))
    for key in ("trigger_time", "map_dist", "map_dist_unc", "map_dist_sky"):
        assert body[key] is None
        assert body["undefined"][key].startswith("no_field")


def test_a_map_of_another_hash_is_refused():
    digest = measured(FLAT, at(0, 0))["map_hash"]
    unit(flat(PROB), map_hash=digest)
    with pytest.raises(ValueError, match="is expected"):
        unit(flat(PROB), map_hash="x" + digest)
    with pytest.raises(ValueError, match=r"map: m\.fits: it cannot be read"):
        unit(b"no map")


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 9))
def test_every_curve_gives_a_level_or_a_reason_whatever_the_order_and_the_time(curve, seed):
    body = measured(FLAT, curve)
    assert 0 < body["cumprob"] <= 1 + 1e-12 if "cumprob" in body else "*" in body["undefined"]
    assert measured(FLAT, shuffled(curve, seed)) == body
    assert measured(FLAT, shifted(curve, 100)) == body


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_curve_gives_values_or_reasons(name):
    assert_described(FLAT, measured(FLAT, AWKWARD[name]))


def test_limits_alone_have_no_position():
    assert measured(FLAT, ztf(ztf_limit(1, NIGHT)))["undefined"]["*"] == "no_detection"


def test_it_needs_its_map_and_says_so():
    made = HealpixProb(map="a/m.fits")
    assert list(made.needs()) == [("file", "a/m.fits")]
    assert measured(made, at(0, 0))["undefined"]["*"].startswith("no_input")
    with pytest.raises(ParameterError, match="pvalue_limit"):
        HealpixProb(map="m.fits", pvalue_limit=0.0)
