import struct

import numpy as np
import pytest
import xxhash
from fakes.table import candidates
from hypothesis import given
from hypothesis import strategies as st
from support.filters import said

from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import judge
from ampeld.channel.randomfilter import RandomFilter, xxh64
from ampeld.params import ParameterError

INT64 = st.integers(-(2**63), 2**63 - 1)
CANDIDS = candidates("candid", *range(2_000_000_000_000_000_000, 2_000_000_000_000_004_000))


def chosen(**params):
    return judge(RandomFilter(**params), CANDIDS, CutNames()).codes == 1


@given(st.lists(INT64, min_size=1), st.integers(0, 2**64 - 1))
def test_the_hash_is_xxh64(numbers, seed):
    expected = [xxhash.xxh64_intdigest(struct.pack("<q", number), seed) for number in numbers]
    assert xxh64(np.array(numbers, dtype=np.int64), seed).tolist() == expected


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.9])
def test_the_share_is_the_rate(rate):
    expected = rate * len(CANDIDS)
    assert abs(chosen(passing_rate=rate).sum() - expected) < 5 * np.sqrt(expected)


def test_a_rate_of_nothing_takes_nothing_and_of_one_everything():
    assert not chosen(passing_rate=0.0).any()
    assert chosen(passing_rate=1.0).all()


def test_a_smaller_sample_is_part_of_a_larger():
    assert not (chosen(passing_rate=0.1) & ~chosen(passing_rate=0.2)).any()


def test_another_seed_gives_another_sample():
    one, other = chosen(passing_rate=0.5), chosen(passing_rate=0.5, seed=1)
    assert 0.4 < (one == other).mean() < 0.6


def test_the_cut_is_named():
    assert said(RandomFilter(passing_rate=0.0), *[]) == []
    names = CutNames()
    judge(RandomFilter(passing_rate=0.0), CANDIDS, names)
    assert names.names == ["sample"]


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"passing_rate": 1.1}, "passing_rate"),
        ({"passing_rate": -0.1}, "passing_rate"),
        ({"passing_rate": 1, "seed": -1}, "seed"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(params, key):
    with pytest.raises(ParameterError) as caught:
        RandomFilter(**params)
    assert caught.value.errors[0][0] == key
