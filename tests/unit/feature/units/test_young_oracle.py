"""YoungTransient against values made anew, point by point, with astropy, numpy and light-curve."""

import math
from itertools import pairwise

import astropy.units as u
import light_curve
import numpy as np
import pytest
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.cosmology import Planck15
from support.curves import NIGHT, lsst, lsst_forced, lsst_source, ztf, ztf_detection, ztf_limit
from support.features import golden, measured

from ampeld.feature.units.youngtransient import YoungTransient

UNIT = YoungTransient()
REL = 1e-9


def random_ztf(seed):
    """Return a rise and a decline in two bands, with limits before and a few negative points."""
    chance = np.random.default_rng(seed)
    points = [ztf_limit(n, NIGHT - 1 - 2 * n - chance.uniform(0, 0.3), 20.6, fid=1 + n % 2) for n in range(1, 5)]
    for n in range(1, int(chance.integers(4, 30))):
        jd = NIGHT + 1.7 * n + chance.uniform(0, 0.3)
        mag = 18 + 0.004 * (jd - NIGHT - 15) ** 2 + chance.normal(0, 0.05)
        sign = "f" if chance.uniform() < 0.1 else "t"
        given = {"sigmapsf": chance.uniform(0.03, 0.2), "isdiffpos": sign, "ra": 150.0, "dec": 2.0}
        points.append(ztf_detection(n, jd, mag, fid=1, **given))
        if chance.uniform() < 0.7:
            points.append(ztf_detection(100 + n, jd + 0.02, mag - 0.3 + 0.02 * n, fid=2, **given))
    return ztf(*points)


def random_lsst(seed):
    chance = np.random.default_rng(seed)
    points = [lsst_forced(n, 60900 - n, float(chance.normal(0, 40)), band="g") for n in range(1, 6)]
    for n in range(1, int(chance.integers(5, 25))):
        for band, factor in (("g", 1.0), ("r", 1.3), ("i", 1.6)):
            flux = factor * 4000 * math.exp(-(((n - 9) / 6) ** 2)) + chance.normal(0, 40)
            mjd = 60900 + n + chance.uniform(0, 0.3)
            points.append(lsst_source(10 * n + ord(band), mjd, flux, band=band, psfFluxErr=chance.uniform(20, 60)))
    return lsst(*points)


CURVES = {f"{make.__name__} {seed}": make(seed) for make in (random_ztf, random_lsst) for seed in range(6)}


def rows_of(curve):
    """Return (jd, band, flux, error) of the detections that are positive, by astropy's magnitudes."""
    found = []
    for jd, body in zip(curve.jd, curve.bodies, strict=True):
        if curve.survey == "lsst":
            if "diaForcedSourceId" not in body and body["psfFlux"] > 0:
                found.append((jd, body["band"], body["psfFlux"], body["psfFluxErr"]))
        elif body.get("magpsf") is not None and body["isdiffpos"] in ("t", "1"):
            flux = (body["magpsf"] * u.ABmag).to_value(u.nJy)
            found.append((jd, " gri"[body["fid"]], flux, flux * body["sigmapsf"] * math.log(10) / 2.5))
    return found


def in_band(rows, band):
    chosen = [row for row in rows if row[1] == band]
    return tuple(np.array([row[i] for row in chosen]) for i in (0, 2, 3))


def mags(flux):
    return (flux * u.nJy).to_value(u.ABmag)


def close(value):
    # Astropy's zero point of a jansky is exact, that of 31.4 mag rounded by 6e-5 mag.
    return pytest.approx(value, rel=REL, abs=1e-9)


@pytest.mark.parametrize("name", CURVES)
def test_brightness_and_times_are_those_of_the_points(name):
    curve = CURVES[name]
    rows, body = sorted(rows_of(curve)), measured(UNIT, curve)
    assert body["n_pos"] == len(rows)
    assert (body["t_first"], body["t_last"]) == (rows[0][0], rows[-1][0])
    assert body["age"] == rows[-1][0] - rows[0][0]
    peak = max(rows, key=lambda row: row[2])
    for where, row in (("first", rows[0]), ("last", rows[-1]), ("peak", peak)):
        # 31.4 mag is 1 nJy to 6e-5 mag.
        assert body[f"flux_{where}"] == pytest.approx(row[2], rel=1e-4)
        assert body[f"flux_{where}_err"] == pytest.approx(row[3], rel=1e-4)
        assert body[f"mag_{where}"] == pytest.approx(mags(row[2]), abs=1e-4)
        assert body[f"mag_{where}_err"] == pytest.approx(2.5 / math.log(10) * row[3] / row[2], rel=REL)
        assert body[f"band_{where}"] == row[1]
    for band in {row[1] for row in rows}:
        t, flux, _ = in_band(rows, band)
        assert body[f"flux_peak_{band}"] == pytest.approx(flux.max(), rel=1e-4)
        assert body[f"t_peak_{band}"] == t[flux.argmax()]
        assert body[f"mag_first_{band}"] == pytest.approx(mags(flux[0]), abs=1e-4)
        assert body[f"mag_last_{band}"] == pytest.approx(mags(flux[-1]), abs=1e-4)


