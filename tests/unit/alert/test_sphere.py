import numpy as np
import pytest
from astropy.coordinates import angular_separation
from hypothesis import given
from hypothesis import strategies as st

from ampeld.alert.sphere import separation_arcsec

RA = st.floats(0, 360)
DEC = st.floats(-90, 90)
STEP = st.floats(-1e-3, 1e-3)


def ours(*degrees):
    return float(separation_arcsec(*(np.array([angle]) for angle in degrees))[0])


@given(RA, DEC, RA, DEC)
def test_distances_are_astropys(ra, dec, other_ra, other_dec):
    expected = np.degrees(angular_separation(*np.radians([ra, dec, other_ra, other_dec]))) * 3600
    # near the antipode the haversine formula loses digits; no search reaches that far
    assert ours(ra, dec, other_ra, other_dec) == pytest.approx(expected, abs=1e-9 if expected < 36_000 else 5e-3)


@given(RA, st.floats(-89.9, 89.9), STEP, STEP)
def test_short_distances_are_astropys_to_a_billionth(ra, dec, east, north):
    expected = np.degrees(angular_separation(*np.radians([ra, dec, ra + east, dec + north]))) * 3600
    assert ours(ra, dec, ra + east, dec + north) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_an_arcsecond_across_the_zero_of_right_ascension_is_one():
    assert ours(359.9999, 0.0, 0.0001, 0.0) == pytest.approx(0.72)


def test_all_right_ascensions_meet_at_a_pole():
    assert ours(12.0, 90.0, 200.0, 90.0) == pytest.approx(0, abs=1e-9)
