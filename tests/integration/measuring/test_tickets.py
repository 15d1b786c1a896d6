"""Tickets are measured, whatever their units do, each once, and nobody waits for one that does not end."""

import asyncio
from pathlib import Path

import pytest
from support.measuring import UNITS, wants
from support.ticket_site import open_site, process_judge
from support.tickets import documents, insert_states, ticket

from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.measuring import conclude, lane, tickets
from ampeld.flow.codes import (
    ERROR,
    EXCEPTION,
    FAILED_DEPENDENCY,
    INTERNAL_ERROR,
    MISSING_DEPENDENCY,
    OK,
    PENDING_DEPENDENCY,
    RERUN_REQUESTED,
    TOO_MANY_TRIALS,
)

pytestmark = pytest.mark.mongodb


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    monkeypatch.setattr(tickets, "SOON_S", 1.5)
    monkeypatch.setattr(tickets, "COUNT_S", 0.5)
    monkeypatch.setattr(conclude, "WAIT_S", 0.3)


@pytest.fixture
async def inside(store):
    async with open_site(store, ThreadJudge(20, Path("no-catalogs"))) as made:
        yield made


@pytest.fixture
async def beside(store):
    async with open_site(store, process_judge()) as made:
        yield made


async def test_tickets_become_results_with_their_origin(inside):
    await inside.judge.swap([wants("a", ("Count", "{}"))])
    await insert_states(inside.store, [3, 5, 0])
    count = inside.recipe("Count")
    await inside.store.write_features([ticket(count, stock, channel="a") for stock in range(3)])
    found = await inside.drain()
    assert {key: (one["code"], one["body"]) for key, one in found.items()} == {
        ("Count", 0): (OK, [{"n": 3}]),
        ("Count", 1): (OK, [{"n": 5}]),
        ("Count", 2): (OK, [{"n": 0}]),
    }
    *_, entry = found["Count", 0]["meta"]
    assert entry | {"ts": 0, "ms": 0} == {
        "ts": 0,
        "ms": 0,
        "run": "run-1",
        "instance": "here",
        "version": "1",
        "channel": ["a"],
        "code": OK,
        "full": 1,
        "trace": inside.measurer.traces[count.key],
    }
    assert inside.tally.by_unit[count.unit].from_tickets == 3


async def test_tied_units_wait_for_what_they_build_upon(inside):
    await inside.judge.swap([wants("a", ("Twice", "{}"))])
    await insert_states(inside.store, [3, 4])
    count, twice = inside.recipe("Count"), inside.recipe("Twice")
    await inside.store.write_features([ticket(twice, 0, code=PENDING_DEPENDENCY), ticket(twice, 1), ticket(count, 1)])
    found = await inside.drain()
    assert found["Twice", 1]["body"] == [{"n": 8}]  # both were claimed at once
    assert found["Twice", 0]["code"] == PENDING_DEPENDENCY
    await inside.store.write_features([ticket(count, 0)])
    await inside.store.connection["t2"].update_one({"code": PENDING_DEPENDENCY}, {"$unset": {"retry_after": 1}})
    found = await inside.drain()
    assert found["Twice", 0]["body"] == [{"n": 6}]


async def test_a_unit_whose_dependency_is_missing_or_has_failed_says_so(inside, monkeypatch):
    monkeypatch.setattr(conclude, "MOST_ABSENT", 1)
    monkeypatch.setattr(conclude, "WAIT_S", 0.01)
    units = UNITS.replace('return {"n": len(light_curve)}', 'raise ValueError("no")', 1)
    await inside.judge.swap([wants("a", ("Twice", "{}"), units=units)])
    await insert_states(inside.store, [3, 4])
    twice, count = inside.recipe("Twice"), inside.recipe("Count")
    await inside.store.write_features([ticket(twice, 0), ticket(twice, 1), ticket(count, 1)])
    found = await inside.drain()
    assert found["Twice", 0]["code"] == MISSING_DEPENDENCY
    assert (found["Count", 1]["code"], found["Twice", 1]["code"]) == (EXCEPTION, FAILED_DEPENDENCY)
    assert "no" in found["Count", 1]["meta"][-1]["error"]


async def test_a_ticket_of_a_state_that_is_not_there_ends_with_a_reason(inside):
    await inside.judge.swap([wants("a", ("Count", "{}"))])
    await inside.store.write_features([ticket(inside.recipe("Count"), 0)])
    (one,) = (await inside.drain()).values()
    assert one["code"] == INTERNAL_ERROR
    assert "not in the store" in one["meta"][-1]["error"]


async def test_a_reset_that_keeps_old_bodies_appends_the_new_one(inside):
    await inside.judge.swap([wants("a", ("Count", "{}"))])
    await insert_states(inside.store, [3])
    await inside.store.write_features([ticket(inside.recipe("Count"), 0)])
    await inside.drain()
    reset = {"$set": {"code": RERUN_REQUESTED, "body": [{"n": 0}]}, "$unset": {"full": 1}}
    await inside.store.connection["t2"].update_one({}, reset)
    (one,) = (await inside.drain()).values()
    assert (one["code"], one["body"]) == (OK, [{"n": 0}, {"n": 3}])