@pytest.mark.parametrize("name", CURVES)
def test_rates_are_the_lines_of_numpy(name):
    curve = CURVES[name]
    rows, body = rows_of(curve), measured(UNIT, curve)
    lines = 0
    for band in {row[1] for row in rows}:
        t, flux, err = in_band(rows, band)
        scale = 1 if curve.survey == "lsst" else body[f"flux_peak_{band}"] / flux.max()
        top = flux.argmax()
        for branch, part in (("rise", slice(0, top + 1)), ("fall", slice(top, None))):
            x, f, e = t[part] - t[0], flux[part] * scale, err[part] * scale
            assert body[f"{branch}_n_{band}"] == len(x)
            if len(x) < 2:
                assert body["undefined"][f"{branch}_rate_{band}"].startswith("too_few_points")
                continue
            sigma = 2.5 / math.log(10) * e / f
            for key, y, s in ((f"flux_{branch}_rate", f, e), (f"{branch}_rate", mags(f), sigma)):
                fit, covariance = np.polyfit(x, y, 1, w=1 / s, cov="unscaled")
                assert body[f"{key}_{band}"] == pytest.approx(fit[0], rel=1e-7, abs=1e-9)
                assert body[f"{key}_err_{band}"] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-7)
            if len(x) > 2:
                chi2 = (((mags(f) - np.polyval(fit, x)) / sigma) ** 2).sum() / (len(x) - 2)
                assert body[f"{branch}_red_chi2_{band}"] == pytest.approx(chi2, rel=1e-6)
            lines += 1
    assert lines


@pytest.mark.parametrize("name", CURVES)
def test_variability_is_that_of_light_curve(name):
    curve = CURVES[name]
    rows, body = rows_of(curve), measured(UNIT, curve)
    of_flux = {
        "flux_amplitude": light_curve.Amplitude(),
        "flux_standard_deviation": light_curve.StandardDeviation(),
        "stetson_K": light_curve.StetsonK(),
        "chi2": light_curve.ReducedChi2(),
        "excess_variance": light_curve.ExcessVariance(),
    }
    of_mag = {"amplitude": light_curve.Amplitude(), "standard_deviation": light_curve.StandardDeviation()}
    for band in {row[1] for row in rows}:
        t, flux, err = in_band(rows, band)
        if len(t) < 2:
            continue
        scale = 1 if curve.survey == "lsst" else body[f"flux_peak_{band}"] / flux.max()
        for values, y, e in ((of_flux, flux * scale, err * scale), (of_mag, mags(flux), err)):
            for key, feature in values.items():
                assert body[f"{key}_{band}"] == pytest.approx(feature(t, y, e)[0], rel=1e-7), key
                if band == body["lead_band"]:
                    assert body[key] == body[f"{key}_{band}"]


@pytest.mark.parametrize("name", CURVES)
def test_colours_are_weighted_means_with_the_errors_of_their_fluxes(name):
    curve = CURVES[name]
    rows, body = rows_of(curve), measured(UNIT, curve)
    bands = [band for band in "gri" if any(row[1] == band for row in rows)]
    for blue, red in pairwise(bands):
        for where, jd in (("first", body["t_first"]), ("peak", body["t_peak"]), ("last", body["t_last"])):
            near = [[a[abs(t - jd) <= 2] for a in (f, e)] for t, f, e in (in_band(rows, blue), in_band(rows, red))]
            key = f"color_{blue}_{red}_{where}"
            if not (len(near[0][0]) and len(near[1][0])):
                assert body["undefined"][key].startswith("no_band")
                continue
            (f1, f2), (e1, e2) = zip(
                *((np.average(f, weights=e**-2), (e**-2).sum() ** -0.5) for f, e in near), strict=True
            )
            assert body[key] == close(-2.5 * math.log10(f1 / f2))
            assert body[f"{key}_err"] == close(1.0857362047581296 * math.hypot(e1 / f1, e2 / f2))


