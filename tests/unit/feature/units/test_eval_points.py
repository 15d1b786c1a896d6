"""What evaluations take from light curves and redshifts, against astropy."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.cosmology import Planck15
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import NIGHT, ztf, ztf_detection, ztf_limit

from ampeld.feature.units.eval_cosmology import distance_modulus, luminosity_distance, projected_distance
from ampeld.feature.units.eval_cuts import Cuts
from ampeld.feature.units.eval_points import (
    PointFilter,
    choose,
    galactic_latitude,
    latest_limit,
    median_of,
    nearest_known_mover,
    star_score,
)


@settings(max_examples=25)
@given(st.floats(0, 360), st.floats(-90, 90))
def test_the_galactic_latitude_is_astropys(ra, dec):
    expected = SkyCoord(ra, dec, unit="deg").galactic.b.deg
    assert galactic_latitude(ra, dec) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("z", [0.001, 0.03, 0.5, 3.0])
def test_distances_are_astropys_planck15(z):
    assert distance_modulus(z) == Planck15.distmod(z).value
    assert luminosity_distance(z) == Planck15.luminosity_distance(z).value
    apart = (7.0 * u.arcsec * Planck15.kpc_proper_per_arcmin(z)).to(u.kpc).value
    assert projected_distance(z, 7.0) == pytest.approx(apart, rel=1e-14)


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [(">", 1, [3]), (">=", 1, [2, 3]), ("<", 1, [1]), ("<=", 1, [1, 2]), ("==", 1, [2]), ("!=", 1, [1, 3]), (">", "x", [])],
)  # fmt: skip
def test_a_filter_compares_and_a_point_without_the_field_never_passes(operator, value, kept):
    values = {1: 0.0, 2: 1.0, 3: 2.0, 4: None, 5: float("nan")}
    points = [ztf_detection(n, NIGHT + n, sharpnr=sharp) for n, sharp in values.items()]
    curve = ztf(*points, ztf_detection(6, NIGHT + 6), ztf_limit(7, NIGHT, 20.0))
    assert choose(curve, [PointFilter("sharpnr", operator, value)]).id.tolist() == kept


def test_all_filters_must_hold_and_none_keeps_every_detection():
    curve = ztf(*(ztf_detection(n, NIGHT + n, rb=n / 10, nbad=n % 2) for n in range(1, 7)), ztf_limit(9, NIGHT))
    both = [PointFilter("rb", ">=", 0.3), PointFilter("nbad", "is", 0)]
    assert choose(curve, both).id.tolist() == [4, 6]
    assert len(choose(curve, [])) == 6


def test_the_latest_limit_is_deep_enough_and_strictly_before():
    curve = ztf(*(ztf_limit(n, NIGHT + n, 20.0 - n / 10) for n in range(5)), ztf_detection(9, NIGHT + 9))
    found = latest_limit(curve, 19.7, NIGHT + 3)
    assert found is not None
    assert (found.jd[0], found.limit[0]) == (NIGHT + 2, 19.8)
    assert latest_limit(curve, 20.5, NIGHT + 9) is None


def test_medians_take_the_points_that_know():
    curve = ztf(
        ztf_detection(1, NIGHT, rb=0.2), ztf_detection(2, NIGHT + 1, rb=None), ztf_detection(3, NIGHT + 2, rb=0.6)
    )
    assert median_of(curve, "rb") == pytest.approx(0.4)
    assert median_of(curve, "classtar") is None


def test_a_star_score_of_zero_and_a_distance_of_zero_are_values():
    curve = ztf(ztf_detection(1, NIGHT, distpsnr1=0.0, sgscore1=0.0), ztf_detection(2, NIGHT + 1))
    assert star_score(curve, 1.0) == (1, 0.0)
    assert star_score(ztf(ztf_detection(1, NIGHT, distpsnr1=-999.0, sgscore1=-999.0)), 1.0) == (1, None)


def test_minus_999_is_no_mover():
    curve = ztf(*(ztf_detection(n, NIGHT + n, ssdistnr=far) for n, far in enumerate((-999.0, 7.0, None, 3.0), start=1)))
    assert nearest_known_mover(curve) == 3.0
    assert nearest_known_mover(ztf(ztf_detection(1, NIGHT, ssdistnr=-999.0))) is None


def test_limits_are_met_at_their_edge_or_not():
    cuts = Cuts()
    assert [cuts.within("a", 1.0, 1.0, 2.0), cuts.between("b", 1.0, 1.0, 2.0), cuts.least("c", None, 0)] == [
        True,
        False,
        False,
    ]
    assert cuts.most("d", np.float64(1.0), np.inf)
    assert not cuts.passed
    assert cuts.rows[-1] == {"name": "d", "value": 1.0, "limit": None, "passed": True}
