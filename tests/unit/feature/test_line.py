"""The weighted line against numpy's, and where there is none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.feature.line import slope_of
from ampeld.feature.unit import Undefined

rows = st.lists(
    st.tuples(st.integers(0, 9000), st.integers(-500, 500), st.integers(1, 400)),
    min_size=2,
    max_size=30,
    unique_by=lambda row: row[0],
)


@given(rows)
def test_slope_and_error_are_those_of_numpys_polynomial(given_):
    t, y, err = (np.array(column) / 100 for column in zip(*given_, strict=True))
    slope, error = slope_of((t + 2458000.5).tolist(), y.tolist(), err.tolist())
    (expected, _), covariance = (
        np.polyfit(t - t[0], y, 1, w=1 / err, cov="unscaled") if len(t) > 2 else _through_two(t, y, err)
    )
    assert slope == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert error == pytest.approx(covariance[0][0] ** 0.5, rel=1e-6)


def _through_two(t, y, err):
    return ((y[1] - y[0]) / (t[1] - t[0]), 0.0), [[math.hypot(*err) ** 2 / (t[1] - t[0]) ** 2]]


def test_points_without_an_error_are_passed_over():
    given_ = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 9.0, 3.0], [0.1, 0.1, 0.0, 0.2]
    assert slope_of(*given_) == slope_of([0.0, 1.0, 3.0], [0.0, 1.0, 3.0], [0.1, 0.1, 0.2])
    assert slope_of(*given_)[0] == pytest.approx(1.0)


def test_tiny_errors_and_huge_ones_are_weighed_too():
    slope, error = slope_of([0.0, 1.0], [0.0, 2.0], [1e-200, 1e-200])
    assert (slope, error) == pytest.approx((2.0, math.sqrt(2) * 1e-200))
    assert slope_of([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [1e-200, 1e200, 1e200])


@pytest.mark.parametrize(
    ("t", "err", "why"),
    [
        ([0.0], [0.1], "too_few_points"),
        ([1.0, 1.0], [0.1, 0.2], "equal_times"),
        ([0.0, 1.0], [0.1, 0.0], "no_error"),
        ([0.0, 1.0], [math.nan, math.inf], "no_error"),
    ],
)
def test_without_a_line_there_is_a_reason(t, err, why):
    found = slope_of(t, [1.0] * len(t), err)
    assert isinstance(found, Undefined)
    assert found.reason == why
