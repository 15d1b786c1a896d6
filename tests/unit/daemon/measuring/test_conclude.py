"""What becomes of a ticket follows from what came of its measurement, and from how often it was tried."""

import msgspec
import pytest
from support.measuring import case_of
from support.tickets import PROVENANCE

from ampeld.daemon.measuring.cases import Posed, Refusal
from ampeld.daemon.measuring.conclude import MOST_ABSENT, MOST_WAIT_S, Concluder
from ampeld.daemon.measuring.hand import Lost
from ampeld.feature.work import Job, Measurement
from ampeld.flow.codes import (
    EXCEPTION,
    INTERNAL_ERROR,
    MISSING_DEPENDENCY,
    NEW,
    OK,
    PENDING_DEPENDENCY,
    RERUN_REQUESTED,
    TOO_MANY_TRIALS,
)
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.tickets import Postponed, Ticket

KEY = FeatureKey(7, "t1", "U", 1, 11)
TICKET = Ticket("id", KEY, ("b", "a"), ("ZTF",), 2.0, NEW, 3, 0, 0)
CONCLUDER = Concluder(PROVENANCE, deadline_s=60.0, max_trials=3)


def ending(result, ticket=TICKET, *, inputs=(), others=(), full=3):
    case = case_of(1, [*(Job("other", 1, "t1", 11) for _ in others), Job("U", 1, "t1", 11, inputs)])
    posed = [Posed(ticket, len(others), full)]
    (found,) = CONCLUDER.endings(case, posed, [*others, result], {("U", 1): 99}, 5.0)
    assert (found.id, found.key) == (ticket.id, ticket.key)
    return found.what


def test_a_measurement_is_a_result_with_its_origin():
    assert ending(Measurement(OK, {"n": 1}, None, 1.23456)) == FeatureChange(
        KEY,
        (),
        (),
        2.0,
        3,
        OK,
        body={"n": 1},
        meta={
            "ts": 5.0,
            "run": "run-1",
            "instance": "here",
            "version": "1",
            "channel": ["a", "b"],
            "trace": 99,
            "code": OK,
            "ms": 1.235,
            "full": 3,
        },
    )


def test_an_error_ends_the_ticket_at_once_with_its_traceback():
    what = ending(Measurement(EXCEPTION, None, "Traceback \udcff", 1.0))
    assert (what.code, what.body, what.meta["error"]) == (EXCEPTION, None, r"Traceback \udcff")


def test_what_was_asked_for_from_more_points_than_there_are_is_not_asked_for_again():
    assert ending(Measurement(OK, {}, None, 1.0), full=2).full == 3


@pytest.mark.parametrize(("trials", "retry_s"), [(0, 120.0), (1, 240.0)])
def test_a_lost_worker_is_another_try_that_waits_twice_as_long_each_time(trials, retry_s):
    ticket = msgspec.structs.replace(TICKET, trials=trials, code=RERUN_REQUESTED)
    what = ending(Lost("killed by SIGSEGV", overran=False, ms=10.0), ticket)
    assert isinstance(what, Postponed)
    assert (what.code, what.retry_s, what.trials) == (RERUN_REQUESTED, retry_s, trials + 1)
    assert what.meta["error"] == "killed by SIGSEGV"


def test_the_last_try_ends_it():
    what = ending(Lost("took longer", overran=True, ms=6e4), msgspec.structs.replace(TICKET, trials=2))
    assert (what.code, what.body, what.meta["trial"]) == (TOO_MANY_TRIALS, None, 3)


def test_a_ticket_whose_turn_did_not_come_waits_for_the_next_one():
    assert ending(None) == Postponed(NEW, 1.0, 0, 0)


def test_a_ticket_waits_for_what_it_builds_upon():
    what = ending(None, inputs=(0,), others=(Lost("", overran=True, ms=1.0),))
    assert (what.code, what.waits, what.trials) == (PENDING_DEPENDENCY, 1, 0)


@pytest.mark.parametrize(("waits", "wait_s"), [(0, 1.0), (3, 8.0), (500, MOST_WAIT_S)])
def test_who_has_waited_longer_is_looked_at_less_often(waits, wait_s):
    ticket = msgspec.structs.replace(TICKET, waits=waits)
    what = CONCLUDER.refusal(ticket, Refusal(PENDING_DEPENDENCY, "no result yet"), 5.0).what
    assert (what.code, what.retry_s, what.waits) == (PENDING_DEPENDENCY, wait_s, waits + 1)


def test_what_nobody_has_asked_for_is_waited_for_some_times_and_then_missed():
    absent = Refusal(PENDING_DEPENDENCY, "nobody has asked for V", is_absent=True)
    assert isinstance(CONCLUDER.refusal(TICKET, absent, 5.0).what, Postponed)
    what = CONCLUDER.refusal(msgspec.structs.replace(TICKET, waits=MOST_ABSENT), absent, 5.0).what
    assert (what.code, what.meta["error"]) == (MISSING_DEPENDENCY, absent.error)


def test_what_is_not_in_the_store_ends_the_ticket():
    what = CONCLUDER.refusal(TICKET, Refusal(INTERNAL_ERROR, "gone"), 5.0).what
    assert (what.code, what.body) == (INTERNAL_ERROR, None)
