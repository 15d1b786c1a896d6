import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel.column import Column

NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6))
SYMBOLS = ("<", "<=", ">", ">=", "==", "!=")


def floats(*values):
    return Column(np.array([np.nan if v is None else v for v in values]), np.array([v is None for v in values]), "x")


def ints(*values):
    return Column(np.array([v or 0 for v in values], dtype=np.int64), np.array([v is None for v in values]), "n")


def text(*values):
    return Column(np.array(values, dtype=object), np.array([v is None for v in values]), "s")


def truths(c):
    return [True if t else False if f else None for t, f in zip(c.true, c.false, strict=True)]


def plain(column):
    return [None if m else v for v, m in zip(column.values.tolist(), ~column.present.true, strict=True)]


def compare(symbol, left, right):
    return eval(f"left {symbol} right", {"left": left, "right": right})


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_comparisons_are_pythons_and_missing_is_neither(symbol):
    expected = [compare(symbol, 1.0, 2), compare(symbol, 2.0, 2), compare(symbol, 3.0, 2), None]
    assert truths(compare(symbol, floats(1, 2, 3, None), 2)) == expected
    assert truths(~compare(symbol, floats(1, 2, 3, None), 2)) == [not e if e is not None else None for e in expected]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_limit_may_stand_on_the_left(symbol):
    expected = [compare(symbol, 2, 1.0), compare(symbol, 2, 2.0), compare(symbol, 2, 3.0), None]
    assert truths(compare(symbol, 2, floats(1, 2, 3, None))) == expected
    assert truths(compare(symbol, np.float64(2), floats(1, 2, 3, None))) == expected


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1), st.sampled_from(SYMBOLS))
def test_columns_compare_row_by_row(pairs, symbol):
    left, right = floats(*(a for a, _ in pairs)), floats(*(b for _, b in pairs))
    expected = [None if a is None or b is None else compare(symbol, a, b) for a, b in pairs]
    assert truths(compare(symbol, left, right)) == expected


def test_a_comparison_keeps_value_operator_and_limit():
    column = floats(1, 2)
    condition = column >= 1.5
    assert condition.operator == ">="
    assert condition.operands[0] is column
    assert condition.operands[1] == 1.5


def test_identifiers_are_exact():
    big = 2475433850015010009
    column = ints(big, big + 1, None)
    assert truths(column == big) == [True, False, None]
    assert truths(column.isin([big])) == [True, False, None]
    assert plain(column % 100000) == [10009, 10010, None]
    assert truths(column < 2**70) == [True, True, None]


