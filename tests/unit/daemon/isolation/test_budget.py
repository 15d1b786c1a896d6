import pytest
from support.pipelines import channel

from ampeld.daemon.isolation.budget import WINDOW_S, Budget
from ampeld.daemon.isolation.sanctions import Sanctions


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_errors_spend_the_budget_one_by_one():
    budget = Budget(3)
    assert [budget.charge("a"), budget.charge("b"), budget.charge("a"), budget.charge("a")] == [False] * 3 + [True]


def test_errors_of_one_batch_count_each():
    assert not Budget(20).charge("a", 19)
    assert Budget(20).charge("a", 20)


@pytest.mark.parametrize("allowed", [2, 3, 20, 21, 100])
def test_the_third_lost_process_spends_any_budget(allowed):
    budget = Budget(allowed)
    deaths = [budget.charge_death("a") for _ in range(3)]
    assert deaths[2]
    assert allowed == 2 or deaths == [False, False, True]


def test_a_budget_of_one_forgives_nothing():
    assert Budget(1).charge("a")


def test_errors_are_forgotten_after_the_window():
    clock = Clock()
    budget = Budget(3, clock)
    budget.charge("a", 2)
    clock.now = WINDOW_S
    assert budget.spent("a") == 2
    clock.now += 1
    assert not budget.charge("a")
    assert budget.spent("a") == 1


def test_who_spends_his_budget_is_suspended_and_told_of_once():
    told = []
    sanctions = Sanctions(Budget(2))
    sanctions.on_suspend = lambda who, why: told.append((who.name, why))
    bad = channel("bad")
    sanctions.charge(bad, 1, "no")
    assert not sanctions.suspended
    sanctions.charge(bad, 1, "no again")
    sanctions.charge(bad, 1, "and again")
    assert sanctions.suspended == {"bad"}
    ((name, why),) = told
    assert name == "bad"
    assert why == "2 errors within 10 minutes; the last one: no again"


def test_who_is_resumed_begins_anew():
    sanctions = Sanctions(Budget(2))
    sanctions.charge(channel("bad"), 2, "no")
    sanctions.resume("bad")
    assert not sanctions.suspended
    sanctions.charge(channel("bad"), 1, "no")
    assert not sanctions.suspended


def test_who_was_suspended_by_others_is_not_told_of_again():
    told = []
    sanctions = Sanctions(Budget(1))
    sanctions.on_suspend = lambda who, why: told.append(who)
    sanctions.suspend("bad")
    sanctions.charge_death(channel("bad"), "killed by SIGSEGV")
    assert not told
