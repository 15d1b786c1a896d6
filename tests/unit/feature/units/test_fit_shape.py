"""The shapes of Bazin and Villar against the light-curve package's, and their slopes against differences."""

import light_curve
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.feature.units.fit_shape import Bazin, Villar

TIMES = np.linspace(-20, 150, 60)
SHAPES = {
    "bazin": (Bazin(), light_curve.BazinFit, [100.0, 5.0, 30.0, 4.0, 25.0]),
    "villar": (Villar(), light_curve.VillarFit, [100.0, 5.0, 30.0, 4.0, 25.0, 0.3, 20.0]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_flux_is_that_of_the_light_curve_package(name):
    shape, oracle, p = SHAPES[name]
    assert shape.value(TIMES, np.array(p)) == pytest.approx(oracle.model(TIMES, np.array(p)), rel=1e-12)
    prefix = f"{name}_fit_"
    named = [one.removeprefix(prefix) for one in oracle("lmsder").names]
    assert named == [*shape.names, "reduced_chi2"]


@pytest.mark.parametrize("name", SHAPES)
def test_the_slopes_are_those_of_small_differences(name):
    shape, _, p = SHAPES[name]
    steps = 1e-6 * np.eye(len(p))
    expected = [(shape.value(TIMES, p + step) - shape.value(TIMES, p - step)) / 2e-6 for step in steps]
    assert shape.slopes(TIMES, np.array(p)) == pytest.approx(np.array(expected).T, abs=1e-6)


@given(
    st.sampled_from(sorted(SHAPES)),
    st.floats(-1e3, 1e3),
    st.tuples(st.floats(0.01, 1e3), st.floats(0.01, 1e3), st.floats(0.01, 1e3)),
    st.floats(0, 1),
)
def test_no_form_overflows(name, t0, scales, nu):
    shape, _, _ = SHAPES[name]
    rise, fall, plateau = scales
    p = np.array([1.0, 0.0, t0, rise, fall, nu, plateau][: len(shape.names)])
    assert np.isfinite(shape.value(TIMES, p)).all()
    assert np.isfinite(shape.slopes(TIMES, p)).all()
