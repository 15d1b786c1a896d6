import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel.column import Column
from ampeld.channel.ragged import RaggedColumn

LISTS = st.lists(st.lists(st.one_of(st.none(), st.floats(-1e3, 1e3)), max_size=5), max_size=6)
REDUCTIONS = {
    "min": min,
    "max": max,
    "span": lambda v: max(v) - min(v),
    "first": lambda v: v[0],
    "last": lambda v: v[-1],
    "sum": sum,
    "mean": statistics.fmean,
    "median": statistics.median,
}


def ragged(*lists, dtype=np.float64):
    flat = [v for one in lists for v in one]
    missing = np.array([v is None for v in flat], dtype=np.bool_)
    blank = {np.float64: np.nan, np.int64: 0}.get(dtype)
    values = np.empty(len(flat), dtype=dtype)
    values[:] = [blank if v is None else v for v in flat]
    return RaggedColumn(values, missing, np.cumsum([0, *map(len, lists)]).astype(np.int64), "x")


def column(*values):
    return Column(np.array([np.nan if v is None else v for v in values]), np.array([v is None for v in values]))


def truths(c):
    return [True if t else False if f else None for t, f in zip(c.true, c.false, strict=True)]


def plain(column):
    return [None if m else v for v, m in zip(column.values.tolist(), ~column.present.true, strict=True)]


@given(LISTS, st.sampled_from(sorted(REDUCTIONS)))
def test_reductions_are_pythons_without_the_missing(lists, name):
    present = [[v for v in one if v is not None] for one in lists]
    expected = [REDUCTIONS[name](one) if one else None for one in present]
    assert plain(getattr(ragged(*lists), name)()) == [e if e is None else pytest.approx(e, abs=1e-9) for e in expected]


@given(LISTS)
def test_count_is_of_the_values_that_are_there(lists):
    assert plain(ragged(*lists).count()) == [sum(v is not None for v in one) for one in lists]


@given(LISTS)
def test_a_reduction_does_not_depend_on_the_other_alerts(lists):
    together = plain(ragged(*lists).mean())
    assert together == [plain(ragged(one).mean())[0] for one in lists]


@pytest.mark.parametrize("name", sorted(REDUCTIONS))
def test_an_empty_list_gives_missing(name):
    assert plain(getattr(ragged([], [None], [1.0], []), name)())[:2] == [None, None]
    assert plain(getattr(ragged([]), name)()) == [None]
    assert plain(getattr(ragged(), name)()) == []


def test_identifiers_are_exact():
    big = 2475433850015010009
    lists = ragged([big, big + 1], [None], dtype=np.int64)
    assert plain(lists.max()) == [big + 1, None]
    assert truths((lists == big).any()) == [True, None]


def test_comparisons_give_conditions_on_lists():
    bright = ragged([18, 20], [20, 21], [], [None, 18], [None, 21]) < 19
    assert truths(bright.any()) == [True, False, False, True, None]
    assert truths(bright.all()) == [False, False, True, None, False]
    assert plain(bright.count()) == [1, 0, 0, 1, 0]


@given(LISTS)
def test_not_any_is_all_not(lists):
    low = ragged(*lists) < 0
    assert truths(~low.any()) == truths((~low).all())


def test_conditions_on_lists_combine():
    x = ragged([1, 2, 3], [2])
    assert plain(((x > 1) & (x < 3)).count()) == [1, 1]
    assert plain(((x > 1) & (column(0, 5) > 1)).count()) == [0, 1]
    assert plain(((column(0, 5) > 1) | (x > 2)).count()) == [1, 1]
    assert plain((~(x > 1) | False).count()) == [1, 0]


def test_arithmetic_spreads_columns_over_lists():
    x, c = ragged([1, 2], [5, None]), column(1, 2)
    assert plain((x - c).max()) == [1, 3]
    assert plain((c - x).min()) == [-1, -3]
    assert plain((2 * x + x).sum()) == [9, 15]
    assert plain(np.hypot(x, c * 0).max()) == [2, 5]
    assert plain((c <= x).count()) == [2, 1]


def test_selection_keeps_where_true():
    x = ragged([1, 2, None], [3], [])
    assert plain(x[x >= 2].first()) == [2, 3, None]
    assert plain(x[x >= 2][x[x >= 2] > 2].count()) == [0, 1, 0]


def test_lists_of_different_lengths_do_not_go_together():
    with pytest.raises(ValueError, match="different lengths"):
        ragged([1, 2]) + ragged([1], [2])
    with pytest.raises(ValueError, match="different lengths"):
        ragged([1, 2])[ragged([1]) > 0]
    with pytest.raises(ValueError, match="2 and 1 alerts"):
        ragged([1], [2]) + column(1)


def test_selecting_by_something_else_is_explained():
    with pytest.raises(TypeError, match="condition on lists"):
        ragged([1])[0]


def test_text_has_first_and_last_only():
    words = ragged(["a", None, "b"], [None], dtype=object)
    assert plain(words.first()) == ["a", None]
    assert plain(words.last()) == ["b", None]
    assert truths((words == "b").any()) == [True, None]
    assert plain(words.isin(["a", "b"]).count()) == [2, 0]
    with pytest.raises(TypeError, match=r"no max"):
        words.max()


def test_between_missing_and_present():
    x = ragged([1, 2, None])
    assert plain(x.between(1, 2).count()) == [2]
    assert plain(x.missing.count()) == [1]
    assert plain(x.present.count()) == [2]


def test_a_list_is_not_reduced_in_passing():
    with pytest.raises(TypeError):
        bool(ragged([1]) > 0)
    with pytest.raises(TypeError):
        np.max(ragged([1]))
