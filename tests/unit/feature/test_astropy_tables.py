"""Light curves as astropy's own: what a notebook, a periodogram or a fit is handed."""

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time
from astropy.timeseries import LombScargle
from hypothesis import given, settings
from support.curves import AWKWARD, NIGHT, light_curves, ztf, ztf_detection, ztf_limit

from ampeld.feature.astropy_tables import to_flux_table, to_table, to_time_series
from ampeld.feature.tables import flux_table


def test_a_table_has_units_and_masks_what_is_missing():
    table = to_table(ztf(ztf_limit(1, NIGHT), ztf_detection(2, NIGHT + 1, 19.0, rb=None)))
    assert table.meta["survey"] == "ztf"
    assert table["mag"].mask.tolist() == [True, False]
    assert table["reliability"].mask.tolist() == [True, True]
    assert table["limit"].tolist() == [20.5, 20.5]
    assert table["detection"].tolist() == [False, True]
    assert {name: str(table[name].unit) for name in ("jd", "mag", "flux", "ra")} == {
        "jd": "d",
        "mag": "mag",
        "flux": "nJy",
        "ra": "deg",
    }
    assert table["band"].tolist() == ["g", "g"]


def test_a_time_series_goes_into_a_periodogram():
    days = np.sort(np.random.default_rng(1).uniform(0, 40, 60))
    mags = 18 + 0.5 * np.sin(2 * np.pi * days / 3.1)
    curve = ztf(*(ztf_detection(n, NIGHT + d, m) for n, (d, m) in enumerate(zip(days, mags, strict=True), start=1)))
    series = to_time_series(curve)
    assert isinstance(series.time, Time)
    assert series.time.scale == "utc"
    assert series.time.jd == pytest.approx(curve.jd, abs=1e-9)
    frequency, power = LombScargle.from_timeseries(series, "flux", uncertainty="flux_err").autopower(
        maximum_frequency=1 / u.d
    )
    assert 1 / frequency[np.argmax(power)].value == pytest.approx(3.1, rel=0.02)


def test_a_flux_table_has_the_columns_that_fits_read():
    rows = flux_table(ztf(ztf_detection(1, NIGHT, 20.0), ztf_detection(2, NIGHT + 1, 22.5, fid=2, isdiffpos="f")))
    table = to_flux_table(rows)
    assert table.colnames == ["time", "band", "flux", "fluxerr", "zp", "zpsys"]
    assert table["band"].tolist() == ["ztfg", "ztfr"]
    assert table["flux"].tolist() == rows.flux.tolist() == pytest.approx([100.0, -10.0])
    assert (table["zp"].tolist(), table["zpsys"].tolist()) == ([25.0, 25.0], ["ab", "ab"])


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_become_tables(name):
    curve = AWKWARD[name]
    assert len(to_table(curve)) == len(to_time_series(curve)) == len(curve)
    assert len(to_flux_table(flux_table(curve))) == len(flux_table(curve))


@settings(max_examples=20)
@given(light_curves())
def test_masks_are_where_numbers_are_missing(curve):
    table, series = to_table(curve), to_time_series(curve)
    for name in ("mag", "flux", "flux_err", "limit"):
        np.testing.assert_array_equal(table[name].mask, np.isnan(getattr(curve, name)))
        np.testing.assert_array_equal(np.isnan(np.asarray(series[name])), np.isnan(getattr(curve, name)))
