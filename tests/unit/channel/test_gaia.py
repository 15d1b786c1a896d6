import math

import numpy as np
import pytest
from fakes.catalog import FakeCatalog
from fakes.table import packet, table

from ampeld.channel.columns import Columns
from ampeld.channel.gaia import COLUMNS, StarRule, stars

RULE = StarRule(pm_signif=3, plx_signif=3, gmag_min=9, gmag_max=20, excessnoise_sig_max=2)
STAR = {
    "phot_g_mean_mag": 15.0,
    "astrometric_excess_noise_sig": 0.5,
    "pmra": 10.0,
    "pmra_error": 1.0,
    "pmdec": 0.0,
    "pmdec_error": 1.0,
    "parallax": 0.0,
    "parallax_error": 1.0,
}
STILL = {"pmra": 0.0}


def found(distance=1.0, **changed):
    """Whether a source north of the alert at that distance [arcsec] is a star."""
    source = {key: [value] for key, value in (STAR | changed).items()}
    catalog = FakeCatalog([10.0], [20.0 + distance / 3600], **source)
    near = Columns(table(packet()), {"gaia": catalog}).near("gaia", 120)
    return bool(stars(near, RULE).true[0])


def test_the_columns_are_those_of_the_rule():
    assert set(STAR) == set(COLUMNS)


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        (True, {}),
        (False, {"pmra": 3.0}),
        (True, {"pmra": math.nextafter(3.0, 4)}),
        (True, {"pmra": -3.5}),
        (False, STILL | {"pmdec": 3.0}),
        (True, STILL | {"pmdec": -3.5}),
        (False, STILL | {"parallax": 3.0}),
        (True, STILL | {"parallax": 3.5}),
        (True, STILL | {"parallax": -3.5}),
        (False, STILL | {"parallax": 3.5, "parallax_error": 2.0}),
        (False, STILL),
        (True, {"phot_g_mean_mag": 9.0}),
        (False, {"phot_g_mean_mag": math.nextafter(9.0, 0)}),
        (True, {"phot_g_mean_mag": 20.0}),
        (False, {"phot_g_mean_mag": math.nextafter(20.0, 30)}),
        (False, {"astrometric_excess_noise_sig": 2.0}),
        (True, {"astrometric_excess_noise_sig": math.nextafter(2.0, 0)}),
    ],
)
def test_each_condition_is_as_strict_as_ampels(expected, changed):
    assert found(**changed) is expected


@pytest.mark.parametrize("g", [10.0, 15.0, 20.0])
def test_bright_stars_reach_further(g):
    reach = 1.8 + 0.6 * math.exp((20 - g) / 2.05)
    assert found(reach - 1e-3, phot_g_mean_mag=g)
    assert not found(reach + 1e-3, phot_g_mean_mag=g)


@pytest.mark.parametrize("lacking", ["pmra", "pmra_error", "phot_g_mean_mag", "astrometric_excess_noise_sig"])
def test_a_source_that_lacks_a_value_is_no_star_on_its_account(lacking):
    assert not found(**{lacking: None})


def test_one_significant_value_is_enough_where_others_are_missing():
    assert found(pmdec=None, parallax=None, parallax_error=None)


def test_an_error_of_zero_says_nothing():
    assert not found(pmra_error=0.0)


def test_the_stated_radii_of_stars():
    # 1.8 + 0.6 exp((20 - G) / 2.05): 2.4 arcsec at G = 20, 80.6 at G = 10
    for g, arcsec in ((20.0, 2.4), (15.0, 8.68), (10.0, 80.6)):
        assert 1.8 + 0.6 * np.exp((20.0 - g) / 2.05) == pytest.approx(arcsec, rel=1e-2)