def test_arithmetic_passes_missing_on():
    x, n = floats(4, None, 1), ints(2, 3, None)
    assert plain(x + n) == plain(n + x) == [6, None, None]
    assert plain(x - 1) == [3, None, 0]
    assert plain(1 - x) == [-3, None, 0]
    assert plain(2 * x / n) == [4, None, None]
    assert plain(2 / x) == [0.5, None, 2]
    assert plain(-abs(+x)) == [-4, None, -1]
    assert plain(x**2) == [16, None, 1]
    assert plain(2**x) == [16, None, 2]
    assert plain(n // 2) == [1, 1, None]
    assert plain(7 // n) == [3, 2, None]
    assert plain(7 % n) == [1, 1, None]


@pytest.mark.parametrize(
    "result", [1 / floats(0.0), 1 // ints(0), 1 % ints(0), np.log10(floats(0.0)), np.sqrt(floats(-1.0))]
)
def test_what_is_not_finite_is_missing(result):
    assert plain(result) == [None]


def test_numpy_functions_give_columns():
    x, y = floats(3, None, -3), floats(4, 1, 4)
    assert plain(np.hypot(x, y)) == [5, None, 5]
    assert plain(np.abs(x)) == [3, None, 3]
    assert plain(np.maximum(x, 0)) == [3, None, 0]
    assert plain(np.minimum(0.0, x)) == [0, None, -3]
    fraction, whole = np.modf(floats(1.5))
    assert (plain(fraction), plain(whole)) == ([0.5], [1.0])
    assert truths(np.isfinite(x)) == [True, None, True]


@pytest.mark.parametrize(
    "function", [np.median, np.sort, np.sum, np.asarray, np.add.reduce, np.add.accumulate, np.argmax]
)
def test_numpy_functions_that_mix_alerts_are_refused(function):
    with pytest.raises(TypeError, match=r"mix the alerts|does not work on columns"):
        function(floats(1, 2))


def test_between_includes_both_ends():
    condition = floats(0.9, 1, 1.5, 2, 2.1, None).between(1, 2)
    assert truths(condition) == [False, True, True, True, False, None]
    assert condition.operator == "between"
    assert condition.operands[1:] == (1, 2)


def test_isin_of_numbers_and_text():
    assert truths(floats(1, 2.5, None).isin({1, 2.5})) == [True, True, None]
    assert truths(text("a", "b", None).isin(["b", "c"])) == [False, True, None]
    assert truths(floats(1).isin([])) == [False]
    with pytest.raises(TypeError, match="text"):
        floats(1).isin(["a"])
    with pytest.raises(TypeError, match="text"):
        text("a").isin([1])


def test_missing_and_present_are_always_known():
    assert truths(floats(1, None).missing) == [False, True]
    assert truths(floats(1, None).present) == [True, False]


def test_text_compares_with_text():
    assert truths(text("a", "b", None) == "a") == [True, False, None]
    assert truths(np.str_("a") != text("a", "b", None)) == [False, True, None]
    assert truths(text("a", None) == text("a", "b")) == [True, None]
    assert truths(text("a", "c") < "b") == [True, False]


@pytest.mark.parametrize(
    "use",
    [lambda s: s == 1, lambda s: s + "x", lambda s: s * 2, abs, np.char.upper, lambda s: floats(1) == s],
)
def test_text_has_no_arithmetic(use):
    with pytest.raises(TypeError):
        use(text("a"))


def test_none_is_looked_for_by_missing():
    with pytest.raises(TypeError, match=r"found by \.missing"):
        floats(1) == None  # noqa: B015, E711


@pytest.mark.parametrize("other", [True, [1.0], {}, np.array([1.0, 2.0]), np.array(["a"])])
def test_other_operands_are_refused(other):
    with pytest.raises(TypeError, match="does not go together"):
        floats(1) < other  # noqa: B015


def test_columns_of_different_batches_do_not_go_together():
    with pytest.raises(ValueError, match="1 and 2 alerts"):
        floats(1) + floats(1, 2)


def test_forgotten_parentheses_are_explained():
    with pytest.raises(TypeError, match="put each comparison in parentheses"):
        floats(1) > 0.5 & floats(2) < 3  # noqa: B015
    with pytest.raises(TypeError, match="put each comparison in parentheses"):
        (floats(1) > 0) & floats(2)


def test_a_column_is_not_one_truth_value():
    with pytest.raises(TypeError, match="compare it"):
        bool(floats(1))


def test_values_cannot_be_written():
    with pytest.raises(ValueError):
        floats(1).values[0] = 2


def test_a_column_made_by_hand_counts_what_is_not_finite_as_missing():
    made = Column(np.array([1.0, np.inf, np.nan, 7.0]), np.array([False, False, False, True]))
    assert made.missing.true.tolist() == [False, True, True, True]
    assert (made < 9).true.tolist() == [True, False, False, False]
    assert (made != 1).true.tolist() == [False] * 4
    assert (made != 1).false.tolist() == [True, False, False, False]


def test_an_integer_that_is_missing_is_neither_equal_nor_different():
    made = Column(np.array([0, 0]), np.array([False, True]))
    for condition in (made == 0, made != 1, made < 1):
        assert (condition.true.tolist(), condition.false.tolist()) == ([True, False], [False, False])
