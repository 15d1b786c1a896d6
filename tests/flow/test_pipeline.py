"""The pipeline on a source and a store in memory: every record ends once, and only durable outcomes are committed."""

import asyncio
from collections import Counter

import pytest
from fakes.source import MemorySource
from fakes.store import MemoryStore, account_rows
from support.packets import alert, detection, limit
from support.pipelines import channel, pipeline, run

from ampeld.alert.identity import stock_of
from ampeld.channel import Filter
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.flow.verdict import BYPASSED, ERRORED, OVERRULED, SKIPPED, is_accepted

TOPIC = "ztf_20180701_programid1"
JD = 2458300.5


class Bright(Filter):
    """Accepts what is brighter than magnitude 19."""

    def cuts(self, a):
        yield "bright", a.magpsf < 19.0


class Broken(Filter):
    """Fails on one alert."""

    def cuts(self, a):
        yield "any", a.magpsf < 99.0

    def accept(self, alert):
        return 1 // (alert.candid - 1002) < 10


def partition(*values, number=0):
    return {(TOPIC, number): list(values)}


async def test_every_record_ends_exactly_once_and_is_committed():
    source = MemorySource(
        partition(alert(candid=1001), b"garbage", alert(candid=1003, name="ZTF18aaaaaac", magpsf=20.0))
    )
    store = MemoryStore()
    await run(source, store, [channel("bright", Bright())], max_records=2)
    outcomes = {c.offset: row.outcome for c, row in store.rows.items()}
    assert outcomes == {0: Outcome.FILTERED, 1: Outcome.DEAD_LETTERED, 2: Outcome.FILTERED}
    assert source.committed == {(TOPIC, 0): 3}


async def test_an_accepted_alert_becomes_points_an_object_and_a_state():
    history = [detection(900, JD - 3), limit(JD - 5)]
    source = MemorySource(partition(alert(candid=1001, jd=JD, history=history)))
    store = MemoryStore()
    await run(source, store, [channel()])
    stock = stock_of("ZTF18aaaaaab")
    assert len(store.points) == 3
    assert store.points[1001]["first"] == {"topic": TOPIC, "partition": 0, "offset": 0}
    assert store.points[900]["first"] is None
    document = store.objects[stock]
    assert document.name == ("ZTF18aaaaaab",)
    assert document.channel == ("all",)
    state = store.states[stock, document.state["all"].link]
    assert state["dps"] == sorted(store.points)


async def test_a_second_delivery_from_other_coordinates_is_a_duplicate_and_changes_nothing():
    packet = alert(candid=1001)
    store = MemoryStore()
    await run(MemorySource(partition(packet, packet, packet)), store, [channel()])
    assert [row.outcome for row in store.rows.values()] == [Outcome.STORED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert len(store.points) == len(store.objects) == len(store.states) == 1


async def test_redelivered_coordinates_repeat_their_outcome():
    source = MemorySource(partition(alert(candid=1001)))
    store = MemoryStore()
    await run(source, store, [channel()])
    source.committed.clear()
    await source.rebalance()
    source.committed.clear()
    again = MemorySource(partition(alert(candid=1001)))
    await run(again, store, [channel()])
    assert [row.outcome for account in store.accounts for row in account_rows(account)] == [
        Outcome.STORED,
        Outcome.STORED,
    ]


async def test_an_alert_that_a_channel_may_not_see_is_skipped_for_it():
    source = MemorySource(partition(alert(candid=1001, programid=2)))
    store = MemoryStore()
    await run(source, store, [channel("public"), channel("partner", access=("ZTF_PUB", "ZTF_PRIV"))])
    (row,) = store.rows.values()
    assert row.codes[0] == SKIPPED
    assert is_accepted(row.codes[1])
    assert store.points[1001]["channel"] == ["partner"]


async def test_a_filter_that_raises_errs_for_its_channel_alone():
    values = [alert(candid=c, name="ZTF18aaaaa" + n) for c, n in ((1001, "ab"), (1002, "ac"), (1003, "ad"))]
    store = MemoryStore()
    await run(MemorySource(partition(*values)), store, [channel("broken", Broken()), channel()])
    codes = {row.candid: row.codes for row in store.rows.values()}
    assert codes[1002][0] == ERRORED
    assert [is_accepted(c[0]) for c in codes.values()] == [True, False, True]
    assert all(is_accepted(c[1]) for c in codes.values())
    assert set(store.failures) == {f"broken/{TOPIC}/0/1"}
    assert not store.dead_letters


@pytest.mark.parametrize(("on_known", "expected"), [("bypass", BYPASSED), ("overrule", OVERRULED)])
@pytest.mark.parametrize("max_records", [1, 10])
async def test_a_known_object_is_followed_within_the_same_run(on_known, expected, max_records):
    values = [
        alert(candid=1001, jd=JD, magpsf=20.0),
        alert(candid=1002, jd=JD + 1, magpsf=18.0),
        alert(candid=1003, jd=JD + 2, magpsf=20.0),
    ]
    store = MemoryStore()
    await run(
        MemorySource(partition(*values)), store, [channel("b", Bright(), on_known=on_known)], max_records=max_records
    )
    codes = [row.codes[0] for row in store.rows.values()]
    assert [is_accepted(code) for code in codes] == [False, True, True]
    assert codes[2] == expected


async def test_an_object_accepted_at_a_later_time_only_is_not_known():
    values = [alert(candid=1002, jd=JD + 1, magpsf=18.0), alert(candid=1001, jd=JD, magpsf=20.0)]
    store = MemoryStore()
    await run(MemorySource(partition(*values)), store, [channel("b", Bright(), on_known="bypass")])
    assert [is_accepted(row.codes[0]) for row in store.rows.values()] == [True, False]


@pytest.mark.parametrize(
    "method",
    ["find_objects", "find_points", "write_points", "swap_objects", "write_states", "find_first", "write_account"],
)
async def test_a_store_that_fails_is_waited_for_and_nothing_is_dead_lettered(method):
    source = MemorySource(partition(alert(candid=1001), b"garbage"))
    store = MemoryStore()
    store.fail_next(method, 2)
    await run(source, store, [channel()])
    assert Counter(row.outcome for row in store.rows.values()) == {Outcome.STORED: 1, Outcome.DEAD_LETTERED: 1}
    assert source.committed == {(TOPIC, 0): 2}
    assert len(store.dead_letters) == 1


async def test_nothing_is_committed_while_the_store_does_not_answer():
    source = MemorySource(partition(alert(candid=1001)))
    store = MemoryStore()
    store.fail_next("write_account", 10**6)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run(source, store, [channel()]))
        while store.calls["write_account"] < 3:
            await asyncio.sleep(0)
        running.cancel()
    assert source.committed == {}
    assert 1001 in store.points


