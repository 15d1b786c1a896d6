"""Flux tables against AMPEL's own numbers, astropy's magnitudes, and what must hold of any light curve."""

import math

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    dimmed,
    light_curves,
    lsst,
    lsst_forced,
    lsst_source,
    shuffled,
    ztf,
    ztf_detection,
    ztf_limit,
)
from support.features import golden, unsigned

from ampeld.feature.tables import SPECTRUM, flux_table

MJD = 60900.0


@pytest.mark.golden
def test_the_brightest_flux_of_every_object_is_that_of_ampels_table():
    compared = 0
    for case in golden("PhaseLimit", "nocap"):
        if case.body["flux_peak"] is None or case.body["t_median"] is None:
            continue
        table = flux_table(unsigned(case))
        near = np.abs(table.time - case.body["t_median"]) < 30.0
        # The last bit of a power is the processor's own.
        assert table.flux[near].max() == pytest.approx(case.body["flux_peak"], rel=1e-14), case.name
        assert near.sum() == case.body["n_remaining"]
        compared += 1
    assert compared == 40


def test_a_detection_is_a_row_about_zero_point_25_with_its_sign():
    table = flux_table(ztf(ztf_detection(1, NIGHT, 20.0), ztf_detection(2, NIGHT + 1, 22.5, fid=2, isdiffpos="0")))
    assert table.flux.tolist() == pytest.approx([100.0, -10.0])
    assert table.fluxerr.tolist() == pytest.approx([10 * math.log(10) / 2.5, math.log(10) / 2.5])
    assert (table.band.tolist(), table.zp, table.time.tolist()) == (["ztfg", "ztfr"], 25.0, [NIGHT, NIGHT + 1])
    assert table.mag[0] == pytest.approx(20.0)
    assert table.mag_err[0] == pytest.approx(0.1)
    assert np.isnan([table.mag[1], table.mag_err[1]]).all()


def test_flux_and_error_are_ampels_to_the_last_bit():
    """Where a spline is ill-conditioned, one bit there is a difference beyond its tolerance of 1e-12."""
    chance = np.random.default_rng(4)
    mags, errors = chance.uniform(13, 22, 200), chance.uniform(0.01, 0.4, 200)
    rows = [ztf_detection(n + 1, NIGHT + n, mags[n], sigmapsf=errors[n]) for n in range(200)]
    table = flux_table(ztf(*rows))
    assert table.flux.tolist() == (10 ** (-(mags - 25) / 2.5)).tolist()
    assert table.fluxerr.tolist() == np.abs(table.flux * (-errors / 2.5 * np.log(10))).tolist()


def test_a_flux_of_lsst_is_astropys_about_the_same_zero_point():
    curve = lsst(lsst_source(1, MJD, 1234.5), lsst_forced(2, MJD + 1, -80.0, band="y"))
    table = flux_table(curve)
    expected = (1234.5 * u.nJy).to(u.ABmag).value
    assert table.mag[0] == pytest.approx(expected, abs=2e-4)  # 31.4 stands for 31.400094
    assert table.flux[1] / table.flux[0] == pytest.approx(-80 / 1234.5)
    assert table.fluxerr[0] / table.flux[0] == pytest.approx(50 / 1234.5)
    assert table.bands == ["lsstr", "lssty"]
    assert flux_table(curve, forced=False).bands == ["lsstr"]
    assert flux_table(curve, zp=31.4).flux.tolist() == pytest.approx([1234.5, -80.0])


@pytest.mark.parametrize(
    "point",
    [
        ztf_limit(2, NIGHT),
        ztf_detection(2, NIGHT, sigmapsf=None),
        ztf_detection(2, NIGHT, sigmapsf=0.0),
        ztf_detection(2, NIGHT, fid=7),
        ztf_detection(2, NIGHT, -1e5),
        ztf_detection(2, NIGHT, 1e5),
        ztf_detection(2, NIGHT, -700.0),
        ztf_detection(2, NIGHT, -1e5, sigmapsf=0.0),
        ztf_detection(2, NIGHT, sigmapsf=1e300),
        ztf_detection(2, NIGHT, -700.0, sigmapsf=1e300),
        ztf_detection(2, NIGHT, sigmapsf=1e-300),
    ],
)
def test_what_has_no_flux_band_or_error_has_no_row(point):
    table = flux_table(ztf(ztf_detection(1, NIGHT - 1), point))
    assert table.time.tolist() == [NIGHT - 1]


def test_of_one_time_and_quadrant_the_largest_number_stays():
    rows = [
        ztf_detection(5, NIGHT, 18.0, rcid=3),
        ztf_detection(4, NIGHT, 19.0, rcid=3),
        ztf_detection(1, NIGHT, 20.0, rcid=9),
        ztf_detection(2, NIGHT, 21.0, rcid=None),
        ztf_detection(3, NIGHT, 22.0, rcid=None),
    ]
    assert sorted(flux_table(ztf(*rows)).mag.round(6).tolist()) == [18.0, 20.0, 21.0, 22.0]


