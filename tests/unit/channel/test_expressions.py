"""Random filters: what they say of an alert depends neither on the alerts beside it nor on the filters before them."""

import operator

import numpy as np
from fakes.table import JD, packet, table
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import judge

NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 0, 1, 2])
FIELDS = st.sampled_from(["rb", "drb", "fid", "ndethist", "nbad"])  # floats and integers, all may be missing
HISTORY = st.sampled_from(["count", "min", "max", "first", "last", "span", "sum", "mean", "median"])
COMPARE = st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])


def field(name):
    return lambda a: getattr(a, name)


def reduction(name, selected):
    def of(a):
        points = a.detections[a.detections.fid == 1] if selected else a.detections
        return getattr(points.rb, name)()

    return of


def arithmetic(do, one, other):
    return lambda a: do(one(a), other if isinstance(other, int | float) else other(a))


COLUMNS = st.recursive(
    st.builds(field, FIELDS) | st.builds(reduction, HISTORY, st.booleans()),
    lambda inner: (
        st.builds(
            arithmetic,
            st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]),
            inner,
            inner | NUMBERS,
        )
        | inner.map(lambda one: lambda a: abs(one(a)))
        | inner.map(lambda one: lambda a: np.maximum(one(a), 1))
    ),
    max_leaves=4,
)
CONDITIONS = st.recursive(
    st.builds(arithmetic, COMPARE, COLUMNS, COLUMNS | NUMBERS)
    | COLUMNS.map(lambda one: lambda a: one(a).missing)
    | st.builds(lambda one, low, high: lambda a: one(a).between(low, high), COLUMNS, NUMBERS, NUMBERS)
    | st.builds(lambda limit: lambda a: (a.detections.rb < limit).any(), NUMBERS)
    | st.builds(lambda limit: lambda a: ~(a.detections.rb > a.rb - limit).all(), NUMBERS),
    lambda inner: (
        st.builds(arithmetic, st.sampled_from([operator.and_, operator.or_, operator.xor]), inner, inner)
        | inner.map(lambda one: lambda a: ~one(a))
    ),
    max_leaves=6,
)
VALUES = st.none() | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])
WHOLE = st.none() | st.integers(0, 2)
ALERTS = st.builds(
    lambda rb, drb, ndethist, nbad, history: packet(
        rb=rb,
        drb=drb,
        ndethist=ndethist,
        nbad=nbad,
        detections=[{"jd": JD - 1 - i, "candid": i + 1, "rb": one, "fid": 1 + i % 2} for i, one in enumerate(history)],
    ),
    VALUES,
    VALUES,
    WHOLE,
    WHOLE,
    st.lists(VALUES, max_size=3),
)


def filter_of(conditions):
    class Random(Filter):
        def cuts(self, a):
            for number, condition in enumerate(conditions):
                yield f"cut {number}", condition(a)

    return Random()


FILTERS = st.lists(CONDITIONS, min_size=1, max_size=3).map(filter_of)


def names():
    known = CutNames()
    for number in range(3):
        known.number(f"cut {number}")
    return known


@given(FILTERS, st.lists(ALERTS, min_size=1, max_size=5))
def test_a_verdict_is_the_same_alone_and_in_company(random, alerts):
    batch = table(*alerts)
    whole = judge(random, batch, names())
    single = [judge(random, batch.select([row]), names()) for row in range(len(alerts))]
    assert whole.codes.tolist() == [int(one.codes[0]) for one in single]
    assert whole.failures == [] == [failure for one in single for failure in one.failures]


@given(st.lists(FILTERS, min_size=2, max_size=4), st.lists(ALERTS, min_size=1, max_size=5))
def test_a_verdict_is_the_same_whoever_was_asked_before(filters, alerts):
    batch = table(*alerts)
    shared = Columns(batch)
    together = [judge(one, shared, names()).codes.tolist() for one in filters]
    assert together == [judge(one, Columns(batch), names()).codes.tolist() for one in filters]


@given(CONDITIONS, st.lists(ALERTS, min_size=1, max_size=5))
def test_nothing_is_true_and_false_and_only_the_unknown_is_neither(condition, alerts):
    found = condition(Columns(table(*alerts)))
    assert not (found.true & found.false).any()
    assert ((found.true | found.false) == ~found.missing.true).all()
    assert ((~found).true == found.false).all()
    assert (found.present.true == (found | ~found).true).all()
