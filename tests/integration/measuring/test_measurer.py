"""Whatever units do in their process, the flow gets what was measured within its budget, and nobody else pays."""

import asyncio
from pathlib import Path

import pytest
from support.isolation import GOOD, batch, channel_files, filter_processes
from support.measuring import UNITS, case_of, wants

from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally
from ampeld.feature.work import Job
from ampeld.flow.codes import ERROR, EXCEPTION, FAILED_DEPENDENCY, OK

RULES = Rules(deadline_s=2.0, memory_mb=64, error_budget=20, measuring_mb=64)
IN_TIME = 30.0
RAISES = 'raise ValueError("no such star")'


class Parts:
    """A judge and the measurer that follows it."""

    def __init__(self, judge):
        self.judge = judge
        self.measurer = judge.follower = FlowMeasurer(Tally())

    def jobs(self, *units):
        """Return a job for each unit: its number among those that are wanted, in the order of their names."""
        recipes = {recipe.unit.partition(":")[2]: recipe for recipe in self.measurer.crew.recipes.values()}
        return [Job(recipes[unit].unit, recipes[unit].config, "t1", 11) for unit in units]


@pytest.fixture
async def beside():
    parts = Parts(ProcessJudge(RULES, Path("no-catalogs")))
    yield parts
    await parts.measurer.close()
    await parts.judge.close()
    assert not filter_processes()


@pytest.fixture
async def inside():
    parts = Parts(ThreadJudge(20, Path("no-catalogs")))
    yield parts
    await parts.measurer.close()
    await parts.judge.close()


@pytest.fixture(params=["beside", "inside"])
def parts(request):
    return request.getfixturevalue(request.param)


async def measured(parts, case, budget_s=IN_TIME):
    (results,) = await parts.measurer.measure([case], budget_s=budget_s)
    return results


async def test_units_measure_with_what_they_build_upon(parts):
    await parts.judge.swap([wants("a", ("Twice", "{}"))])
    count, twice = parts.jobs("Count", "Twice")
    results = await measured(parts, case_of(5, [count, Job(twice.unit, twice.config, "t1", 11, inputs=(0,))]))
    assert [(one.code, one.body) for one in results] == [(OK, {"n": 5}), (OK, {"n": 10})]
    assert parts.measurer.traces.keys() == parts.measurer.crew.recipes.keys()


@pytest.mark.parametrize(("what", "code"), [("raise", EXCEPTION), ("nan", ERROR), ("huge", ERROR), ("object", ERROR)])
async def test_what_a_unit_raises_or_cannot_return_is_its_result(parts, what, code):
    await parts.judge.swap([wants("a", ("Count", "{}"), ("Bad", f'{{what = "{what}"}}'))])
    bad, count = await measured(parts, case_of(3, parts.jobs("Bad", "Count")))
    assert (bad.code, bad.body, count.body) == (code, None, {"n": 3})
    assert bad.error


@pytest.mark.parametrize("what", ["crash", "exit", "interrupt"])
async def test_a_unit_that_ends_its_process_costs_others_nothing_and_is_left_out_from_then_on(beside, what):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", f'{{what = "{what}", at = 3}}'))])
    cases = [case_of(n, beside.jobs("Count", "Bad")) for n in (2, 3, 4)]
    results = await beside.measurer.measure(cases, budget_s=IN_TIME)
    assert [one.body["n"] for one, _ in results] == [2, 3, 4]
    assert results[0][1].body == {"n": 2}
    assert results[1][1] is None
    assert beside.measurer.lost == 1
    again = await measured(beside, case_of(4, beside.jobs("Bad", "Count")))
    assert [None if one is None else one.body for one in again] == [None, {"n": 4}]
    assert beside.measurer.lost == 1


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("os._exit(3)", "the measuring process ended with exit code 3"),
        ("ctypes.string_at(0)", "killed by SIGSEGV"),
        ("os.write(2, b'last words'); os._exit(3)", "last words"),
        ("while True: pass", "in measure"),
    ],
)
async def test_the_log_tells_authors_of_units_of_units_and_not_of_filters(beside, capsys, deed, words):
    await beside.judge.swap([wants("a", ("Bad", '{what = "raise"}'), units=UNITS.replace(RAISES, deed, 1))])
    await beside.measurer.measure([case_of(3, beside.jobs("Bad"))], budget_s=0.5)
    said = capsys.readouterr().out
    assert words in said
    assert "channels.output" not in said
    assert "filter" not in said


async def test_a_unit_that_starts_a_process_is_told_that_units_must_not(beside):
    units = UNITS.replace(RAISES, "os.fork()", 1)
    await beside.judge.swap([wants("a", ("Bad", '{what = "raise"}'), units=units)])
    (one,) = await measured(beside, case_of(3, beside.jobs("Bad")))
    assert "PermissionError: a unit must not start a process (os.fork)" in one.error


async def test_a_unit_that_ends_its_process_on_every_object_costs_a_flush_one_process(beside):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "exit"}'))])
    cases = [case_of(n, beside.jobs("Bad", "Count")) for n in (2, 3, 4)]
    results = await beside.measurer.measure(cases, budget_s=IN_TIME)
    assert [(bad, count.body["n"]) for bad, count in results] == [(None, 2), (None, 3), (None, 4)]
    assert beside.measurer.lost == 1


