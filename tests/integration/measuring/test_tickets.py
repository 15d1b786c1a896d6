"""Tickets are measured, whatever their units do, each once, and nobody waits for one that does not end."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.measuring import UNITS, wants
from support.tickets import PROVENANCE, documents, insert_states, ticket

from ampeld.daemon.isolation.judge import ProcessJudge
from ampeld.daemon.isolation.judge import Rules as JudgeRules
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.measuring import conclude, tickets
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally
from ampeld.daemon.measuring.tickets import Rules, TicketRunner
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

RULES = Rules(deadline_s=0.5, processes=1, lease_s=30.0, max_trials=2)


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    monkeypatch.setattr(tickets, "SOON_S", 1.5)
    monkeypatch.setattr(tickets, "COUNT_S", 0.5)
    monkeypatch.setattr(conclude, "WAIT_S", 0.3)


class Site:
    """A store, channels, and what measures their tickets."""

    def __init__(self, store, judge, rules=RULES):
        self.store = store
        self.judge = judge
        self.tally = Tally()
        self.measurer = judge.follower = FlowMeasurer(self.tally)
        self.runner = TicketRunner(store, self.measurer, rules=rules, provenance=PROVENANCE, tally=self.tally)
        self.runner.on_trouble = self._trouble

    @staticmethod
    def _trouble(error):
        raise error

    def recipe(self, unit):
        (found,) = [one for one in self.measurer.crew.recipes.values() if one.unit.endswith(f":{unit}")]
        return found

    async def drain(self):
        """Measure what is due, until nothing is."""
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.runner.run())
            await self.runner.drain(asyncio.Event())
            running.cancel()
        return await documents(self.store)


@asynccontextmanager
async def site(store, judge):
    made = Site(store, judge)
    try:
        yield made
    finally:
        await judge.close()


@pytest.fixture
async def inside(store):
    async with site(store, ThreadJudge(20, Path("no-catalogs"))) as made:
        yield made


@pytest.fixture
async def beside(store):
    rules = JudgeRules(deadline_s=2.0, memory_mb=64, error_budget=20, measuring_mb=64)
    async with site(store, ProcessJudge(rules, Path("no-catalogs"))) as made:
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
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(beside.runner.run())
        found = await documents(beside.store)
        while [found["Count", stock]["code"] for stock in range(4)] != [OK] * 4:
            await asyncio.sleep(0.05)
            found = await documents(beside.store)
        running.cancel()
    assert sum(found["Bad", stock].get("trials", 0) for stock in range(4)) == 1


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
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(inside.runner.run())
        while not await inside.store.connection["t2"].count_documents({"lease": {"$exists": True}}):
            await asyncio.sleep(0.01)
        running.cancel()
    assert not await inside.store.connection["t2"].count_documents({"lease": {"$exists": True}})
