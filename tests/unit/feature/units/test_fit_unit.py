"""BazinFit and VillarFit: simulated truth within the errors, never worse than the light-curve package, always honest."""

import light_curve
import numpy as np
import pytest
from hypothesis import given, settings
from support.curves import AWKWARD, NIGHT, dimmed, light_curves, lsst, lsst_source, rebanded, shifted, shuffled
from support.features import assert_described, golden, measured

from ampeld.feature.light_curve import ZERO_POINT_NJY
from ampeld.feature.tables import flux_table
from ampeld.feature.units.bazinfit import BazinFit
from ampeld.feature.units.fit_shape import Bazin, Villar
from ampeld.feature.units.villarfit import VillarFit
from ampeld.params import ParameterError

MJD = 60900.0
BAZIN = (20_000.0, 300.0, 30.0, 4.0, 25.0)
VILLAR = (20_000.0, 300.0, 30.0, 4.0, 25.0, 0.4, 30.0)
UNITS = {
    "bazin": (BazinFit(), Bazin(), BAZIN, light_curve.BazinFit),
    "villar": (VillarFit(), Villar(), VILLAR, light_curve.VillarFit),
}


def simulated(shape, truth, *, seed=0, err=300.0, size=60, band="r"):
    """Return a light curve of LSST: the fluxes are what is fitted, [nJy]."""
    chance = np.random.default_rng(seed)
    times = np.sort(chance.uniform(0, 130, size))
    flux = shape.value(times, np.array(truth)) + chance.normal(0, err, size)
    rows = zip(times.tolist(), flux.tolist(), strict=True)
    points = [lsst_source(n, MJD + t, f, psfFluxErr=err, band=band) for n, (t, f) in enumerate(rows, start=1)]
    return lsst(*points)


@pytest.mark.parametrize("name", UNITS)
def test_what_was_simulated_is_found_within_the_errors(name):
    unit, shape, truth, _ = UNITS[name]
    pulls, chi2 = [], []
    for seed in range(20):
        curve = simulated(shape, truth, seed=seed)
        body = measured(unit, curve)
        times = np.array([one["midpointMjdTai"] - MJD for one in curve.bodies])
        for key, true in zip(shape.names, truth, strict=True):
            found = body[f"{name}_fit_{key}_lsstr"] - (curve.jd[0] - times[0] if key == "reference_time" else 0)
            pulls.append((found - true) / body[f"{name}_fit_{key}_err_lsstr"])
        assert body[f"{name}_fit_dof_lsstr"] == 60 - len(truth)
        chi2.append(body[f"{name}_fit_chi2_lsstr"])
        # Noise may favour other parameters than the true ones; the fit is to find them then.
        assert chi2[-1] <= (((shape.value(times, np.array(truth)) - curve.flux) / 300.0) ** 2).sum()
    assert np.mean(chi2) / (60 - len(truth)) == pytest.approx(1.0, abs=0.2)
    # The median: Villar's plateau has a second valley, in which a few of the fits lie rightly.
    assert np.median(np.abs(pulls)) / 0.6745 == pytest.approx(1.0, abs=0.35)


@pytest.mark.golden
@pytest.mark.parametrize("name", UNITS)
def test_on_real_light_curves_chi2_is_not_above_that_of_the_light_curve_package(name):
    unit, shape, _, oracle = UNITS[name]
    theirs_fit = oracle("mcmc-lmsder")
    compared = worse = failed = 0
    # Every fourth of the real light curves: the others fit as well, at four times the price.
    for case in golden("TabulatorRiseDecline", "ztf")[::4]:
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        for band, rows in flux_table(case.light_curve, zp=ZERO_POINT_NJY).by_band():
            if len(rows) <= len(shape.names):
                assert body["undefined"][f"{name}_fit_chi2_{band}"].startswith("too_few_points")
                continue
            if not body[f"{name}_fit_success_{band}"]:
                assert body["undefined"][f"{name}_fit_chi2_{band}"].startswith("not_converged")
                failed += 1
                continue
            t = rows.time - rows.time[0]
            theirs = np.array(theirs_fit(t, rows.flux, rows.fluxerr)[:-1])
            chi2 = float((((oracle.model(t, theirs) - rows.flux) / rows.fluxerr) ** 2).sum())
            compared += 1
            worse += body[f"{name}_fit_chi2_{band}"] > 1.01 * chi2
    assert compared >= 7
    # Theirs starts from chance: now and then it finds a valley of a few ill-determined points that ours does not.
    assert worse + failed <= 1


