"""A code means the same alone and in a column."""

import numpy as np

from ampeld.flow.verdict import Kind, accepts, is_accepted, is_rejected, kinds

EVERY = range(1 << 16)


def test_every_code_is_accepted_in_a_column_as_it_is_alone():
    assert accepts(np.arange(1 << 16, dtype=np.uint16)).tolist() == [is_accepted(code) for code in EVERY]


def test_every_code_is_rejected_in_a_column_as_it_is_alone():
    found = kinds(np.arange(1 << 16, dtype=np.uint16))
    assert (found == Kind.REJECTED).tolist() == [is_rejected(code) for code in EVERY]
