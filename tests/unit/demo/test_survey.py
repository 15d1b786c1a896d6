"""The calendar is the same for all, agrees with the sky and leaves no two images in one moment."""

from datetime import date

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from ampeld.demo.survey import LOOK_BACK_DAYS, Survey, galactic_latitude, night_jd

SURVEY = Survey(1, date(2025, 10, 12), 2)


@given(ra=st.floats(0, 360), dec=st.floats(-90, 90))
def test_galactic_latitude_is_astropys(ra, dec):
    assert galactic_latitude(ra, dec) == pytest.approx(SkyCoord(ra, dec, unit="deg").galactic.b.deg, abs=1e-3)


def test_a_night_begins_at_zero_hours_of_its_day():
    assert night_jd(date(2017, 1, 1)) == 2457754.5


def test_every_field_is_visited_twice_a_night_in_two_bands_each_second_or_third_night():
    for field in SURVEY.fields:
        visits = SURVEY.visits(field)
        assert (np.diff(visits.jd) > 0).all()
        nights, counts = np.unique(visits.night, return_counts=True)
        assert set(counts) == {2}
        assert np.diff(nights).min() >= 2
        assert all(set(visits.fid[visits.night == night]) == {1, 2} for night in nights)
        assert (np.floor(visits.jd - 0.5) == night_jd(SURVEY.start) + visits.night - 0.5).all()
        assert nights.min() >= -LOOK_BACK_DAYS


def test_no_two_fields_are_imaged_in_one_moment():
    moments = np.concatenate([SURVEY.visits(field).jd for field in SURVEY.fields])
    assert np.diff(np.sort(moments)).min() > 1e-5


def test_limits_are_those_of_the_survey():
    limits = np.concatenate([SURVEY.visits(field).limit for field in SURVEY.fields])
    assert 20.2 < np.median(limits) < 20.9


def test_a_quadrant_lies_within_its_field():
    field = SURVEY.fields[0]
    for rcid in (0, 27, 63):
        _, dec = field.place(rcid, 0.5, 0.5)
        assert abs(dec - field.dec) < 3.7
