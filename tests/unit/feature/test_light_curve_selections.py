"""Parts of light curves: by band, time, sign and quality, one point by band and time, and where they are."""

import math

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    light_curves,
    lsst,
    lsst_forced,
    lsst_source,
    points_of,
    ztf,
    ztf_detection,
    ztf_limit,
)

from ampeld.feature.position import mean_position

MJD = 60900.0


def test_a_band_a_time_and_a_sign_can_be_chosen():
    curve = ztf(
        ztf_limit(1, NIGHT),
        ztf_detection(2, NIGHT + 1, isdiffpos="f"),
        ztf_detection(3, NIGHT + 2, fid=2),
        ztf_detection(4, NIGHT + 3, isdiffpos="1"),
    )
    assert curve.bands == ["g", "r"]
    assert curve.in_band("g").id.tolist() == [-1, 2, 4]
    assert curve.between(NIGHT + 1, NIGHT + 2).id.tolist() == [2, 3]
    assert curve.of_sign(positive=True).id.tolist() == [3, 4]
    assert curve.of_sign(positive=False).id.tolist() == [2]


def test_quality_is_a_range_of_any_field_of_either_survey():
    ours = ztf(*(ztf_detection(n, NIGHT + n, rb=n / 10, drb=1 - n / 10) for n in range(1, 6)), ztf_limit(9, NIGHT))
    assert ours.of_quality("reliability", 0.3).id.tolist() == [3, 4, 5]
    assert ours.of_quality("drb", 0.6, 0.8).id.tolist() == [2, 3, 4]
    assert len(ours.of_quality("nothing")) == 0
    theirs = lsst(lsst_source(1, MJD, reliability=0.2), lsst_source(2, MJD + 1, reliability=None), lsst_forced(3, MJD))
    assert theirs.of_quality("reliability", 0.1).id.tolist() == [1]


def test_of_one_band_and_time_the_detection_stays_then_the_forced_then_the_smaller_number():
    curve = lsst(
        lsst_forced(1, MJD, band="r"),
        lsst_source(7, MJD, band="r"),
        lsst_source(5, MJD, band="r"),
        lsst_forced(2, MJD, band="g"),
        lsst_source(8, MJD + 1, band="r"),
    )
    assert curve.deduplicated().id.tolist() == [2, 5, 8]
    limits = ztf(ztf_limit(3, NIGHT), ztf_detection(4, NIGHT), ztf_detection(2, NIGHT), ztf_limit(9, NIGHT, fid=2))
    assert limits.deduplicated().id.tolist() == [-9, 2]


@settings(max_examples=25)
@given(light_curves())
def test_without_equal_times_nothing_is_dropped_and_nothing_twice(curve):
    once = curve.deduplicated()
    keys = list(zip(curve.jd.tolist(), curve.band.tolist(), strict=True))
    assert sorted(zip(once.jd.tolist(), once.band.tolist(), strict=True)) == sorted(set(keys))
    assert once.deduplicated().id.tolist() == once.id.tolist()
    assert set(once.id.tolist()) <= set(curve.id.tolist())


def test_the_brightest_is_the_largest_flux_of_either_sign_and_no_limit():
    curve = ztf(
        ztf_limit(1, NIGHT, 15.0), ztf_detection(2, NIGHT + 1, 19), ztf_detection(3, NIGHT + 2, 18, isdiffpos="f")
    )
    assert curve.brightest() == 2
    assert ztf(ztf_limit(1, NIGHT)).brightest() is None
    assert ztf().brightest() is None


def test_the_nearest_in_time_is_the_earlier_of_equals():
    curve = ztf(ztf_detection(1, NIGHT), ztf_detection(2, NIGHT + 2))
    assert (curve.nearest(NIGHT + 0.5), curve.nearest(NIGHT + 1), curve.nearest(NIGHT + 99)) == (0, 0, 1)
    assert ztf().nearest(NIGHT) is None


def test_positions_are_the_mean_the_brightest_or_the_latest():
    curve = ztf(
        ztf_detection(1, NIGHT, 17.0, ra=359.0, dec=0.0),
        ztf_detection(2, NIGHT + 1, 18.0, ra=1.0, dec=0.0),
        ztf_detection(3, NIGHT + 2, 16.0, ra=None),
        ztf_limit(4, NIGHT + 3),
    )
    assert curve.position() == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.0, abs=1e-9))
    assert curve.position("brightest") == (359.0, 0.0)
    assert curve.position("latest") == (1.0, 0.0)
    for which in ("mean", "brightest", "latest"):
        assert AWKWARD["limits alone"].position(which) is None
        assert AWKWARD["null fields"].position(which) is None


def test_the_mean_position_of_opposite_points_is_none():
    assert mean_position(np.array([0.0, 180.0]), np.array([0.0, 0.0])) is None
    assert mean_position(np.array([]), np.array([])) is None
    assert mean_position(np.array([0.0, 180.0]), np.array([89.0, 89.0]))[1] == pytest.approx(90.0)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=1, max_size=9),
    st.sampled_from([0.0, 123.25, 359.75]),
    st.sampled_from([-89.5, 0.0, 45.0, 89.5]),
)
def test_the_mean_position_is_astropys(offsets, ra, dec):
    found = [((ra + a / 1000) % 360, dec + d / 1000) for a, d in offsets]
    ras, decs = np.array(found).T
    x, y, z = SkyCoord(ras, decs, unit="deg").cartesian.mean().xyz
    expected = SkyCoord(x=x, y=y, z=z, representation_type="cartesian").represent_as("unitspherical")
    mean = mean_position(ras, decs)
    across = (mean[0] - expected.lon.deg + 180) % 360 - 180
    assert abs(across) * math.cos(math.radians(mean[1])) < 1e-9
    assert mean[1] == pytest.approx(expected.lat.deg, abs=1e-9)


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_parts_keep_the_points_as_they_are(curve):
    whole = {number: body for number, _, body in points_of(curve)}
    for part in (
        curve.in_band("r"),
        curve.of_sign(positive=True),
        curve.between(NIGHT, NIGHT + 9),
        curve.deduplicated(),
    ):
        assert all(whole[number] is body for number, _, body in points_of(part))
        assert (np.diff(part.jd) >= 0).all()