@pytest.mark.parametrize("name", UNITS)
def test_brighter_and_later_scales_and_shifts(name):
    unit, shape, truth, _ = UNITS[name]
    curve = simulated(shape, truth)
    body, later, fainter = (measured(unit, one) for one in (curve, shifted(curve, 100), dimmed(curve, 2.5)))
    for key in shape.names:
        value = body[f"{name}_fit_{key}_lsstr"]
        expected = value + 100 if key == "reference_time" else value
        assert later[f"{name}_fit_{key}_lsstr"] == pytest.approx(expected, rel=1e-5)
        expected = value / 10 if key in {"amplitude", "baseline"} else value
        assert fainter[f"{name}_fit_{key}_lsstr"] == pytest.approx(expected, rel=1e-4)
    assert fainter[f"{name}_fit_chi2_lsstr"] == pytest.approx(body[f"{name}_fit_chi2_lsstr"], rel=1e-6)


def test_the_order_of_points_does_not_matter():
    curve = simulated(Bazin(), BAZIN)
    assert measured(BazinFit(), shuffled(curve, 1)) == measured(BazinFit(), curve)


@pytest.mark.parametrize("name", UNITS)
def test_another_band_of_the_same_fluxes_has_the_same_values(name):
    unit, shape, truth, _ = UNITS[name]
    curve = simulated(shape, truth)
    body, other = measured(unit, curve), measured(unit, rebanded(curve, {"r": "i"}))
    assert {key.replace("_lsstr", "_lssti"): value for key, value in body.items()} == other


def test_each_band_is_fitted_on_its_own():
    red, blue = (simulated(Bazin(), BAZIN, seed=n, band=band) for n, band in enumerate("rg"))
    both = lsst(*(
        (number, jd, body)
        for number, (jd, body) in enumerate(
            [*zip(red.jd.tolist(), red.bodies, strict=True), *zip(blue.jd.tolist(), blue.bodies, strict=True)], start=1
        )
    ))  # fmt: skip
    body = measured(BazinFit(), both)
    assert {key.rpartition("_")[2] for key in body if key != "undefined"} == {"lsstg", "lsstr"}
    alone = measured(BazinFit(), red)
    assert {key: body[key] for key in alone if key != "undefined"} == {
        k: v for k, v in alone.items() if k != "undefined"
    }
    assert set(measured(BazinFit(bands=["lsstg"]), both)) == {key for key in body if key.endswith("_lsstg")}


def test_a_band_that_is_asked_for_and_not_there_has_a_reason():
    body = measured(BazinFit(bands=["ztfg"]), simulated(Bazin(), BAZIN))
    assert body["bazin_fit_success_ztfg"] is False
    assert body["undefined"]["bazin_fit_amplitude_ztfg"].startswith("no_band")


@pytest.mark.parametrize(("unit", "least"), [(BazinFit(), 6), (VillarFit(), 8)])
def test_too_few_points_are_said_to_be_so(unit, least):
    points = [lsst_source(n, MJD + n, 1000.0 - (n - 3) ** 2) for n in range(least - 1)]
    body = measured(unit, lsst(*points))
    assert body["undefined"][f"{unit.prefix}_amplitude_lsstr"] == f"too_few_points: {least - 1} of {least}"


def test_what_falls_below_the_baseline_alone_is_no_transient():
    dip = simulated(Bazin(), (-20_000.0, 20_000.0, 30.0, 0.5, 3.0))
    body = measured(BazinFit(), dip)
    if body["bazin_fit_success_lsstr"]:
        assert body["bazin_fit_reduced_chi2_lsstr"] > 5
    else:
        assert body["undefined"]["bazin_fit_chi2_lsstr"].startswith("not_converged")


def test_a_parameter_at_its_bound_has_no_error_and_is_named():
    body = measured(BazinFit(max_fall_time=10.0), simulated(Bazin(), BAZIN))
    assert body["bazin_fit_fall_time_lsstr"] == pytest.approx(10.0, rel=1e-4)
    assert body["bazin_fit_fall_time_err_lsstr"] is None
    assert body["undefined"]["bazin_fit_fall_time_err_lsstr"].startswith("out_of_limits")
    assert "fall_time" in body["bazin_fit_message_lsstr"]


@pytest.mark.parametrize("unit", [BazinFit(), VillarFit()], ids=["bazin", "villar"])
@pytest.mark.parametrize("name", [name for name in AWKWARD if name != "a thousand points"])
def test_awkward_light_curves_give_values_or_reasons(unit, name):
    assert_described(unit, measured(unit, AWKWARD[name]))


def test_a_thousand_points_are_fitted():
    body = measured(BazinFit(), AWKWARD["a thousand points"])
    assert body["bazin_fit_success_ztfg"]
    assert abs(body["bazin_fit_reference_time_ztfg"] - NIGHT) < 200


@settings(max_examples=8, deadline=None)
@given(light_curves(max_size=30))
def test_any_light_curve_gives_values_or_reasons(curve):
    assert_described(BazinFit(), measured(BazinFit(), curve))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"bands": ["ztfx"]}, "ztfr"),
        ({"min_time": 600.0}, "min_time"),
        ({"min_time": 0.0}, "above 0"),
        ({"max_fall_time": float("inf")}, "finite"),
    ],
)
def test_wrong_parameters_are_refused(given_, said):
    with pytest.raises(ParameterError, match=said):
        BazinFit(**given_)
