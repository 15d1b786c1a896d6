"""An explanation agrees with the verdict, tells every cut, and stops where the filter's own code fails."""

import pytest
from fakes.table import JD, packet, table
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel import Alert, Columns, Condition, Cuts, Filter
from ampeld.channel.cutnames import CutNames
from ampeld.channel.explain import count_alone, explain, expressions
from ampeld.channel.judge import judge
from ampeld.flow.verdict import ACCEPT_CUT, cut_name, is_accepted


class Bright(Filter):
    min_rb: float = 0.5
    max_mag: float = 19.0

    def cuts(self, a: Columns) -> Cuts:
        yield "real", a.drb.missing | (a.rb >= self.min_rb)
        yield "bright", a.magpsf <= self.max_mag
        yield "twice", a.detections.count() >= 2

    def accept(self, alert: Alert) -> bool | int:
        return {1: False, 2: 3}.get(alert.candidate.fid, -7)


class Failing(Filter):
    def cuts(self, a: Columns) -> Cuts:
        yield "bright", a.magpsf <= 19
        if (a.rb < 0.2).true.any():
            raise ValueError("no such thing")
        yield "real", a.rb >= 0.5


EARLIER = [{"jd": JD - 1, "candid": 5, "fid": 1, "magpsf": 19.5}]


def explained(made, *packets, row=0):
    return explain(made, Columns(table(*packets)), row, CutNames())


def test_every_cut_is_told_those_behind_the_first_failed_one_too():
    found = explained(Bright(), packet(rb=0.2, drb=0.1, magpsf=20.5))
    assert [(cut.name, cut.passed) for cut in found.cuts] == [("real", False), ("bright", False), ("twice", False)]
    assert found.verdict == "rejected by real"
    assert found.failed.text == "rb = 0.2 < 0.5 (min_rb)"
    assert (found.failed.value, found.failed.limit) == (0.2, 0.5)
    assert (found.object, found.candid, found.jd) == ("ZTF21abcdefg", 10, JD)


@pytest.mark.parametrize(
    ("fid", "passed", "verdict", "text"),
    [
        (1, False, "rejected by accept", "accept() returned False"),
        (2, True, "accepted, group 3", "accept() returned 3: group 3"),
        (3, False, "rejected by accept, code -7", "accept() returned -7"),
    ],
)
def test_what_accept_returned_is_the_last_step(fid, passed, verdict, text):
    found = explained(Bright(), packet(rb=0.9, magpsf=18.0, fid=fid, detections=EARLIER))
    assert (found.verdict, found.accepted) == (verdict, passed)
    assert (found.cuts[-1].name, found.cuts[-1].passed, found.cuts[-1].text) == (ACCEPT_CUT, passed, text)


def test_accept_is_no_step_where_it_was_not_asked():
    found = explained(Bright(), packet(rb=0.2, drb=0.1))
    assert ACCEPT_CUT not in [cut.name for cut in found.cuts]


def test_a_filter_that_fails_is_explained_up_to_there_with_its_traceback():
    found = explained(Failing(), packet(rb=0.1, magpsf=18.0))
    assert [cut.name for cut in found.cuts] == ["bright"]
    assert found.verdict == "errored: ValueError: no such thing"
    assert "no such thing" in found.failure.traceback


def test_alone_counts_do_not_depend_on_the_cuts_before():
    alerts = Columns(table(packet(rb=0.2, drb=0.1, candid=1), packet(rb=0.2, drb=0.1, magpsf=20, candid=2)))
    assert count_alone(Bright(), alerts) == {"real": 2, "bright": 1, "twice": 2}


def test_a_failing_filter_is_counted_alert_by_alert():
    alerts = Columns(table(packet(rb=0.1, magpsf=20, candid=1), packet(rb=0.3, candid=2), packet(rb=0.9, candid=3)))
    assert count_alone(Failing(), alerts) == {"bright": 1, "real": 1}


def test_cuts_can_be_spelled_without_any_alert():
    assert expressions(Bright(), Columns(table())) == {
        "real": "drb.missing | (rb >= min_rb)",
        "bright": "magpsf <= max_mag",
        "twice": "detections.count() >= 2",
    }


def test_explaining_leaves_the_filter_as_it_was():
    bright = Bright()
    explained(bright, packet(rb=0.2))
    assert type(bright.min_rb) is float


values = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.5, 0.0, 1.0]))


@st.composite
def trees(draw, depth: int = 3):
    """Draw a function from columns to a condition."""
    kind = draw(
        st.sampled_from(["compare", "between", "missing", "flag"] + (["and", "or", "not", "xor"] if depth else []))
    )
    if kind in {"and", "or", "xor"}:
        one, other = draw(trees(depth - 1)), draw(trees(depth - 1))
        join = {"and": Condition.__and__, "or": Condition.__or__, "xor": Condition.__xor__}[kind]
        return lambda a: join(one(a), other(a))
    if kind == "not":
        one = draw(trees(depth - 1))
        return lambda a: ~one(a)
    name, limit = draw(st.sampled_from(["rb", "drb", "fwhm"])), draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    if kind == "compare":
        compare = draw(st.sampled_from(["__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"]))
        return lambda a: getattr(getattr(a, name), compare)(limit)
    if kind == "between":
        return lambda a: getattr(a, name).between(limit / 2, limit)
    if kind == "missing":
        return lambda a: getattr(a, name).missing
    return lambda a: a.isdiffpos


@given(
    st.lists(trees(), min_size=1, max_size=4),
    st.lists(st.tuples(values, values, values, st.sampled_from(["t", "f"])), min_size=1, max_size=5),
)
def test_an_explanation_always_agrees_with_the_verdict(conditions, alerts):
    class Drawn(Filter):
        def cuts(self, a: Columns) -> Cuts:
            for number, make in enumerate(conditions):
                yield f"cut {number}", make(a)

    batch = table(
        *(packet(rb=rb, drb=drb, fwhm=fwhm, isdiffpos=sign, candid=i) for i, (rb, drb, fwhm, sign) in enumerate(alerts))
    )
    names = CutNames()
    codes = judge(Drawn(), Columns(batch), names).codes
    for row in range(len(batch)):
        found = explain(Drawn(), Columns(batch), row, names)
        assert found.code == codes[row]
        assert len(found.cuts) == len(conditions)
        first = next((cut.name for cut in found.cuts if not cut.passed), None)
        assert first == cut_name(int(codes[row]), names.names)
        assert (first is None) == is_accepted(int(codes[row]))
        assert all(cut.text for cut in found.cuts)
