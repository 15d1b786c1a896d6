"""Sky maps of every kind tell the same of a position, and what is none is told."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.table import Table
from astropy_healpix import HEALPix, level_ipix_to_uniq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from support.skymaps import flat, golden_prob, multi_order, partial, split, written, zipped

from ampeld.feature.skymap_distance import moments
from ampeld.feature.skymap_read import read_skymap

PROB = golden_prob()
GRID = HEALPix(nside=4, order="nested", frame=ICRS())
FLAT = read_skymap(flat(PROB))
KINDS = {
    "ring": read_skymap(flat(PROB, ordering="RING")),
    "gzip": read_skymap(zipped(flat(PROB))),
    "packed rows": read_skymap(flat(PROB, packed=True)),
    "multi-order": read_skymap(multi_order(split(PROB, {3, 100, 191}))),
    "multi-order, shuffled": read_skymap(multi_order(split(PROB, {7})[::-1])),
    "explicit": read_skymap(partial(PROB, np.ones(192, dtype=bool))),
}
POSITIONS = st.tuples(st.floats(0, 360), st.floats(-90, 90))


def pixel(ra, dec):
    return int(GRID.skycoord_to_healpix(SkyCoord(ra * u.deg, dec * u.deg)))


@settings(max_examples=25)
@given(POSITIONS)
def test_density_and_level_are_those_of_the_pixel_by_astropy_healpix(position):
    number = pixel(*position)
    cell = FLAT.at(*position)
    assert FLAT.density(cell) == pytest.approx(PROB[number] / GRID.pixel_area.to_value(u.deg**2), rel=1e-12)
    assert FLAT.level(cell) == pytest.approx(PROB[number:].sum(), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(position=POSITIONS)
def test_all_kinds_of_one_map_tell_the_same_of_a_position(kind, position):
    found = KINDS[kind]
    cell, other = found.at(*position), FLAT.at(*position)
    assert found.density(cell) == pytest.approx(FLAT.density(other), rel=1e-12)
    if kind == "multi-order" or "shuffled" in kind:
        # cells of one density are counted one by one
        assert found.level(cell) <= FLAT.level(other) + 1e-12
        assert found.level(cell) > FLAT.level(other) - PROB[pixel(*position)] - 1e-12
    else:
        assert found.level(cell) == pytest.approx(FLAT.level(other), rel=1e-12)


def test_cells_of_equal_probability_are_in_the_order_of_their_numbers():
    even = read_skymap(flat(np.full(12, 1 / 12)))
    assert [even.level(number) for number in range(12)] == pytest.approx([(n + 1) / 12 for n in range(12)])


def test_the_area_counts_the_cell_in_which_the_probability_is_reached():
    even = read_skymap(flat(np.full(48, 1 / 48)))
    each = 4 * 180**2 / math.pi / 48
    assert even.area_within(0.5 + 1e-9) == pytest.approx(25 * each)
    assert even.area_within(0.01) == pytest.approx(each)
    assert even.area_within(1.0) == pytest.approx(48 * each)


def test_a_map_in_part_has_nothing_elsewhere():
    kept = np.arange(192) > 10
    part = read_skymap(partial(PROB, kept))
    for number in (0, 10, 11, 191):
        position = GRID.healpix_to_skycoord(number)
        cell = part.at(position.ra.deg, position.dec.deg)
        assert (cell is None) == (not kept[number])
        assert cell is None or part.density(cell) == pytest.approx(FLAT.density(number))


def test_pixels_without_a_value_have_no_probability():
    prob = np.where(np.arange(192) == 5, np.nan, PROB)
    prob[6] = -1.6375e30
    found = read_skymap(flat(prob))
    assert found.density(5) == found.density(6) == 0.0
    assert found.level(5) == pytest.approx(1 - PROB[5] - PROB[6])


def test_the_digest_changes_with_the_probabilities_alone():
    assert read_skymap(flat(PROB, SEED="x")).digest == FLAT.digest
    assert read_skymap(flat(PROB[::-1])).digest == FLAT.digest  # of sums in falling order
    assert read_skymap(flat(np.roll(PROB, 1) ** 2 / (PROB**2).sum())).digest != FLAT.digest


@pytest.mark.parametrize("mu", [-400.0, -30.0, -4.001, -3.999, -1.0, 0.0, 3.0, 150.0, 1e5])
def test_moments_of_a_distance_are_those_of_the_integral(mu):
    sigma = 10.0

    def moment(k):
        # the highest point of the integrand tells where to look
        top = (mu + math.sqrt(mu * mu + 8 * sigma**2)) / 2
        width = sigma * (1 if mu > -10 else 10 / -mu)
        scale = (top - mu) ** 2
        return quad(
            lambda r: r**k * math.exp(-((r - mu) ** 2 - scale) / (2 * sigma**2)),
            max(0.0, top - 12 * sigma),
            top + 40 * width,
            epsabs=0,
            epsrel=1e-11,
            limit=500,
            points=[top],
        )[0]

    mean = moment(3) / moment(2)
    spread = math.sqrt(moment(4) / moment(2) - mean**2)
    found = moments(mu, sigma)
    assert found[0] == pytest.approx(mean, rel=1e-8)
    assert found[1] == pytest.approx(spread, rel=1e-5)


def test_a_distance_that_the_map_does_not_tell_is_none():
    layers = {"DISTMU": [100.0, np.inf, 100.0] * 4, "DISTSIGMA": [10.0] * 12, "DISTNORM": [1e-4, 1e-4, 0.0] * 4}
    found = read_skymap(flat(np.full(12, 1 / 12), layers=layers))
    assert found.distance(0).moments() == pytest.approx((101.98, 9.9), rel=1e-3)
    assert found.distance(1) is None
    assert found.distance(2) is None
    assert FLAT.distance(0) is None


OVERLAP = Table({"UNIQ": level_ipix_to_uniq([0, 1], [0, 1]), "PROBDENSITY": [1.0, 1.0]})
NO_DENSITY = Table({"UNIQ": [4, 5]})
HALF = golden_prob() / 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read as FITS"),
        (b"no map at all", "cannot be read as FITS"),
        (b"\x1f\x8bno gzip", "cannot be read as FITS"),
        (flat(PROB)[:3000], "cannot be read as FITS|no table"),
        (written(OVERLAP, {}), "overlap"),
        (written(NO_DENSITY, {}), "PROBDENSITY"),
        (written(Table({"UNIQ": [1], "PROBDENSITY": [1.0]}), {}), "names no cells"),
        (written(Table({"A": [1.0]}), {}), "none of the columns"),
        (written(Table({"PROB": np.full(13, 1 / 13)}), {}), "no whole sky"),
        (written(Table({"PROB": np.full(12, 1 / 12)}), {"ORDERING": "GRID"}), "neither RING nor NESTED"),
        (written(Table({"PIXEL": [99], "PROB": [1.0]}), {"NSIDE": 1}), "outside"),
        (written(Table({"PIXEL": [0] * 12, "PROB": np.full(12, 1 / 12)}), {"NSIDE": 1}), "overlap"),
        (flat(HALF), "add up to 0.5"),
        (flat(np.zeros(12)), "add up to 0"),
    ],
)
def test_what_is_no_map_is_told(data, message):
    with pytest.raises(ValueError, match=message):
        read_skymap(data)