async def test_what_a_unit_raises_or_cannot_return_is_told_with_its_authors_name(inside, capsys):
    await inside.judge.swap(
        [wants("a", ("Bad", '{what = "raise"}')), wants("b", ("Count", "{}"), units=UNITS.replace('"n"', '"m"'))]
    )
    await insert_states(inside.store, [3])
    bad = inside.recipe("Bad")
    await inside.store.write_features([ticket(bad, 0), ticket(inside.recipe("Count"), 0, channel="b")])
    found = await inside.drain()
    assert (found["Bad", 0]["code"], found["Count", 0]["code"]) == (EXCEPTION, OK)
    said = capsys.readouterr().out
    assert "feature.failed" in said
    assert "a@example.org" in said
    assert "no such star" in said


@pytest.mark.parametrize("what", ["loop", "sleep", "crash", "exit"])
async def test_a_unit_that_costs_its_process_is_tried_again_and_then_given_up_and_others_go_on(beside, what):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", f'{{what = "{what}", at = 3}}'))])
    await insert_states(beside.store, [3, 4, 5])
    units = [beside.recipe("Count"), beside.recipe("Bad")]
    await beside.store.write_features([ticket(unit, stock) for unit in units for stock in range(3)])
    found = await beside.drain()
    assert {stock: one["body"] for (unit, stock), one in found.items() if unit == "Count"} == {
        0: [{"n": 3}],
        1: [{"n": 4}],
        2: [{"n": 5}],
    }
    assert [found["Bad", stock]["code"] for stock in range(3)] == [TOO_MANY_TRIALS, OK, OK]
    assert [entry.get("trial") for entry in found["Bad", 0]["meta"]] == [None, 1, 2]
    assert beside.tally.by_unit[units[1].unit].retried == 1


async def test_a_unit_that_loops_on_every_object_is_taken_aside_at_the_first(beside):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "loop"}'))])
    await insert_states(beside.store, [3] * 4)
    units = [beside.recipe("Count"), beside.recipe("Bad")]
    await beside.store.write_features([ticket(unit, stock) for unit in units for stock in range(4)])
    async with beside.running():
        counted, trials = [], 0
        while counted != [OK] * 4 or not trials:  # they are written one after the other
            await asyncio.sleep(0.05)
            found = await documents(beside.store)
            counted = [found["Count", stock]["code"] for stock in range(4)]
            trials = sum(found["Bad", stock].get("trials", 0) for stock in range(4))
    assert trials == 1


async def test_who_is_woken_does_not_wait_for_the_next_look(inside, monkeypatch):
    monkeypatch.setattr(lane, "IDLE_S", 600.0)
    await inside.judge.swap([wants("a", ("Count", "{}"))])
    await insert_states(inside.store, [3])
    async with inside.running():
        await inside.runner.drain(asyncio.Event())
        await inside.store.write_features([ticket(inside.recipe("Count"), 0)])
        inside.runner.wake()
        while (await documents(inside.store))["Count", 0]["code"] != OK:
            await asyncio.sleep(0.02)


async def test_a_unit_that_hangs_on_every_object_holds_up_no_other_for_longer_than_once(beside):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "sleep"}'))])
    await insert_states(beside.store, [3] * 40)
    units = [beside.recipe("Bad"), beside.recipe("Count")]
    await beside.store.write_features([ticket(unit, stock) for unit in units for stock in range(40)])
    async with beside.running():
        while await beside.store.connection["t2"].count_documents({"unit": units[1].unit, "code": OK}) < 40:
            await asyncio.sleep(0.02)
        found = await documents(beside.store)
    assert sum(found["Bad", stock].get("trials", 0) > 0 for stock in range(40)) < 20


async def test_the_end_is_not_put_off_by_a_unit_that_costs_one_worker_after_the_other(beside, capsys):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "exit"}'))])
    await insert_states(beside.store, [3] * 400)
    units = [beside.recipe("Count"), beside.recipe("Bad")]
    await beside.store.write_features([ticket(unit, stock) for unit in units for stock in range(400)])
    found = await beside.drain()
    assert {one["code"] for (unit, _), one in found.items() if unit == "Count"} == {OK}
    assert 1 <= sum(found["Bad", stock].get("trials", 0) > 0 for stock in range(400)) < 200
    assert "tickets.left" in capsys.readouterr().out


@pytest.mark.parametrize(("what", "code"), [("leak", OK), ("eat", EXCEPTION), ("huge", ERROR)])
async def test_memory_without_end_is_an_error_of_who_takes_it(beside, what, code):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", f'{{what = "{what}"}}'))])
    await insert_states(beside.store, [1] * 10)
    units = [beside.recipe("Count"), beside.recipe("Bad")]
    await beside.store.write_features([ticket(unit, stock) for unit in units for stock in range(10)])
    found = await beside.drain()
    assert {one["code"] for (unit, _), one in found.items() if unit == "Count"} == {OK}
    assert {one["code"] for (unit, _), one in found.items() if unit == "Bad"} == {code}


async def test_what_is_under_way_at_the_end_is_given_back(inside):
    units = UNITS.replace('return {"n": len(light_curve)}', "time.sleep(0.4)\n        return {}", 1)
    await inside.judge.swap([wants("a", ("Count", "{}"), units=units)])
    await insert_states(inside.store, [1] * 5)
    await inside.store.write_features([ticket(inside.recipe("Count"), stock) for stock in range(5)])
    async with inside.running():
        while not await inside.store.connection["t2"].count_documents({"lease": {"$exists": True}}):
            await asyncio.sleep(0.01)
    assert not await inside.store.connection["t2"].count_documents({"lease": {"$exists": True}})
