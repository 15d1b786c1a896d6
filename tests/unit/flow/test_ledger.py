"""The rules that decide what is committed, against a model that keeps every offset for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.errors import InvariantError
from ampeld.flow.ledger import PartitionLedger


def a_ledger(start: int = 0) -> PartitionLedger:
    return PartitionLedger("ztf_20260101_programid1", 3, start)


def test_a_new_ledger_has_nothing_to_commit():
    assert a_ledger(7).due is None


def test_an_open_offset_holds_the_watermark():
    ledger = a_ledger()
    ledger.open(0)
    ledger.open(1)
    ledger.settle(1)
    assert ledger.watermark == 0
    assert ledger.due is None
    ledger.settle(0)
    assert ledger.due == 2


def test_settling_twice_is_an_invariant_error():
    ledger = a_ledger()
    ledger.open(0)
    ledger.open(1)
    ledger.settle(1)
    with pytest.raises(InvariantError):
        ledger.settle(1)


def test_settling_an_offset_that_was_never_opened_is_an_invariant_error():
    ledger = a_ledger()
    ledger.open(0)
    ledger.open(5)
    with pytest.raises(InvariantError):
        ledger.settle(3)


def test_one_wrong_offset_settles_none_of_its_company():
    ledger = a_ledger()
    for offset in range(3):
        ledger.open(offset)
    for wrong in ((0, 1, 7), (0, 0)):
        with pytest.raises(InvariantError):
            ledger.settle(*wrong)
    assert (ledger.watermark, ledger.in_flight) == (0, 3)
    ledger.settle(2, 0, 1)
    assert ledger.due == 3


def test_opening_an_offset_again_is_an_invariant_error():
    ledger = a_ledger()
    ledger.open(4)
    with pytest.raises(InvariantError):
        ledger.open(4)


def test_open_returns_the_first_offset_that_the_record_accounts_for():
    ledger = a_ledger(10)
    assert ledger.open(10) == 10
    assert ledger.open(14) == 11


def test_a_refused_batch_stands_for_its_whole_range():
    ledger = a_ledger()
    ledger.open(0, through=99)
    ledger.settle(0)
    assert ledger.due == 100


def test_a_retired_ledger_yields_no_commit():
    ledger = a_ledger()
    ledger.open(0)
    ledger.settle(0)
    ledger.retire()
    assert ledger.due is None


def test_offsets_that_are_never_delivered_can_be_skipped_when_nothing_is_open():
    ledger = a_ledger()
    ledger.skip_to(5)
    assert ledger.due == 5
    with pytest.raises(InvariantError):
        ledger.skip_to(4)


@given(st.data())
def test_the_watermark_never_passes_an_open_offset_and_never_falls(data):
    start = data.draw(st.integers(0, 100))
    ledger = a_ledger(start)
    opened, settled, position, before = set(), set(), start, start
    for step in data.draw(st.lists(st.sampled_from(["open", "settle", "commit"]), max_size=80)):
        if step == "open":
            offset = position + data.draw(st.integers(0, 3))
            ledger.open(offset)
            opened.add(offset)
            position = offset + 1
        elif step == "settle" and opened - settled:
            offsets = data.draw(st.sets(st.sampled_from(sorted(opened - settled)), max_size=3))
            ledger.settle(*offsets)
            settled |= offsets
        elif ledger.due is not None:
            ledger.committed_to(ledger.due)
        still_open = opened - settled
        assert ledger.watermark == (min(still_open) if still_open else position)
        assert ledger.in_flight == len(still_open)
        assert ledger.watermark >= before
        assert ledger.due is None or ledger.due > ledger.committed
        before = ledger.watermark