@pytest.mark.parametrize("name", [name for name in CURVES if "ztf" in name])
def test_the_slope_of_colours_is_the_line_through_pairs(name):
    body, rows = measured(UNIT, CURVES[name]), rows_of(CURVES[name])
    t, f1, e1 = in_band(rows, "g")
    s, f2, e2 = in_band(rows, "r")
    # The two bands are taken 0.02 days apart, nights 1.4 days and more.
    pairs = [(i, j) for i in range(len(t)) for j in range(len(s)) if abs(t[i] - s[j]) < 0.5]
    i, j = np.array(pairs).T
    colour, sigma = -2.5 * np.log10(f1[i] / f2[j]), 1.0857362047581296 * np.hypot(e1[i] / f1[i], e2[j] / f2[j])
    fit, covariance = np.polyfit((t[i] + s[j]) / 2 - t[0], colour, 1, w=1 / sigma, cov="unscaled")
    assert body["colour_slope"] == body["colour_slope_g_r"] == pytest.approx(fit[0], rel=1e-6, abs=1e-9)
    assert body["colour_slope_err"] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-6)
    assert body["colour_slope_bands"] == "g_r"


@pytest.mark.parametrize("name", CURVES)
def test_the_last_rate_is_of_the_last_two_of_the_newest_band(name):
    curve = CURVES[name]
    rows, body = rows_of(curve), measured(UNIT, curve)
    pairs = []
    for band in {row[1] for row in rows}:
        t, f, e = in_band(rows, band)
        if len(t) > 1:
            pairs.append((t[-1], band, t[-2], f[-2:], e[-2:]))
    end, band, start, f, e = max(pairs, key=lambda pair: pair[0])
    assert body["rate_last_band"] == band
    assert body["rate_last"] == pytest.approx((mags(f[1]) - mags(f[0])) / (end - start), rel=1e-6)
    assert body["rate_last_err"] == pytest.approx(1.0857362047581296 * np.hypot(*(e / f)) / (end - start), rel=1e-6)
    assert body["flux_rate_last"] == pytest.approx((f[1] - f[0]) / (end - start), rel=1e-4)
    assert body["flux_rate_last_err"] == pytest.approx(np.hypot(*e) / (end - start), rel=1e-4)


@pytest.mark.parametrize("name", CURVES)
def test_the_jump_is_above_the_scatter_of_the_past(name):
    curve = CURVES[name]
    body = measured(UNIT, curve)
    newest, found = curve.jd[-1], []
    for band in "gri":
        mine = (curve.band == band) & np.isfinite(curve.flux)
        t, f, e = curve.jd[mine], curve.flux[mine], curve.flux_err[mine]
        past = (newest - t >= 10) & (newest - t <= 70)
        if past.sum() >= 3:
            recent = newest - t < 10
            found += list((f[recent] - f[past].mean()) / np.hypot(f[past].std(ddof=1), e[recent]))
    if found:
        assert body["jump_sigma"] == pytest.approx(max(found), rel=1e-9)
    else:
        assert body["undefined"]["jump_sigma"].startswith("too_few_points")


def test_the_first_rate_is_from_the_latest_good_limit_in_its_band():
    before = [ztf_limit(1, NIGHT - 4, 20.2), ztf_limit(2, NIGHT - 3, 19.0), ztf_limit(3, NIGHT - 1, 20.9, fid=2)]
    body = measured(UNIT, ztf(*before, ztf_detection(1, NIGHT, 18.7, sigmapsf=0.05)))
    assert body["t_predetect"] == 1.0
    assert body["dmdt_first"] == pytest.approx((18.7 - 20.2) / 4, rel=REL)
    assert body["dmdt_first_err"] == pytest.approx(0.05 / 4, rel=REL)
    faint, bright = (10 ** (-0.4 * (mag - 31.4)) for mag in (20.2, 18.7))
    assert body["dfdt_first"] == pytest.approx((bright - faint) / 4, rel=REL)
    assert body["dfdt_first_err"] == pytest.approx(bright * 0.05 * math.log(10) / 2.5 / 4, rel=REL)


def test_the_absolute_magnitude_is_less_the_distance_modulus():
    curve = ztf(ztf_detection(1, NIGHT, 18.0))
    body = measured(YoungTransient(fixed_z=0.05), curve)
    assert body["abs_mag_peak"] == pytest.approx(18.0 - Planck15.distmod(0.05).value, rel=1e-12)
    assert body["redshift"] == 0.05


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.001, -89.0), (192.86, 27.13), (266.4, -28.9)])
def test_the_galactic_latitude_is_that_of_astropy(ra, dec):
    body = measured(UNIT, ztf(ztf_detection(1, NIGHT, ra=ra, dec=dec)))
    assert body["gal_b"] == pytest.approx(SkyCoord(ra, dec, unit="deg").galactic.b.deg, abs=1e-7)


@pytest.mark.golden
def test_nights_end_at_noon_of_palomar():
    """No night of the survey is cut in two: its hours go on beyond noon in Greenwich."""
    longitude = EarthLocation.from_geodetic(-116.8633, 33.3564, 1712).lon.deg
    for case in golden("LightCurveSummary"):
        curve = case.light_curve
        days = curve.jd[curve.is_detection] + longitude / 360
        assert measured(UNIT, curve)["n_nights"] == len(set(np.floor(days)))
