"""PolynomialFit against AMPEL's own coefficients in exact arithmetic, scipy, and by what must hold of any curve."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from support.curves import AWKWARD, NIGHT, dimmed, light_curves, rebanded, shifted, shuffled, ztf, ztf_detection
from support.features import assert_described, golden, measured, unsigned

from ampeld.feature.tables import flux_table
from ampeld.feature.units.polynomialfit import PolynomialFit
from ampeld.params import ParameterError

BANDS = ("ztfg", "ztfr", "ztfi", *(f"lsst{band}" for band in "ugrizy"))


def about_zero(fitted):
    """Return the coefficients of powers of the Julian date itself, in exact arithmetic."""
    coef, shift = [Fraction(value) for value in fitted["coef"]], -Fraction(fitted["t_ref"])
    return [sum(coef[j] * comb(j, i) * shift ** (j - i) for j in range(i, len(coef))) for i in range(len(coef))]


@pytest.mark.golden
@pytest.mark.parametrize(("variant", "bands"), [("", 64), ("order2", 59)])
def test_expanded_about_zero_the_coefficients_are_ampels(variant, bands):
    """AMPEL loses the signs of negative subtractions; without them every band of every state is compared."""
    cases = golden("PolynomialFit", variant)
    assert len(cases) == 56
    compared = 0
    for case in cases:
        unit = PolynomialFit(**case.config)
        body = measured(unit, unsigned(case))
        assert_described(unit, body)
        names = [name for name in BANDS if name in case.body]
        assert [name for name in BANDS if name in body] == names, case.name
        for name in names:
            expected = case.body[name]
            for ours, ampels in zip(about_zero(body[name]), expected["coef"], strict=True):
                assert abs(ours / Fraction(ampels) - 1) < 5e-9, (case.name, name)
            assert body[name]["dof"] == expected["dof"]
            assert body[name]["chi2dof"] == pytest.approx(expected["chi2dof"], rel=1e-9)
            compared += 1
        assert body["order"] == case.body["order"]
        assert body["chi2dof"] == (pytest.approx(case.body["chi2dof"], rel=1e-9) if names else None)
        # AMPEL's means over the bands of coefficients that have nothing to do with each other.
        assert ("p0" in case.body, "p0" in body) == (bool(names), False)
    assert compared == bands


@pytest.mark.golden
def test_a_band_with_negative_subtractions_has_another_line_than_in_ampel():
    (case,) = [case for case in golden("PolynomialFit") if case.object == "SYNTH_SIGNED"]
    signed, lost = measured(PolynomialFit(), case.light_curve), measured(PolynomialFit(), unsigned(case))
    assert about_zero(lost["ztfg"])[1] == pytest.approx(case.body["ztfg"]["coef"][1], rel=5e-9)
    assert signed["ztfg"]["coef"][1] != pytest.approx(case.body["ztfg"]["coef"][1], rel=0.1)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_coefficients_errors_and_chi2_are_scipys(order):
    curve = AWKWARD["a thousand points"]
    rows = flux_table(curve).in_band("ztfg")
    fitted = measured(PolynomialFit(order=order), curve)["ztfg"]
    since = rows.time - fitted["t_ref"]

    def polynomial(time, *coef):
        return sum(value * time**power for power, value in enumerate(coef))

    coef, covariance = curve_fit(
        polynomial, since, rows.flux, p0=np.ones(order + 1), sigma=rows.fluxerr, absolute_sigma=True
    )
    assert fitted["coef"] == pytest.approx(coef.tolist(), rel=1e-5)
    assert fitted["coef_err"] == pytest.approx(np.sqrt(np.diag(covariance)).tolist(), rel=1e-5)
    chi2 = (((rows.flux - polynomial(since, *coef)) / rows.fluxerr) ** 2).sum()
    assert fitted["chi2dof"] == pytest.approx(chi2 / (len(rows) - order - 1), rel=1e-9)


def test_an_exact_polynomial_is_found_again():
    days = np.array([0.0, 1.0, 3.0, 4.0, 7.0, 9.0])
    flux = 100 + 20 * days - 3 * days**2
    mags = 25 - 2.5 * np.log10(np.abs(flux))
    signs = ["t" if value > 0 else "f" for value in flux]
    rows = [
        ztf_detection(n, NIGHT + day, mag, isdiffpos=sign)
        for n, (day, mag, sign) in enumerate(zip(days.tolist(), mags.tolist(), signs, strict=True), start=1)
    ]
    fitted = measured(PolynomialFit(order=2), ztf(*rows))["ztfg"]
    at = fitted["t_ref"] - NIGHT
    assert fitted["coef"] == pytest.approx([100 + 20 * at - 3 * at**2, 20 - 6 * at, -3], rel=1e-9)
    assert (fitted["dof"], fitted["chi2dof"]) == (3, pytest.approx(0, abs=1e-20))


def test_a_band_needs_more_rows_and_times_than_coefficients():
    rows = [ztf_detection(n, NIGHT + n % 2, 19.0, rcid=n) for n in range(1, 6)]
    body = measured(PolynomialFit(order=2), ztf(*rows, ztf_detection(9, NIGHT, fid=2)))
    assert (body["order"], body["chi2dof"], "ztfg" in body, "ztfr" in body) == (2, None, False, False)
    assert body["undefined"]["ztfg"].startswith("equal_times")
    assert body["undefined"]["ztfr"] == "too_few_points: 1 of 4"
    assert body["undefined"]["chi2dof"].startswith("too_few_points")


def test_times_that_are_too_near_for_the_order_have_a_reason():
    step = 2**-20
    rows = [ztf_detection(n, NIGHT + (100 if n == 9 else n * step), 19.0 + n / 10) for n in range(1, 10)]
    body = measured(PolynomialFit(order=7), ztf(*rows))
    assert body["undefined"]["ztfg"] == "equal_times: the times are too near to each other for the order"


@pytest.mark.parametrize("order", [-1, 13])
def test_an_order_that_cannot_be_fitted_is_refused(order):
    with pytest.raises(ParameterError, match="order: "):
        PolynomialFit(order=order)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_give_values_or_reasons(name):
    for order in (0, 1, 2, 12):
        unit = PolynomialFit(order=order)
        body = measured(unit, AWKWARD[name])
        assert_described(unit, body)
        assert body["chi2dof"] is not None or "chi2dof" in body["undefined"]


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 3), st.integers(0, 5))
def test_the_order_of_the_points_does_not_matter(curve, order, seed):
    unit = PolynomialFit(order=order)
    assert measured(unit, shuffled(curve, seed)) == measured(unit, curve)


@settings(max_examples=25)
@given(light_curves(awkward=False), st.integers(-1000, 1000), st.sampled_from([0.0, 2.5]))
def test_a_shift_in_time_moves_the_reference_and_a_factor_the_coefficients(curve, days, magnitudes):
    before = measured(PolynomialFit(), curve)
    after = measured(PolynomialFit(), dimmed(shifted(curve, days), magnitudes))
    scale = 10 ** (-0.4 * magnitudes)
    for name in before.keys() & set(BANDS):
        old, new = before[name], after[name]
        assert new["t_ref"] == pytest.approx(old["t_ref"] + days, abs=1e-6)
        rounding = [10 * error for error in old["coef_err"]]
        assert new["chi2dof"] == pytest.approx(old["chi2dof"], rel=1e-3, abs=1e-6)
        for a, b, room in zip(new["coef"], old["coef"], rounding, strict=True):
            assert a == pytest.approx(b * scale, rel=1e-4, abs=1e-4 * room)


@settings(max_examples=25)
@given(light_curves("ztf"))
def test_renamed_bands_change_places(curve):
    body, other = measured(PolynomialFit(), curve), measured(PolynomialFit(), rebanded(curve, {1: 2, 2: 3, 3: 1}))
    for before, after in (("ztfg", "ztfr"), ("ztfr", "ztfi"), ("ztfi", "ztfg")):
        assert body.get(before) == other.get(after)
