"""The case of an object has its tickets behind what they build upon, and what is known already handed in."""

import msgspec
from support.tickets import link_of

from ampeld.daemon.measuring.cases import CaseBuilder, Thing, in_order
from ampeld.flow.codes import EXCEPTION, NEW, OK, PENDING_DEPENDENCY, RUNNING
from ampeld.store.documents import FeatureKey, StoredFeature
from ampeld.store.tickets import Ticket

POINTS = {n: (n, 2460000.5 + n, (), {"jd": 2460000.5 + n, "magpsf": 18.0}) for n in (1, 2)}


def key(unit):
    return FeatureKey(7, "t1", unit, 1, link_of(7))


def ticket(unit):
    return Ticket(unit, key(unit), ("a",), ("ZTF",), 0.0, NEW, 1, 0, 0)


def stored(unit, code, body=None):
    return StoredFeature(key(unit), frozenset("a"), frozenset(), 0.0, code, 1, None, body)


def builder(*known, waiting=()):
    return CaseBuilder("ztf", {one.key: one for one in known}, {one.key: one for one in waiting})


def thing(*below, points=(2, 1)):
    return Thing(points, 1, below)


def test_a_ticket_measures_the_points_of_its_state():
    made = builder()
    assert made.add(ticket("A"), thing()) is None
    case = made.case(POINTS, None)
    assert [(number, jd) for number, jd, _, _ in case.points] == [(1, 2460001.5), (2, 2460002.5)]
    (job,) = case.jobs
    assert (job.unit, job.link, job.points) == ("A", link_of(7), (2, 1))


def test_a_result_that_is_there_is_handed_in_once():
    made = builder(stored("A", OK, {"n": 1}))
    assert made.add(ticket("B"), thing(key("A"), None)) is None
    assert made.add(ticket("C"), thing(key("B"), key("A"))) is None
    case = made.case(POINTS, None)
    assert [job.unit for job in case.jobs] == ["A", "B", "C"]
    assert [job.inputs for job in case.jobs] == [(), (0, -1), (1, 0)]
    assert case.jobs[0].known == {"n": 1}
    assert [(posed.ticket.id, posed.position) for posed in made.posed] == [("B", 1), ("C", 2)]


def test_a_failure_that_is_there_is_handed_in_as_one():
    made = builder(stored("A", EXCEPTION))
    assert made.add(ticket("B"), thing(key("A"))) is None
    assert made.case(POINTS, None).jobs[0].failed


def test_who_builds_upon_a_ticket_waits_for_it():
    for code in (NEW, RUNNING):
        refusal = builder(stored("A", code)).add(ticket("B"), thing(key("A")))
        assert (refusal.code, refusal.is_absent) == (PENDING_DEPENDENCY, False)
    refusal = builder(waiting=[ticket("A")]).add(ticket("B"), thing(key("A")))
    assert (refusal.code, refusal.is_absent) == (PENDING_DEPENDENCY, False)
    refusal = builder().add(ticket("B"), thing(key("A")))
    assert (refusal.code, refusal.is_absent) == (PENDING_DEPENDENCY, True)


def test_tickets_are_put_behind_those_that_they_may_build_upon():
    recipes = dict.fromkeys([("A", 1), ("B", 1), ("C", 1)])
    tickets = [ticket("C"), ticket("A"), msgspec.structs.replace(ticket("B"), jd=1.0)]
    assert [one.key.unit for one in in_order(tickets, recipes)] == ["A", "B", "C"]