async def test_stopping_drains_what_is_on_its_way():
    source = MemorySource(partition(*(alert(candid=1000 + i) for i in range(50))), ends=False)
    store = MemoryStore()
    stopping = asyncio.Event()
    line = pipeline(source, store, [channel()], max_records=5)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.run(stopping))
        while not store.accounts:
            await asyncio.sleep(0)
        stopping.set()
    assert source.committed[TOPIC, 0] == len(store.rows) > 0


async def test_a_rebalance_in_mid_flow_loses_nothing_and_doubles_no_document():
    values = [alert(candid=1000 + i, jd=JD + i) for i in range(40)]
    source = MemorySource({(TOPIC, 0): values[:20], (TOPIC, 1): values[20:]}, ends=False)

    async def wait(ledgers, deadline_s):
        async with asyncio.timeout(deadline_s):
            while any(ledger.in_flight for ledger in ledgers):
                await asyncio.sleep(0)

    source.drain = wait
    store = MemoryStore()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pipeline(source, store, [channel()], max_records=3).run(asyncio.Event()))
        for _ in range(3):
            seen = len(store.accounts)
            while len(store.accounts) == seen and len(store.rows) < 40:
                await asyncio.sleep(0)
            await source.rebalance()
        source.finish()
    assert {row.candid for row in store.rows.values()} == {1000 + i for i in range(40)}
    assert source.committed == {(TOPIC, 0): 20, (TOPIC, 1): 20}
    assert len(store.objects) == 1


async def test_a_refused_batch_is_one_dead_letter_for_its_whole_range():
    source = MemorySource(ends=False)
    source.append(TOPIC, 0, b"bomb", refusal="a decompression bomb", count=500)
    source.assign((TOPIC, 0))
    source.finish()
    store = MemoryStore()
    await run(source, store, [channel()])
    (letter,) = store.dead_letters.values()
    assert (letter.stage, letter.reason, letter.record.through) == ("source", "a decompression bomb", 499)
    assert source.committed == {(TOPIC, 0): 500}


async def test_a_candidate_replaces_the_body_from_a_history_whichever_comes_first():
    early = alert(candid=900, jd=JD - 3, magpsf=18.123)
    late = alert(candid=1001, jd=JD, history=[detection(900, JD - 3, magpsf=18.1)])
    for values in ((early, late), (late, early)):
        store = MemoryStore()
        await run(MemorySource(partition(*values)), store, [channel()], max_records=1)
        assert "ndethist" in store.points[900]["body"]
        assert store.points[900]["body"]["magpsf"] == pytest.approx(18.123)
        assert store.points[900]["first"] is not None


async def test_forced_photometry_never_becomes_a_point():
    store = MemoryStore()
    await run(
        MemorySource(partition(alert(candid=1001, forced=[{"jd": JD - 1, "diffmaglim": 20.0}]))), store, [channel()]
    )
    assert list(store.points) == [1001]


async def test_coordinates_are_kept_where_the_alert_was_judged():
    store = MemoryStore()
    await run(MemorySource(partition(alert(candid=1001), number=7)), store, [channel()])
    assert list(store.rows) == [Coordinates(TOPIC, 7, 0)]
    (entry,) = store.objects[stock_of("ZTF18aaaaaab")].journal
    assert (entry["topic"], entry["partition"], entry["offset"], entry["alert"]) == (TOPIC, 7, 0, 1001)
    assert {"run", "version", "config", "channel", "schema"} <= entry.keys()


async def test_the_last_commit_is_tried_until_the_broker_takes_it():
    class Forgetful(MemorySource):
        left = 3

        async def commit(self, due):
            self.left -= 1
            if self.left < 0:
                await super().commit(due)

    source = Forgetful(partition(alert(candid=1001)))
    await run(source, MemoryStore(), [channel()])
    assert source.committed == {(TOPIC, 0): 1}
