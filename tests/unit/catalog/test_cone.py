import numpy as np
import pytest
from astropy.coordinates import angular_separation
from hypothesis import given, settings
from hypothesis import strategies as st

from ampeld.catalog import cone
from ampeld.catalog.cone import search
from ampeld.catalog.healpix import cells

EDGE = float(np.degrees(np.arcsin(2 / 3)))
# Where HEALPix is least regular: poles, the zero of right ascension, the edges and the corners of its faces.
HARD = [(0.0, 90.0), (0.0, -90.0), (0.0, 0.0), (45.0, 0.0), (0.0, EDGE), (45.0, EDGE), (90.0, -EDGE), (180.0, 60.0)]
RADII = st.sampled_from([0.1, 1.0, 3.0, 20.0, 60.0, 600.0, 3600.0, 10_800.0, 36_000.0])


@st.composite
def places(draw):
    """Positions anywhere, or around a hard place at some scale."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    if draw(st.booleans()):
        return rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300))), draw(RADII)
    ra, dec = draw(st.sampled_from(HARD))
    radius = draw(RADII)
    spread = radius / 3600 * draw(st.sampled_from([0.5, 2.0, 5.0]))
    scatter = rng.normal(0, spread, (2, 300))
    found = np.clip(dec + scatter[1], -90, 90)
    wide = np.maximum(np.cos(np.radians(found)), spread / 180)
    return np.mod(ra + scatter[0] / wide, 360), found, radius


def brute(ra, dec, at_ra, at_dec):
    angles = (np.radians(angle) for angle in (at_ra[:, None], at_dec[:, None], ra, dec))
    return np.degrees(angular_separation(*angles)) * 3600


def ordered(ra, dec):
    index = cells(ra, dec)
    order = np.argsort(index)
    return index[order], (ra[order], dec[order])


@settings(max_examples=150)
@given(places())
def test_everything_within_the_radius_is_found_and_nothing_else(drawn):
    ra, dec, radius = drawn
    at, sources = slice(0, 60), slice(60, None)
    index, there = ordered(ra[sources], dec[sources])
    offsets, rows, distances = search(index, there, (ra[at], dec[at]), radius)
    away = brute(*there, ra[at], dec[at])
    sure = 1e-6 + 1e-9 * radius  # what lies on the circle itself may fall to either side
    for i in range(60):
        found = rows[offsets[i] : offsets[i + 1]]
        assert len(set(found.tolist())) == len(found)
        assert (
            set(np.flatnonzero(away[i] <= radius - sure)) <= set(found) <= set(np.flatnonzero(away[i] <= radius + sure))
        )
        mine = distances[offsets[i] : offsets[i + 1]]
        assert (np.diff(mine) >= 0).all()
        assert np.allclose(mine, away[i][found], rtol=1e-9, atol=1e-8)


def test_a_source_finds_itself_at_no_distance():
    index, there = ordered(np.array([10.0, 0.0, 77.0]), np.array([20.0, 90.0, -90.0]))
    offsets, rows, distances = search(index, there, there, 0.1)
    assert offsets.tolist() == [0, 1, 2, 3]
    assert rows.tolist() == [0, 1, 2]
    assert distances.tolist() == [0.0, 0.0, 0.0]


def test_the_edge_of_the_cone_belongs_to_it():
    index, there = ordered(np.array([0.0]), np.array([0.0]))
    at = np.array([0.0]), np.array([1 / 3600])
    _, _, distances = search(index, there, at, 2.0)
    assert search(index, there, at, float(distances[0]))[0].tolist() == [0, 1]
    assert search(index, there, at, float(np.nextafter(distances[0], 0)))[0].tolist() == [0, 0]


def test_an_empty_catalogue_and_an_empty_batch_find_nothing():
    nothing = np.empty(0)
    index, there = ordered(nothing, nothing)
    assert search(index, there, (np.array([1.0, 2.0]), np.array([3.0, 4.0])), 5.0)[0].tolist() == [0, 0, 0]
    assert search(index, there, (nothing, nothing), 5.0)[0].tolist() == [0]


def test_a_search_in_parts_finds_what_one_in_one_go_does(monkeypatch):
    rng = np.random.default_rng(4)
    index, there = ordered(rng.uniform(0, 10, 3000), rng.uniform(0, 10, 3000))
    at = rng.uniform(0, 10, 50), rng.uniform(0, 10, 50)
    whole = search(index, there, at, 3000.0)
    monkeypatch.setattr(cone, "_AT_ONCE", 100)
    for one, other in zip(whole, search(index, there, at, 3000.0), strict=True):
        assert one.tolist() == other.tolist()
    assert len(whole[1]) > 1000


@pytest.mark.parametrize("radius", [0.0, -1.0, 36_000.1, float("nan"), float("inf")])
def test_a_radius_that_cannot_be_searched_is_refused(radius):
    index, there = ordered(np.array([0.0]), np.array([0.0]))
    with pytest.raises(ValueError, match="cannot be searched"):
        search(index, there, there, radius)


def test_a_position_that_is_none_is_refused():
    index, there = ordered(np.array([0.0]), np.array([0.0]))
    with pytest.raises(ValueError, match="not finite"):
        search(index, there, (np.array([np.nan]), np.array([0.0])), 1.0)
