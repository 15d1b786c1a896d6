"""Light curves rise from nothing, peak where they should and fade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.demo.shapes import SHAPES, SUPERNOVAE, flux_of, supernova


@given(
    kind=st.sampled_from(SUPERNOVAE), peak=st.floats(15, 21), stretch=st.floats(0.7, 1.3), fid=st.sampled_from([1, 2])
)
def test_a_supernova_rises_to_its_peak_and_only_fades_after_it(kind, peak, stretch, fid):
    age = np.linspace(-5, 120, 2000)
    flux = supernova(kind, age, np.full(age.shape, fid), peak, stretch)
    assert (flux[age <= 0] == 0).all()
    top = SHAPES[kind].rise_d * stretch
    assert (np.diff(flux[age <= top]) >= 0).all()
    assert (np.diff(flux[age > top]) <= 0).all()


def test_a_type_ia_peaks_at_its_magnitude_and_loses_three_quarters_in_red_in_two_weeks():
    age = np.array([17.5, 17.5 + 15])
    peak, faded = supernova("sn_ia", age, np.array([2, 2]), 18.0, 1.0)
    assert peak == pytest.approx(flux_of(18.0))
    assert -2.5 * np.log10(faded / peak) == pytest.approx(0.675)
