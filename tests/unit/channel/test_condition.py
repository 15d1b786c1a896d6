import itertools

import numpy as np
import pytest

from ampeld.channel.condition import Condition

T, F, M = True, False, None


def condition(*truths):
    return Condition(np.array([t is True for t in truths]), np.array([t is False for t in truths]), "test")


def truths(c):
    return [T if t else F if f else M for t, f in zip(c.true, c.false, strict=True)]


NINE = list(itertools.product([T, F, M], repeat=2))
LEFT = condition(*(left for left, _ in NINE))
RIGHT = condition(*(right for _, right in NINE))


def test_and_is_kleenes():
    assert truths(LEFT & RIGHT) == [T, F, M, F, F, F, M, F, M]


def test_or_is_kleenes():
    assert truths(LEFT | RIGHT) == [T, T, T, T, F, M, T, M, M]


def test_exclusive_or_of_an_unknown_is_unknown():
    assert truths(LEFT ^ RIGHT) == [F, T, M, T, F, M, M, M, M]


def test_not_leaves_the_unknown_unknown():
    assert truths(~condition(T, F, M)) == [F, T, M]


def test_de_morgan_holds():
    assert truths(~(LEFT & RIGHT)) == truths(~LEFT | ~RIGHT)
    assert truths(~(LEFT | RIGHT)) == truths(~LEFT & ~RIGHT)


def test_a_plain_boolean_holds_for_all_alerts():
    assert truths(condition(T, F, M) | True) == [T, T, T]
    assert truths(False | condition(T, F, M)) == [T, F, M]
    assert truths(np.True_ & condition(T, F, M)) == [T, F, M]


def test_a_mask_combines_from_either_side():
    mask = np.array([True, True, False])
    assert truths(condition(T, F, M) & mask) == truths(mask & condition(T, F, M)) == [T, F, F]


def test_missing_and_present_are_always_known():
    assert truths(condition(T, F, M).missing) == [F, F, T]
    assert truths(condition(T, F, M).present) == [T, T, F]


@pytest.mark.parametrize("use", [bool, lambda c: not c, lambda c: c and c, lambda c: [x for x in [1] if c]])
def test_a_condition_is_not_one_truth_value(use):
    with pytest.raises(TypeError, match=r"combine conditions with & \| ~"):
        use(condition(T))


def test_a_condition_is_not_compared():
    with pytest.raises(TypeError, match="use it as it is"):
        condition(T) == "t"  # noqa: B015
    with pytest.raises(TypeError, match="use it as it is"):
        condition(T) != True  # noqa: B015, E712


def test_a_condition_is_not_an_array():
    with pytest.raises(TypeError, match="not an array"):
        np.where(condition(T), 1, 2)


def test_conditions_on_different_batches_do_not_combine():
    with pytest.raises(ValueError, match="1 and 2 alerts"):
        condition(T) & condition(T, F)


def test_numbers_do_not_combine_with_conditions():
    with pytest.raises(TypeError):
        condition(T) & 1


def test_masks_cannot_be_written():
    with pytest.raises(ValueError):
        condition(T).true[0] = False


def test_of_makes_a_condition_of_a_mask():
    assert truths(Condition.of(np.array([True, False, True]), np.array([False, False, True]))) == [T, F, M]


def test_of_leaves_the_authors_mask_as_it_is():
    mask = np.array([True, False])
    Condition.of(mask)
    mask[0] = False
    assert not mask.any()


@pytest.mark.parametrize("mask", [np.array([1, 0]), [True], True])
def test_of_takes_arrays_of_booleans_only(mask):
    with pytest.raises(TypeError, match="array of booleans"):
        Condition.of(mask)


def test_a_condition_remembers_how_it_came_to_be():
    both = LEFT & RIGHT
    assert both.operator == "&"
    assert both.operands[0] is LEFT
    assert both.operands[1] is RIGHT
    assert repr(both) == "<Condition &: 1 of 9 true>"