def test_of_one_image_of_lsst_the_detection_stays_and_not_the_forced_photometry():
    rows = [lsst_forced(1, MJD, 7.0), lsst_source(2, MJD, 8.0), lsst_forced(3, MJD, 9.0, band="g")]
    assert flux_table(lsst(*rows), zp=31.4).flux.tolist() == pytest.approx([8.0, 9.0])


def test_a_cut_of_zero_is_none_where_ampel_drops_every_row():
    curve = ztf(ztf_detection(1, NIGHT, 20.0), ztf_detection(2, NIGHT + 1, 22.5, sigmapsf=0.001, isdiffpos="f"))
    assert len(flux_table(curve, reject_outlier_sigma=0, flux_max=0)) == 2
    assert flux_table(curve, flux_max=50).time.tolist() == [NIGHT + 1]
    assert flux_table(curve, reject_outlier_sigma=100).time.tolist() == [NIGHT]


def test_a_table_is_made_once():
    curve = AWKWARD["a thousand points"]
    assert flux_table(curve) is flux_table(curve)
    assert flux_table(curve) is not flux_table(curve, flux_max=50)


def test_of_equal_times_of_a_band_the_first_row_stays():
    rows = [
        ztf_detection(n, NIGHT + day, 18.0 + n, rcid=n, fid=fid) for n, day, fid in [(4, 0, 1), (2, 0, 1), (1, 0, 2)]
    ]
    once = flux_table(ztf(*rows, ztf_detection(3, NIGHT + 1, rcid=3))).deduplicated()
    assert list(zip(once.time - NIGHT, once.band, once.mag.round(6), strict=True)) == [
        (0.0, "ztfr", 19.0),
        (0.0, "ztfg", 20.0),
        (1.0, "ztfg", 19.0),
    ]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_have_tables_of_finite_numbers(name):
    table = flux_table(AWKWARD[name])
    assert np.isfinite(table.flux).all()
    assert (table.fluxerr > 0).all()
    assert sum(len(rows) for _, rows in table.by_band()) == len(table)


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 9))
def test_rows_are_in_the_order_of_time_whatever_the_order_of_the_points(curve, seed):
    table, other = flux_table(curve), flux_table(shuffled(curve, seed))
    assert (np.diff(table.time) >= 0).all()
    for column in ("time", "flux", "fluxerr", "band"):
        np.testing.assert_array_equal(getattr(table, column), getattr(other, column))
    assert {*table.bands} <= {*SPECTRUM[0], *SPECTRUM[1]}
    assert np.isfinite(table.fluxerr).all()


@settings(max_examples=25)
@given(light_curves())
def test_a_factor_of_the_light_is_one_of_the_fluxes_and_of_their_errors(curve):
    table, other = flux_table(curve), flux_table(dimmed(curve, 2.5))
    np.testing.assert_allclose(other.flux * 10, table.flux, rtol=1e-12)
    np.testing.assert_allclose(other.fluxerr * 10, table.fluxerr, rtol=1e-12)


@settings(max_examples=25)
@given(light_curves())
def test_deduplicated_tables_have_every_band_and_time_once(curve):
    table = flux_table(curve)
    once = table.deduplicated()
    keys = set(zip(table.time.tolist(), table.band.tolist(), strict=True))
    assert len(once) == len(keys) == len(once.deduplicated())


absurd = st.sampled_from([0.0, 5e-324, 1e-300, 1e-70, 1.0, 1e70, 1e300, math.inf, math.nan]).flatmap(
    lambda value: st.sampled_from([value, -value])
)


@settings(max_examples=50)
@given(st.lists(st.tuples(absurd, absurd), min_size=1, max_size=4))
def test_absurd_magnitudes_fluxes_and_errors_have_no_rows_and_squares_are_finite(given_):
    """Nor is there a warning, which would be an error here."""
    seen = ztf(*(ztf_detection(n, NIGHT + n, mag, sigmapsf=err) for n, (mag, err) in enumerate(given_, start=1)))
    measured = lsst(*(lsst_source(n, MJD + n, flux, psfFluxErr=err) for n, (flux, err) in enumerate(given_, start=1)))
    for curve in (seen, measured, seen.detections, measured.detections):
        table = flux_table(curve)
        for column in (table.flux, table.fluxerr, 1 / table.fluxerr):
            assert np.isfinite(column * column).all()
        assert (table.mag_err[np.isfinite(table.mag)] > 0).all()
        for name in ("flux", "flux_err", "mag", "mag_err", "limit"):
            assert len(getattr(curve, name)) == len(curve)