async def test_a_unit_that_does_not_end_costs_the_budget_once(beside, capsys):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "loop"}'))])
    count, bad, late = await measured(beside, case_of(3, beside.jobs("Count", "Bad", "Count")), budget_s=0.4)
    assert count.body == {"n": 3}
    assert (bad, late) == (None, None)
    assert [key[0] for key in beside.measurer.benched] == ["units.py:Bad"]
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "feature.benched" in line]
    assert "a@example.org" in said
    bad, count = await measured(beside, case_of(3, beside.jobs("Bad", "Count")))
    assert (bad, count.body) == (None, {"n": 3})


async def test_a_thread_that_does_not_come_back_is_left_behind(inside):
    await inside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "slow"}'), units=SLOW)])
    count, bad = await measured(inside, case_of(3, inside.jobs("Count", "Bad")), budget_s=0.2)
    assert (count.body, bad) == ({"n": 3}, None)
    (count,) = await measured(inside, case_of(3, inside.jobs("Count")))
    assert count.body == {"n": 3}
    assert inside.measurer.lost == 1


SLOW = """
import time
from ampeld.feature import StateUnit

class Count(StateUnit):
    def measure(self, light_curve):
        return {"n": len(light_curve)}

class Bad(StateUnit):
    what: str
    def measure(self, light_curve):
        time.sleep(1.0)
        return {}
"""


async def test_what_builds_upon_a_lost_job_is_not_measured_either(beside):
    units = SLOW.replace("time.sleep(1.0)", "import os; os._exit(1)") + TIED
    await beside.judge.swap([wants("a", ("Tied", "{}"), ("Count", "{}"), units=units)])
    bad, tied, count = beside.jobs("Bad", "Tied", "Count")
    tied = Job(tied.unit, tied.config, "t1", 11, inputs=(0,))
    results = await measured(beside, case_of(3, [bad, tied, count]))
    assert [None if one is None else one.body for one in results] == [None, None, {"n": 3}]


TIED = """
from ampeld.feature import Dependency

class Tied(StateUnit):
    def dependencies(self):
        return (Dependency("units.py:Bad", {"what": "exit"}),)
    def measure(self, light_curve, bad):
        return {}
"""


async def test_a_unit_that_builds_upon_a_failed_one_says_so(parts):
    await parts.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "raise"}'))])
    bad, count = parts.jobs("Bad", "Count")
    tied = Job(count.unit, count.config, "t1", 12, inputs=(0,))
    results = await measured(parts, case_of(3, [bad, tied]))
    assert [one.code for one in results] == [EXCEPTION, FAILED_DEPENDENCY]


async def test_memory_that_a_unit_keeps_ends_with_its_process_and_no_value_is_lost(beside):
    await beside.judge.swap([wants("a", ("Bad", '{what = "leak"}'))])
    cases = [case_of(n, beside.jobs("Bad")) for n in range(1, 13)]
    results = await beside.measurer.measure(cases, budget_s=IN_TIME)
    assert [one.body for (one,) in results] == [{"n": n} for n in range(1, 13)]


async def test_a_unit_that_wants_more_memory_than_there_is_gets_an_error(beside):
    await beside.judge.swap([wants("a", ("Count", "{}"), ("Bad", '{what = "eat"}'))])
    count, bad = await measured(beside, case_of(3, beside.jobs("Count", "Bad")))
    assert count.body == {"n": 3}
    assert bad.code == EXCEPTION
    assert "MemoryError" in bad.error


async def test_channels_whose_units_cannot_be_opened_are_refused_and_the_former_go_on(parts):
    await parts.judge.swap([wants("a", ("Count", "{}"))])
    with pytest.raises(ChannelsRefusedError, match=r"model\.bin"):
        await parts.judge.swap([wants("a", ("Count", "{}")), wants("b", ("Bad", '{what = "unopened"}'))])
    assert [channel.name for channel in parts.judge.channels] == ["a"]
    (count,) = await measured(parts, case_of(3, parts.jobs("Count")))
    assert count.body == {"n": 3}


async def test_what_former_channels_want_is_measured_still(parts):
    await parts.judge.swap([wants("a", ("Count", "{}"))])
    former = parts.jobs("Count")
    await parts.judge.swap([wants("a", ("Bad", '{what = "good"}'))])
    (new,) = await measured(parts, case_of(4, parts.jobs("Bad")))
    (old,) = await measured(parts, case_of(3, former))
    assert (old.body, new.body) == ({"n": 3}, {"n": 4})
    assert len(parts.measurer.traces) == 2


async def test_channels_that_want_nothing_take_no_process(beside):
    await beside.judge.swap([channel_files("a")])
    assert beside.measurer.crew is None
    assert len(filter_processes()) == 2  # the nursery, and who judges
    assert await beside.measurer.measure([case_of(3, [Job("X", 1, "t1", 2)])], budget_s=1.0) == [[None]]


async def test_a_judge_that_loses_its_worker_leaves_those_alone_that_measure(beside):
    crash = GOOD.replace("yield", "ctypes.string_at(0)\n        yield", 1)
    await beside.judge.swap([channel_files("bad", crash), wants("a", ("Count", "{}"))])
    case = case_of(3, beside.jobs("Count"))
    results, _ = await asyncio.gather(  # noqa: TID251  both at once is the question
        beside.measurer.measure([case] * 200, budget_s=IN_TIME), beside.judge.judge(batch())
    )
    assert all(one.body == {"n": 3} for (one,) in results)
    assert beside.measurer.lost == 0


async def test_what_a_unit_prints_is_logged_and_costs_nothing(beside, capsys):
    await beside.judge.swap([wants("a", ("Bad", '{what = "print"}'))])
    (one,) = await measured(beside, case_of(3, beside.jobs("Bad")))
    assert one.body == {"n": 3}
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "feature.output" in line]
    assert "so many points" in said
    assert "unit=units.py:Bad" in said
