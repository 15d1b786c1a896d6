"""Reasons are facts of the alert, whatever was asked of them: value, limit, and which way it went."""

import numpy as np
import pytest
from fakes.table import candidates, packet, table

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.named import named
from ampeld.channel.reason import reason
from ampeld.channel.spell import show, spell

A = Columns(candidates("rb", 0.21, 0.75, None))


@pytest.mark.parametrize(
    ("make", "row", "passed", "text"),
    [
        (lambda a: a.rb >= 0.3, 0, False, "rb = 0.21 < 0.3"),
        (lambda a: a.rb >= 0.3, 1, True, "rb = 0.75 >= 0.3"),
        (lambda a: a.rb >= 0.3, 2, None, "rb is missing (wanted: rb >= 0.3)"),
        (lambda a: np.less_equal(0.3, a.rb), 0, False, "rb = 0.21 < 0.3"),
        (lambda a: a.rb == 0.75, 0, False, "rb = 0.21 != 0.75"),
        (lambda a: a.rb != 0.75, 0, True, "rb = 0.21 != 0.75"),
        (lambda a: ~(a.rb < 0.3), 0, False, "rb = 0.21 < 0.3"),
        (lambda a: a.rb.between(0.1, 0.3), 0, True, "rb = 0.21 in 0.1 to 0.3"),
        (lambda a: ~a.rb.between(0.1, 0.3), 0, False, "rb = 0.21 in 0.1 to 0.3"),
        (lambda a: a.rb.between(0.1, 0.3), 1, False, "rb = 0.75 not in 0.1 to 0.3"),
        (lambda a: a.rb.between(0.1, 0.3), 2, None, "rb is missing (wanted: in 0.1 to 0.3)"),
        (lambda a: a.fid.isin([2, 3]), 0, False, "fid = 1 not in [2, 3]"),
        (lambda a: a.object.isin(["ZTF21abcdefg"]), 0, True, "object = 'ZTF21abcdefg' in ['ZTF21abcdefg']"),
        (lambda a: a.rb.missing, 2, True, "rb is missing"),
        (lambda a: a.rb.missing, 0, False, "rb is there"),
        (lambda a: a.rb.present, 2, False, "rb is missing"),
        (lambda a: a.isdiffpos, 0, True, "isdiffpos is true"),
        (lambda a: ~a.isdiffpos, 0, False, "isdiffpos is true"),
        (lambda a: abs(a.rb - 1) * 2 <= 1, 0, False, "abs(rb - 1) * 2 = 1.58 > 1"),
        (lambda a: a.rb > a.magpsf / 19, 0, False, "rb = 0.21 <= magpsf / 19 = 1"),
        (lambda a: (a.rb >= 0.3) & (a.magpsf < 20), 0, False, "rb = 0.21 < 0.3"),
        (lambda a: (a.rb >= 0.3) & (a.magpsf < 20), 1, True, "rb = 0.75 >= 0.3 and magpsf = 19 < 20"),
        (lambda a: (a.rb >= 0.3) | (a.magpsf < 18), 0, False, "rb = 0.21 < 0.3 and magpsf = 19 >= 18"),
        (lambda a: (a.rb >= 0.3) | (a.magpsf < 20), 0, True, "magpsf = 19 < 20"),
        (lambda a: a.rb.missing | (a.rb >= 0.3), 0, False, "rb = 0.21 < 0.3"),
        (lambda a: a.rb.missing | (a.rb >= 0.3), 2, True, "rb is missing"),
        (lambda a: (a.rb >= 0.3) & False, 1, False, "given as false"),
        (lambda a: Condition.of(np.array([True, False, True])), 1, False, "a mask is false"),
        (lambda a: np.hypot(a.rb, a.rb) < 1, 1, False, "hypot(rb, rb) = 1.06066 >= 1"),
    ],
)
def test_a_condition_is_told_as_a_fact(make, row, passed, text):
    why = reason(make(A), row)
    assert (why.passed, why.text) == (passed, text)


def test_value_operator_and_limit_are_what_was_asked():
    why = reason(~(A.rb < 0.3), 0)
    assert (why.value, why.operator, why.limit) == (0.21, ">=", 0.3)
    inside = reason(A.rb.between(0.1, 0.3), 1)
    assert (inside.value, inside.operator, inside.limit) == (0.75, "between", [0.1, 0.3])
    flag = reason(~A.isdiffpos, 0)
    assert (flag.value, flag.operator, flag.limit) == (True, "is", False)


def test_of_combined_conditions_value_and_limit_are_those_of_the_part_that_decided_and_all_parts_are_told():
    why = reason((A.magpsf < 20) & (A.rb >= 0.3) & (A.fid == 1), 0)
    assert (why.value, why.limit) == (0.21, 0.3)
    assert [part.passed for part in why.parts] == [True, False, True]


def test_a_limit_that_came_from_a_parameter_names_it():
    assert reason(A.rb >= named(0.3, "min_rb"), 0).text == "rb = 0.21 < 0.3 (min_rb)"
    assert reason(A.rb >= named(0.3, "min_rb"), 0).limit == 0.3
    assert type(reason(A.rb >= named(0.3, "min_rb"), 0).limit) is float
    assert spell(abs(A.rb - named(1, "peak")) > named(0.3, "width")) == "abs(rb - peak) > width"


def test_lists_tell_how_many_of_them_and_their_values():
    a = Columns(table(packet(detections=[{"jd": 2458999.5, "fid": 2, "candid": 3, "magpsf": 20.0}])))
    every = reason((a.detections.fid == 1).all(), 0)
    assert every.passed is False
    assert every.text == "detections.fid == 1 holds for 1 of 2 (wanted: all); detections.fid = [2, 1]"
    assert (every.value, every.operator, every.limit) == ([2, 1], "all ==", 1)
    some = reason((a.detections.fid == 1).any(), 0)
    assert some.passed is True
    nothing = reason((a.limits.fid == 1).any(), 0)
    assert nothing.text == "limits.fid == 1 holds for 0 of 0 (wanted: one)"


def test_reductions_and_selections_are_spelled_as_they_are_written():
    a = Columns(table(packet(detections=[{"jd": 2458999.5, "fid": 1, "candid": 3, "magpsf": 20.0}])))
    chosen = a.detections.magpsf[a.detections.fid == 1]
    assert spell(chosen.min() < 19.5) == "detections.magpsf[detections.fid == 1].min() < 19.5"
    assert spell(a.detections[a.detections.fid == 1].jd.span() > 1) == "detections.jd[detections.fid == 1].span() > 1"
    assert spell((a.detections.fid == 1).count() >= 2) == "(detections.fid == 1).count() >= 2"
    assert spell(a.detections[a.detections.fid == 1].count() >= 2) == "(detections.fid == 1).count() >= 2"
    assert spell((a.rb > 1) & ~(a.fid == 2) | a.rb.missing) == "((rb > 1) & (~(fid == 2))) | rb.missing"
    assert spell(-(a.ra + 1) / (a.dec - (a.ra - 2)) > 0) == "-(ra + 1) / (dec - (ra - 2)) > 0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"),
        (True, "true"),
        (np.True_, "true"),
        (np.int64(1246123450015015001), "1246123450015015001"),
        (2459000.512345, "2459000.51235"),
        (0.123456789, "0.123457"),
        (np.array(0.5), "0.5"),
        ("g", "'g'"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
    ],
)
def test_values_are_shown_as_people_read_them(value, text):
    assert show(value) == text
