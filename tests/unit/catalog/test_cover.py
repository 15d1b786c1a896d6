import warnings

import astropy_healpix
import numpy as np
import pytest
from astropy.coordinates import angular_separation

from ampeld.catalog import cover as cover_module
from ampeld.catalog.cover import cover
from ampeld.catalog.healpix import ORDER, join, places

SOUTH_WEST, NORTH_WEST, NORTH_EAST, SOUTH_EAST = 0, 2, 4, 6  # astropy-healpix counts clockwise from the south-west


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize(
    ("direction", "step"),
    [(SOUTH_WEST, (-1, 0)), (NORTH_WEST, (0, 1)), (NORTH_EAST, (1, 0)), (SOUTH_EAST, (0, -1))],
)
def test_a_step_over_the_edge_of_a_face_leads_to_the_neighbour(order, direction, step):
    side = 2**order
    face, x, y = (part.ravel() for part in np.mgrid[:12, :side, :side])
    number = join(face, x, y, order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = astropy_healpix.neighbours(number, side, order="nested")[direction]
    found = join(*cover_module._step_over(face, x + step[0], y + step[1], side), order)
    assert (found == expected).all()


def test_ranges_of_a_position_do_not_overlap_and_follow_one_another_by_position():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 5000), np.degrees(np.arcsin(rng.uniform(-1, 1, 5000)))
    for radius in (0.1, 60.0, 7200.0, 36_000.0):
        owner, first, end = cover(ra, dec, radius)
        assert (np.diff(owner) >= 0).all()
        order = np.lexsort((first, owner))
        same = np.diff(owner[order]) == 0
        assert (first[order][1:][same] >= end[order][:-1][same]).all()
        assert (end > first).all()


def test_no_coordinate_of_a_face_grows_faster_along_the_sky_than_is_assumed():
    rng = np.random.default_rng(3)
    ra = rng.uniform(0, 360, 200_000)
    dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000))), 90 - 10 ** rng.uniform(-4, 1, 100_000)])
    angle, step = rng.uniform(0, 2 * np.pi, 200_000), 1e-7
    east = np.degrees(step * np.cos(angle)) / np.cos(np.radians(dec))
    here, there = places(ra, dec), places(ra + east, dec + np.degrees(step * np.sin(angle)))
    same = (here[0] == there[0]) & (np.abs(east) < 1e-2)
    for one, other in zip(here[1:], there[1:], strict=True):
        assert (np.abs(one - other)[same] / (step * 2**ORDER)).max() < cover_module._STEEPEST


def test_no_corner_of_a_cell_is_further_from_its_centre_than_is_assumed():
    for order in (0, 1, 2, 3, 6):
        number = np.arange(12 * 4**order)
        lon, lat = astropy_healpix.boundaries_lonlat(number, 1, 2**order, order="nested")
        ra, dec = astropy_healpix.healpix_to_lonlat(number, 2**order, order="nested")
        reach = angular_separation(ra[:, None], dec[:, None], lon, lat).to_value("rad").max()
        assert reach <= cover_module._REACH / 2**order
