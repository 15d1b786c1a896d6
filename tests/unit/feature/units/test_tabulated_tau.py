"""The flare is found where it is, no other optimiser finds a better one, and what the points do not tell is not told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import differential_evolution

from ampeld.feature.unit import Undefined
from ampeld.feature.units.tabulated_tau import TAU, Flare, fit_exponential, fit_flare

REACH = 50.0


def flare(t, t0, tau_rise, tau_fall, height=100.0):
    u = t - t0
    return height * np.exp(-u / tau_fall) / (1 + np.exp(-u / tau_rise))


def observed(t, *parameters, relative=0.02, seed=1):
    """Return times since the brightest point, noisy fluxes, their errors, and the true t0."""
    chance = np.random.default_rng(seed)
    flux = flare(t, *parameters)
    errors = np.full(len(t), relative * flux.max())
    flux = flux + chance.normal(0, errors)
    peak = t[np.argmax(flux)]
    return t - peak, flux, errors, parameters[0] - peak


@pytest.mark.parametrize(("tau_rise", "tau_fall"), [(2.0, 20.0), (5.0, 12.0), (1.0, 40.0), (8.0, 30.0)])
def test_time_scales_of_a_simulated_flare_are_recovered(tau_rise, tau_fall):
    t, flux, errors, t0 = observed(np.arange(-25.0, 60.0, 2.0), 0.0, tau_rise, tau_fall)
    found = fit_flare(t, flux, errors, REACH)
    assert found.determined
    assert found.tau_rise == pytest.approx(tau_rise, rel=0.2)
    assert found.tau_fall == pytest.approx(tau_fall, rel=0.1)
    assert found.t0 == pytest.approx(t0, abs=2.0)
    assert found.chi2 < 2 * len(t)


@pytest.mark.parametrize("seed", range(4))
def test_a_search_of_the_whole_space_finds_nothing_better(seed):
    chance = np.random.default_rng(seed)
    t = np.sort(chance.uniform(-20, 40, 9))
    t, flux, errors, _ = observed(t, 0.0, chance.uniform(1, 8), chance.uniform(5, 50), relative=0.05, seed=seed)

    def chi2(x):
        with np.errstate(all="ignore"):
            shape = flare(t, x[0], np.exp(x[1]), np.exp(x[2]), 1.0)
            shape = shape / shape.max() / errors
            height = max(shape @ (flux / errors), 0) / (shape @ shape)
            value = np.sum((flux / errors - height * shape) ** 2)
        return value if np.isfinite(value) else 1e30

    bounds = [(-REACH, REACH), tuple(np.log(TAU)), tuple(np.log(TAU))]
    best = differential_evolution(chi2, bounds, seed=seed, popsize=8, maxiter=80)
    assert fit_flare(t, flux, errors, REACH).chi2 <= best.fun * (1 + 1e-6)


def test_errors_that_differ_in_their_last_digits_give_the_same_time_scales():
    """AMPEL's fit changes by factors when all errors are multiplied by 1 + 1e-12."""
    t, flux, errors, _ = observed(np.arange(-20.0, 40.0, 3.0), 0.0, 3.0, 15.0)
    one, other = fit_flare(t, flux, errors, REACH), fit_flare(t, flux, errors * (1 + 1e-12), REACH)
    assert (other.tau_rise, other.tau_fall) == pytest.approx((one.tau_rise, one.tau_fall), rel=1e-5)


def test_a_rise_alone_does_not_tell_two_time_scales():
    t = np.arange(-20.0, 1.0, 2.0)
    found = fit_flare(t, 100 * np.exp(t / 6), np.full(len(t), 2.0), REACH)
    assert not found.determined
    assert found.chi2 < 1


def test_fluxes_below_zero_have_no_flare():
    t = np.arange(-10.0, 10.0, 3.0)
    assert isinstance(fit_flare(t, -1 - t**2, np.ones(len(t)), REACH), Undefined)


def test_ten_thousand_points_are_fitted_in_the_memory_of_some_hundred():
    t, flux, errors, _ = observed(np.linspace(-30.0, 80.0, 10_000), 0.0, 3.0, 25.0, relative=0.1)
    found = fit_flare(t, flux, errors, REACH)
    assert (found.tau_rise, found.tau_fall) == pytest.approx((3.0, 25.0), rel=0.05)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-200, 200), st.floats(-1e4, 1e6), st.floats(1e-3, 1e5)), min_size=5, max_size=12),
    st.sampled_from([10.0, 50.0]),
)
def test_any_points_give_a_flare_or_a_reason(rows, reach):
    rows = sorted({row[0]: row for row in rows}.values())
    if len(rows) < 5:
        return
    t, flux, errors = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = fit_flare(t / 4, flux, errors, reach)
    if isinstance(found, Flare):
        assert TAU[0] <= found.tau_rise <= TAU[1] * 1.001
        assert 0 <= found.chi2 <= np.sum((flux / errors) ** 2) * (1 + 1e-9)
    else:
        assert found.reason in {"not_converged", "negative_flux"}


@pytest.mark.parametrize("rate", [0.015, -0.03])
def test_an_exponential_that_ends_suddenly_is_found(rate):
    """Two short time scales that all but agree: a narrow valley, in which AMPEL's fit ends now and then."""
    t = np.sort(np.random.default_rng(3).uniform(-40.0, 40.0, 30))
    flux = np.where(t < 10.2, 100 * np.exp(rate * t), 0.5)
    errors = np.full(len(t), 1.0)
    found = fit_flare(t, flux, errors, REACH)
    model = flare(t, 10.2, 0.2, 1 / (1 / 0.2 - rate), 1.0)
    height = model @ flux / (model @ model)
    assert found.chi2 <= np.sum((flux - height * model) ** 2)


@pytest.mark.parametrize("rate", [0.3, -0.2, 0.02])
def test_an_exponential_gives_its_rate(rate):
    t = np.array([-6.0, -4.0, -1.0, 0.0])
    assert fit_exponential(t, 50 * np.exp(rate * t)) == pytest.approx(rate, rel=1e-6)


def test_an_exponential_that_cannot_be_fitted_is_not_converged():
    found = fit_exponential(np.array([-2000.0, 0.0, 3000.0]), np.array([1.0, 2.0, 1.0]))
    assert isinstance(found, Undefined)
