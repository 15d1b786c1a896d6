"""What follows from each loss of a worker, on a bench that loses them as the test says."""

import numpy as np
import pytest
from support.isolation import batch
from support.pipelines import channel

from ampeld.daemon.isolation.answers import Believed
from ampeld.daemon.isolation.ending import Loss, WorkerLostError
from ampeld.daemon.isolation.messages import Answer, Failed, Result
from ampeld.daemon.isolation.trial import Trial
from ampeld.flow.verdict import ACCEPTED, ERRORED, SKIPPED

N = 4


def lost(number=None, row=None, error="killed by SIGSEGV"):
    return WorkerLostError(Loss(number, row, innocent=False, error=error, traceback="stack"))


class Scripted:
    """A bench whose workers accept everything, but for what ``script`` has for the channels and rows asked about."""

    def __init__(self, script, budget=99):
        self.script = script
        self.budget = budget
        self.asked = []
        self.deaths = []
        self.errors = []
        self.refreshed = 0
        self.suspended = set()

    async def ask(self, channels, rows):
        self.asked.append((tuple(channels), None if rows is None else tuple(rows)))
        found = self.script(tuple(channels), None if rows is None else tuple(rows))
        if isinstance(found, WorkerLostError):
            raise found
        codes = np.full((len(channels), N), ACCEPTED, dtype=np.uint16)
        if rows is not None:
            codes[:, [row for row in range(N) if row not in rows]] = SKIPPED
        doubted, failures = found or ({}, {})
        for place, failed in failures.items():
            codes[place, [failure.row for failure in failed]] = ERRORED
        results = [Result(number, [], failures.get(place, []), 1, 0, "", 0) for place, number in enumerate(channels)]
        return Answer(1, b"", results, ["trace"], 0, []), Believed(codes, doubted)

    async def refresh(self):
        self.refreshed += 1

    def charge(self, who, errors, error):
        self.errors.append((who.name, errors))

    def charge_death(self, who, error):
        self.deaths.append((who.name, error))
        if len(self.deaths) >= self.budget:
            self.suspended.add(who.name)

    def is_suspended(self, who):
        return who.name in self.suspended

    def note(self, who, result, alerts):
        pass


async def tried(script, *, names="abc", budget=99, suspended=()):
    bench = Scripted(script, budget)
    bench.suspended |= set(suspended)
    channels = [channel(name) for name in names]
    trial = Trial(batch(N), channels, np.ones((len(names), N), dtype=np.bool_), bench)
    await trial.run()
    return trial, bench


async def test_where_nothing_happens_all_are_asked_once():
    trial, bench = await tried(lambda channels, rows: None)
    assert bench.asked == [((0, 1, 2), None)]
    assert trial.codes.tolist() == [[ACCEPTED] * N] * 3
    assert bench.refreshed == 0


async def test_who_is_suspended_is_not_asked():
    trial, bench = await tried(lambda channels, rows: None, suspended="b")
    assert bench.asked == [((0, 2), None)]
    assert trial.codes[1].tolist() == [SKIPPED] * N


async def test_who_loses_a_worker_is_set_aside_and_then_asked_alert_by_alert():
    def script(channels, rows):
        return lost(1, 2 if rows else None) if 1 in channels and (rows is None or 2 in rows) else None

    trial, bench = await tried(script)
    assert bench.asked == [((0, 1, 2), None), ((0, 2), None), ((1,), (0, 1, 2, 3)), ((1,), (0, 1, 3))]
    assert trial.codes.tolist() == [[ACCEPTED] * N, [ACCEPTED, ACCEPTED, ERRORED, ACCEPTED], [ACCEPTED] * N]
    assert bench.deaths == [("b", "killed by SIGSEGV")]  # what happened again counts once
    assert [failure and failure.candid for failure in trial.failures[1]] == [None, None, 102, None]
    assert bench.refreshed == 1


async def test_a_loss_that_does_not_happen_again_costs_no_alert_but_is_charged():
    trial, bench = await tried(lambda channels, rows: lost(1) if 1 in channels and rows is None else None)
    assert trial.codes[1].tolist() == [ACCEPTED] * N
    assert bench.deaths == [("b", "killed by SIGSEGV")]
    assert trial.failures[1][0].error.endswith("judged again by itself, alert by alert, the batch came to its end")


async def test_a_loss_at_an_unknown_alert_is_looked_for_one_by_one():
    trial, bench = await tried(
        lambda channels, rows: lost(1) if 1 in channels and (rows is None or 2 in rows) else None
    )
    assert bench.asked[2:] == [((1,), (0, 1, 2, 3)), *(((1,), (row,)) for row in range(N))]
    assert trial.codes[1].tolist() == [ACCEPTED, ACCEPTED, ERRORED, ACCEPTED]
    assert bench.deaths == [("b", "killed by SIGSEGV")]


async def test_losses_that_are_nobodys_end_with_each_asked_by_itself():
    trial, bench = await tried(lambda channels, rows: lost() if len(channels) > 1 or channels == (2,) else None)
    assert bench.asked[:5] == [((0, 1, 2), None)] * 2 + [((i,), None) for i in range(3)]
    assert trial.codes[:2].tolist() == [[ACCEPTED] * N] * 2
    assert trial.codes[2].tolist() == [ERRORED] * N
    assert {name for name, _ in bench.deaths} == {"c"}


async def test_when_the_budget_is_spent_the_rest_is_skipped():
    trial, bench = await tried(
        lambda channels, rows: lost(1, rows[0] if rows else None) if 1 in channels else None, budget=2
    )
    assert trial.codes[1].tolist() == [ERRORED, ERRORED, SKIPPED, SKIPPED]
    assert len(bench.deaths) == 2


async def test_nonsense_is_asked_for_again_and_charged_where_it_stays():
    def script(channels, rows):
        if rows is None:
            return {1: "7 is no verdict"}, {}
        return ({0: "7 is no verdict"}, {}) if 3 in rows else None

    trial, bench = await tried(script)
    assert trial.codes.tolist() == [[ACCEPTED] * N, [ACCEPTED] * 3 + [ERRORED], [ACCEPTED] * N]
    assert bench.deaths == [("b", "nonsense: 7 is no verdict")]


@pytest.mark.parametrize("error", ["MemoryError", "numpy._core._exceptions._ArrayMemoryError: Unable to allocate"])
async def test_a_want_of_memory_is_believed_only_of_a_channel_that_is_alone(error):
    def script(channels, rows):
        return None if rows is not None else ({}, {2: [Failed(0, error, 0)]})

    trial, bench = await tried(script)
    assert trial.codes.tolist() == [[ACCEPTED] * N] * 3
    assert (bench.deaths, bench.errors, bench.refreshed) == ([], [], 1)


async def test_errors_of_python_are_taken_as_they_are():
    trial, bench = await tried(lambda channels, rows: ({}, {0: [Failed(1, "ValueError: no", 0), Failed(3, "x", 0)]}))
    assert trial.codes[0].tolist() == [ACCEPTED, ERRORED, ACCEPTED, ERRORED]
    assert bench.errors == [("a", 2)]
    assert trial.failures[0][1].traceback == "trace"
    assert len(bench.asked) == 1
