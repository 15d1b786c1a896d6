"""What remains of a case is what is neither done nor left out, with its inputs where they belong."""

from hypothesis import given
from hypothesis import strategies as st
from support.measuring import case_of

from ampeld.daemon.measuring.rest import rest_of, to_measure
from ampeld.feature.work import Job, Measurement


def job(name, *inputs, **known):
    return Job(name, 1, "t1", 1, inputs, **known)


def done(body):
    return Measurement(0 if body is not None else -4, body, None, 1.0)


def test_what_is_known_is_not_measured():
    case = case_of(1, [job("a", known={"n": 1}), job("b", 0), job("c", failed=True)])
    assert to_measure(case) == [1]


def test_what_is_done_is_an_input_from_then_on():
    case = case_of(1, [job("a"), job("b"), job("c", 0, 1)])
    rest, places = rest_of(case, {0: done({"n": 1}), 1: done(None)}, [])
    assert places == [0, 1, 2]
    assert (rest.jobs[0].known, rest.jobs[1].failed, rest.jobs[2].inputs) == ({"n": 1}, True, (0, 1))
    assert to_measure(rest) == [2]


def test_what_builds_upon_what_is_left_out_is_left_out():
    case = case_of(1, [job("a"), job("b", 0), job("c", 1), job("d", -1), job("e", 3)])
    rest, places = rest_of(case, {}, [0])
    assert places == [3, 4]
    assert [one.inputs for one in rest.jobs] == [(-1,), (0,)]


def test_nothing_remains_when_all_is_done_or_left_out():
    case = case_of(1, [job("a"), job("b", 0)])
    assert rest_of(case, {0: done({})}, [1]) is None


@st.composite
def cases(draw):
    n = draw(st.integers(1, 8))
    jobs = [job(str(i), *draw(st.lists(st.integers(-1, i - 1), max_size=2))) for i in range(n)]
    finished = draw(st.sets(st.integers(0, n - 1)))
    return case_of(1, jobs), finished, draw(st.sets(st.integers(0, n - 1))) - finished


@given(cases())
def test_every_job_is_done_left_out_or_remains_and_its_inputs_are_those_it_had(drawn):
    case, finished, left_out = drawn
    found = rest_of(case, {position: done({"n": position}) for position in finished}, left_out)
    rest, places = found or (case_of(1, []), [])
    for new, old in enumerate(places):
        assert rest.jobs[new].unit == case.jobs[old].unit
        assert [places[i] if i >= 0 else -1 for i in rest.jobs[new].inputs] == list(case.jobs[old].inputs)
        assert old not in left_out
    remaining = {places[position] for position in to_measure(rest)}
    assert remaining.isdisjoint(finished | left_out)
