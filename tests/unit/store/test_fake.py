"""The store in memory fails and is raced as a test asks, and gives the ledger report of what it holds."""

import pytest
from fakes.store import MemoryStore
from support.store import an_account, an_object, filtered, new_point

from ampeld.errors import RetryableError


async def test_it_fails_before_the_effect_as_often_as_asked():
    store = MemoryStore()
    store.fail_next("write_points", 2)

    for _ in range(2):
        with pytest.raises(RetryableError):
            await store.write_points([new_point(900)], [])
    assert store.points == {}
    await store.write_points([new_point(900)], [])
    assert list(store.points) == [900]
    assert store.calls["write_points"] == 3


async def test_it_fails_behind_the_effect():
    store = MemoryStore()
    store.fail_next("write_points", after=True)

    with pytest.raises(RetryableError):
        await store.write_points([new_point(900)], [])
    assert list(store.points) == [900]


async def test_another_daemon_may_swap_first():
    store = MemoryStore()

    async def other(_):
        store.before_swap = None
        assert await store.swap_objects([(0, an_object(7, rev=1))]) == set()

    store.before_swap = other
    assert await store.swap_objects([(0, an_object(7, rev=1))]) == {7}


async def test_it_reports():
    store = MemoryStore()
    await store.cut_numbers("v1", ["rb", "drb"])
    await store.cut_numbers("v2", ["rb", "drb"])
    await store.write_account(an_account(filtered(1), filtered(5)))
    await store.record_gap({"topic": "night", "partition": 0, "first": 2, "end": 5})

    report = store.report()

    assert (report.received, report.gaps, report.balanced) == (2, 3, True)
    assert not store.report({("night", 0): 9}).balanced
