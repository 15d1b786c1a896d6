import astropy.units as u
import astropy_healpix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.catalog.healpix import ORDER, SIDE, cells, centres, join, places

RA = st.floats(-360, 720)
DEC = st.floats(-90, 90) | st.floats(89.999, 90) | st.floats(-90, -89.999)
EDGE = np.degrees(np.arcsin(2 / 3))


def oracle(ra, dec, order=ORDER):
    return astropy_healpix.lonlat_to_healpix(ra * u.deg, dec * u.deg, 2**order, order="nested")


def test_cells_of_many_positions_are_astropys():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 100_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000)))
    assert np.abs(cells(ra, dec) - oracle(ra, dec)).max() <= 1


@given(RA, DEC)
def test_the_cell_of_order_10_is_astropys_or_one_that_touches_the_position(ra, dec):
    ours = cells(np.array([ra]), np.array([dec])) >> (2 * (ORDER - 10))
    theirs = oracle(np.array([ra % 360]), np.array([dec]), 10)
    if ours != theirs:  # within rounding of an edge
        nudged = [oracle(np.array([ra % 360 + a]), np.array([np.clip(dec + b, -90, 90)]), 10) for a, b in NUDGES]
        assert int(ours[0]) in [int(cell[0]) for cell in nudged]


NUDGES = [(a, b) for a in (-1e-9, 1e-9) for b in (-1e-9, 1e-9)]


@pytest.mark.parametrize("order", [0, 1, 2, 5, 13, 29])
def test_centres_are_astropys_and_lie_in_their_cells(order):
    number = np.unique(np.random.default_rng(order).integers(0, 12 * 4**order, 20_000))
    ra, dec = centres(number, order)
    lon, lat = astropy_healpix.healpix_to_lonlat(number, 2**order, order="nested")
    assert np.abs((ra - lon.deg + 180) % 360 - 180).max() < 1e-9
    assert np.abs(dec - lat.deg).max() < 1e-9
    assert (cells(ra, dec) >> (2 * (ORDER - order)) == number).all()


@pytest.mark.parametrize("dec", [90.0, -90.0, 0.0, EDGE, -EDGE])
@pytest.mark.parametrize("ra", [0.0, 360.0, -1e-300, 359.99999999999994, 45.0, 90.0, 270.0])
def test_poles_and_edges_have_cells_like_any_other_place(ra, dec):
    face, x, y = (int(part[0]) for part in places(np.array([ra]), np.array([dec])))
    assert 0 <= face < 12
    assert 0 <= x < SIDE
    assert 0 <= y < SIDE


def test_a_turn_more_is_the_same_place():
    ra, dec = np.array([10.0, 200.0]), np.array([-5.0, 70.0])
    assert (cells(ra, dec) == cells(ra + 360, dec)).all()
    assert (cells(ra, dec) == cells(ra - 360, dec)).all()


def test_the_bits_of_x_and_y_alternate():
    assert join(np.array([3]), np.array([0b101]), np.array([0b011]), 3).tolist() == [(3 << 6) | 0b011011]
