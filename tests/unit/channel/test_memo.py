import gc
import weakref

import numpy as np
import pytest
from fakes.table import candidates, packet, table

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns, memo_of
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import judge
from ampeld.channel.memo import ROOM, Memo
from ampeld.channel.sharing import shared


def columns():
    return Columns(candidates("magpsf", 19.0, 20.0, None))


@pytest.mark.parametrize(
    "expression",
    [
        lambda a: a.magpsf < 20,
        lambda a: a.magpsf == 20.0,
        lambda a: a.magpsf - a.sigmapsf,
        lambda a: a.magpsf * 2,
        lambda a: abs(a.magpsf - 19.5),
        lambda a: np.hypot(a.ra, a.dec),
        lambda a: a.magpsf.missing,
        lambda a: a.magpsf.present,
        lambda a: a.gal_lat,
        lambda a: a.detections.count(),
        lambda a: a.detections.jd,
        lambda a: a.detections.jd.span(),
        lambda a: a.detections.jd.count(),
        lambda a: a.detections[a.detections.fid == 1].jd.max(),
        lambda a: a.detections[a.detections.fid == 1].count(),
        lambda a: (a.detections.magpsf < a.magpsf).any(),
        lambda a: a.detections.isdiffpos.all(),
        lambda a: a.detections.isdiffpos.count(),
    ],
)
def test_the_same_expression_is_computed_once(expression):
    a = columns()
    assert expression(a) is expression(a)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda a: a.magpsf < 20, lambda a: a.magpsf < 20.0),  # integers keep their precision
        (lambda a: a.magpsf < 20, lambda a: a.magpsf <= 20),
        (lambda a: a.magpsf * 0.0, lambda a: a.magpsf * -0.0),
        (lambda a: a.magpsf - a.sigmapsf, lambda a: a.sigmapsf - a.magpsf),
        (lambda a: 2 - a.magpsf, lambda a: a.magpsf - 2),
        (lambda a: a.detections.jd.min(), lambda a: a.detections.jd.max()),
        (lambda a: a.detections.count(), lambda a: a.limits.count()),
        (lambda a: a.detections.isdiffpos.any(), lambda a: a.detections.isdiffpos.all()),
    ],
)
def test_different_expressions_are_told_apart(one, other):
    a = columns()
    assert one(a) is not other(a)


def test_the_sign_of_zero_is_kept():
    a = columns()
    assert np.signbit((a.magpsf * -0.0).values[0])
    assert not np.signbit((a.magpsf * 0.0).values[0])


def test_columns_that_stand_alone_remember_nothing():
    column = Column(np.array([19.0]), np.array([False]))
    assert (column < 20) is not (column < 20)


def test_a_filter_that_computes_in_a_loop_does_not_fill_the_memory():
    class Loop(Filter):
        def cuts(self, a):
            for number in range(10 * ROOM):
                _ = a.magpsf < number
            yield "bright", a.magpsf < 20

    a = columns()
    judge(Loop(), a, CutNames())
    judge(Loop(), a, CutNames())
    assert ROOM < len(memo_of(a)) <= 2 * ROOM


def test_the_loop_of_one_filter_takes_no_room_from_the_next():
    memo = Memo()
    memo.open()
    for number in range(2 * ROOM):
        memo.put(number, "result")
    memo.open()
    assert memo.once("new", lambda: 1) == memo.once("new", lambda: 2) == 1


def test_a_batch_is_freed_with_its_last_user_and_not_by_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        a = columns()
        condition = (a.magpsf - a.sigmapsf < 20) & (a.detections.jd.span() > 0)
        column = a.magpsf
        gone = [weakref.ref(one.values.base) for one in (column, column - 1.5)]
        del a, condition, column
        assert gone[1]() is None
    finally:
        gc.enable()


def test_what_was_computed_stays_right_when_the_batch_is_gone():
    a = columns()
    bright, column = a.magpsf < 19.5, a.magpsf
    del a
    assert bright.true.tolist() == [True, False, False]
    assert (column < 20.5).true.tolist() == [True, True, False]


def test_a_shared_function_is_evaluated_once_for_a_batch():
    seen = []

    @shared
    def brightness(a):
        """Return it."""
        seen.append(len(a))
        return 25 - a.magpsf

    one, other = columns(), Columns(candidates("magpsf", 21.0))
    assert brightness(one) is brightness(one)
    assert brightness(other).values.tolist() == [4.0]
    assert seen == [3, 1]
    assert brightness.__doc__ == "Return it."


@pytest.mark.parametrize(
    "array",
    [
        lambda a: a.magpsf.values,
        lambda a: (a.magpsf - 1).values,
        lambda a: (a.magpsf < 20).true,
        lambda a: (a.magpsf < 20).false,
        lambda a: a.magpsf.missing.true,
        lambda a: a.detections.jd.values,
        lambda a: a.detections.jd.span().values,
        lambda a: a.detections.isdiffpos.true,
    ],
)
def test_no_filter_can_write_what_others_read(array):
    a = columns()
    with pytest.raises(ValueError):
        array(a)[0] = 1
    with pytest.raises(ValueError):
        array(a).setflags(write=True)


def test_a_filter_that_tries_to_write_harms_nobody_else():
    class Vandal(Filter):
        def cuts(self, a):
            a.magpsf.values[:] = 10.0
            yield "bright", a.magpsf < 20

    class Bright(Filter):
        def cuts(self, a):
            yield "bright", a.magpsf < 20

    a = Columns(table(packet(magpsf=21.0), packet(magpsf=19.0)))
    assert len(judge(Vandal(), a, CutNames()).failures) == 2
    assert judge(Bright(), a, CutNames()).codes.tolist() == [0x1000, 1]
