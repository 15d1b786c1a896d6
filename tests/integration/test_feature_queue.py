"""What operators see of features in a real store: what waits, what failed, and what they let be measured anew."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from fakes.source import MemorySource
from support.pipelines import channel, run
from support.shared import shared
from support.ztf import tarball

from ampeld.cli.main import run_command
from ampeld.feature import Dependency, StateUnit
from ampeld.feature.registry import Registry
from ampeld.flow.codes import EXCEPTION, NEW, OK, PENDING_DEPENDENCY, RERUN_REQUESTED, RUNNING, TOO_MANY_TRIALS
from ampeld.flow.trace import Trace
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.feature_queue import Chosen, Count, FeatureQueue
from ampeld.store.features import Features
from ampeld.store.mongodb import MongoStore
from ampeld.store.traces import Traces

pytestmark = pytest.mark.mongodb

NOW = 1_800_000_000.0


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare()
    yield real
    await real.close()


@pytest.fixture
async def filled(store):
    """Keep features of two objects, in every condition."""
    features = Features(store.connection)

    def change(stock, unit, code, *, channel="a", config=1, ts=NOW, body=None, ms=2.0):
        meta = {"ts": ts, "code": code, "ms": ms}
        key = FeatureKey(stock, "t1", unit, config, 7)
        return FeatureChange(key, (channel,), (), 1.0, 3, code, body, meta)

    await features.write_features(
        [
            change(1, "Rise", OK, body={"x": 1.0}),
            change(2, "Rise", OK, body={"x": 2.0}, channel="b", ts=NOW - 7200),
            change(1, "Rise", EXCEPTION, config=2, ts=NOW - 10),
            change(1, "Fit", NEW, ts=NOW - 300),
            change(2, "Fit", NEW, ts=NOW - 60, channel="b"),
            change(1, "Fit", TOO_MANY_TRIALS, config=2),
        ]
    )
    await store.connection["t2"].update_one({"unit": "Fit", "stock": 2}, {"$set": {"code": RUNNING, "lease": {"x": 1}}})
    return FeatureQueue(store.connection)


async def test_the_status_tells_by_unit_what_waits_since_when_and_what_failed(filled):
    fit, rise = await filled.status(now=NOW, window_s=3600)
    assert (fit.unit, fit.waiting, fit.running, fit.measured, fit.failed) == ("Fit", 1, 1, 0, {TOO_MANY_TRIALS: 1})
    assert (fit.oldest, fit.put_off) == (NOW - 300, 0)
    assert (rise.unit, rise.waiting, rise.measured, rise.failed) == ("Rise", 0, 2, {EXCEPTION: 1})
    assert (rise.oldest, rise.recent, rise.recent_failed, rise.ms) == (None, 2, 1, 2.0)


async def test_what_waits_for_its_next_trial_is_told_apart(filled, store):
    later = datetime.now(UTC) + timedelta(hours=1)
    await store.connection["t2"].update_one({"unit": "Fit", "stock": 1, "config": 1}, {"$set": {"retry_after": later}})
    fit, _ = await filled.status(now=NOW, window_s=3600)
    assert (fit.waiting, fit.put_off) == (1, 1)


async def test_an_empty_store_has_no_units(store):
    assert await FeatureQueue(store.connection).status(now=NOW, window_s=60) == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Chosen(unit="Rise"), {("Rise", OK): 2, ("Rise", EXCEPTION): 1}),
        (Chosen(unit="Rise", config=2), {("Rise", EXCEPTION): 1}),
        (Chosen(channel="b"), {("Rise", OK): 1, ("Fit", RUNNING): 1}),
        (Chosen(stock=2), {("Rise", OK): 1, ("Fit", RUNNING): 1}),
        (Chosen(code=NEW), {("Fit", NEW): 1}),
        (Chosen(before=NOW - 100), {("Rise", OK): 1, ("Fit", NEW): 1}),
        (Chosen(after=NOW - 10, unit="Rise"), {("Rise", OK): 1, ("Rise", EXCEPTION): 1}),
        (Chosen(after=NOW - 100, before=NOW - 5), {("Rise", EXCEPTION): 1, ("Fit", RUNNING): 1}),
        (Chosen(unit="Nope"), {}),
    ],
)
async def test_features_are_chosen_by_every_word(filled, chosen, expected):
    assert {(one.unit, one.code): one.documents for one in await filled.count(chosen)} == expected


async def test_a_soft_reset_keeps_bodies_and_a_hard_one_forgets_them(filled, store):
    t2 = store.connection["t2"]
    assert await filled.reset(Chosen(stock=1, unit="Rise"), hard=False) == 2
    document = await t2.find_one({"stock": 1, "unit": "Rise", "config": 1})
    assert (document["code"], document["body"], "full" in document) == (RERUN_REQUESTED, [{"x": 1.0}], False)
    assert await filled.reset(Chosen(stock=1, unit="Rise"), hard=True) == 2
    document = await t2.find_one({"stock": 1, "unit": "Rise", "config": 1})
    assert (document["code"], document["body"]) == (NEW, [])
    assert (await t2.find_one({"stock": 2, "unit": "Rise"}))["code"] == OK


@pytest.mark.parametrize("hard", [False, True])
async def test_what_is_reset_waits_from_then_on_and_still_tells_when_it_was_measured(filled, store, hard):
    before = datetime.now(UTC).timestamp()
    await filled.reset(Chosen(stock=1, unit="Rise", config=1), hard=hard)
    _, rise = await filled.status(now=NOW, window_s=3600)
    assert before - 1 <= rise.oldest <= datetime.now(UTC).timestamp() + 1
    document = await store.connection["t2"].find_one({"stock": 1, "unit": "Rise", "config": 1})
    assert [entry["code"] for entry in document["meta"]] == [OK, NEW if hard else RERUN_REQUESTED]


async def test_what_is_measured_just_now_loses_its_lease_by_a_reset(filled, store):
    await filled.reset(Chosen(code=RUNNING), hard=False)
    document = await store.connection["t2"].find_one({"unit": "Fit", "stock": 2})
    assert (document["code"], "lease" in document) == (RERUN_REQUESTED, False)


async def test_only_tickets_that_nobody_has_measured_or_measures_are_dropped(filled, store):
    t2 = store.connection["t2"]
    later = datetime.now(UTC) + timedelta(hours=1)
    ended = datetime.now(UTC) - timedelta(seconds=1)
    await t2.update_one({"unit": "Fit", "stock": 2}, {"$set": {"lease": {"expires": later}}})
    await t2.update_one({"unit": "Rise", "stock": 2}, {"$set": {"code": RERUN_REQUESTED}})
    await t2.update_one({"unit": "Fit", "code": TOO_MANY_TRIALS}, {"$set": {"code": PENDING_DEPENDENCY}})
    meant = [Count("Fit", NEW, 1), Count("Fit", PENDING_DEPENDENCY, 1)]
    assert await filled.count(Chosen(), unmeasured=True) == meant
    assert await filled.count(Chosen(before=NOW - 100), unmeasured=True) == [Count("Fit", NEW, 1)]
    assert await filled.drop(Chosen(before=NOW - 100)) == 1
    assert await filled.drop(Chosen(channel="b")) == 0
    await t2.update_one({"unit": "Fit", "stock": 2}, {"$set": {"lease.expires": ended}})
    assert await filled.drop(Chosen(unit="Rise")) == 0
    assert await filled.drop(Chosen()) == 2
    assert await filled.count(Chosen(unit="Fit")) == []
    assert await t2.count_documents({"unit": "Rise"}) == 3


async def test_a_result_behind_a_soft_reset_is_appended(filled, store):
    await filled.reset(Chosen(stock=1, unit="Rise", config=1), hard=False)
    key = FeatureKey(1, "t1", "Rise", 1, 7)
    result = FeatureChange(key, ("a",), (), 1.0, 3, OK, {"x": 9.0}, {"ts": NOW, "code": OK})
    await Features(store.connection).write_features([result])
    document = await store.connection["t2"].find_one({"stock": 1, "unit": "Rise", "config": 1})
    assert (document["code"], document["body"]) == (OK, [{"x": 1.0}, {"x": 9.0}])


async def test_traces_are_kept_once_and_read_back(store):
    traces = Traces(store.connection)
    one = Trace(5, "decay.py:Decay", "1", "d", {"x": {"a.b": 1}}, 7, "3.11", {"numpy": "2"}, {"m.onnx": "x"})
    await traces.register_traces([one, one])
    await traces.register_traces([one])
    await traces.register_traces([])
    assert await traces.traces([5, 6]) == {5: one}


async def test_configurations_are_kept_with_their_units_and_dependencies(store):
    class Below(StateUnit):
        x: dict[str, float] = {"a.b": 1.0}  # noqa: RUF012  read once, as the default of a parameter

    class Above(StateUnit):
        def dependencies(self):
            return (Dependency("Below"),)

    class Other(Below):
        pass

    registry = Registry({"Below": Below, "Above": Above, "Other": Other}.__getitem__)
    recipes = [registry.make("Above", {}), registry.make("Other", {})]
    traces = Traces(store.connection)
    await traces.register_configs(recipes)
    await traces.register_configs(recipes)
    below = recipes[0].depends[0][0]
    found = await traces.configs([recipe.config for recipe in recipes])
    assert found[recipes[0].config] == {
        "params": {},
        "depends": [{"unit": "Below", "config": below.config, "link": "same"}],
        "unit": ["Above"],
    }
    assert recipes[1].config == below.config
    assert found[below.config]["unit"] == ["Below", "Other"]
    assert found[below.config]["params"] == {"x": {"a.b": 1.0}}


@pytest.fixture
def ask(mongodb, database, tmp_path, monkeypatch, capsys):
    """Return a command's exit code and what it said, as JSON where it did."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ampeld.toml").write_text(f'[store]\nuri = "{mongodb}"\ndatabase = "{database}"\n')

    def asked(*words):
        code = run_command(["feature", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.startswith(("[", "{")) else out, err

    return asked


@pytest.mark.golden
async def test_an_object_of_the_store_has_the_values_of_its_packets_joined(store, ask):
    source = MemorySource({("t", 0): list(tarball("ZTF18abxhyqv").values())})
    await run(source, store, [channel("all", access=("ZTF_PUB", "ZTF_PRIV"))])
    archive = str(shared("data", "ztf", "ZTF18abxhyqv.tar.gz"))
    code, stored, err = await asyncio.to_thread(
        ask, "run", "RiseDecline", "store", "--object", "ZTF18abxhyqv", "--json"
    )
    assert code == 0, err
    _, packets, _ = await asyncio.to_thread(ask, "run", "RiseDecline", archive, "--history", "--json")
    assert stored == packets
    code, _, err = await asyncio.to_thread(ask, "run", "RiseDecline", "mongodb", "--object", "ZTF18zzzzzzz")
    assert (code, "no object ZTF18zzzzzzz" in err) == (1, True)
    assert (await asyncio.to_thread(ask, "run", "RiseDecline", "store"))[0] == 78
    assert (await asyncio.to_thread(ask, "run", "RiseDecline", "store", "--object", "Betelgeuse"))[0] == 78


async def test_the_commands_count_first_and_reset_when_told_to(filled, ask):
    async def asked(*words):
        return await asyncio.to_thread(ask, *words)

    code, found, _ = await asked("reset", "--unit", "Rise", "--code", "exception", "--json")
    assert (code, found["matched"], found["reset"]) == (0, [{"unit": "Rise", "code": -4, "documents": 1}], 0)
    assert await filled.count(Chosen(code=EXCEPTION)) == [Count("Rise", EXCEPTION, 1)]
    assert (await asked("reset", "--unit", "Rise", "--code", "-4", "--yes", "--dry-run", "--json"))[1]["done"] is False
    assert (await asked("reset", "--unit", "Rise", "--code", "-4", "--yes", "--json"))[1]["reset"] == 1
    assert await filled.count(Chosen(code=EXCEPTION)) == []
    time = datetime.fromtimestamp(NOW - 100, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert (await asked("reset", "--before", time, "--hard", "--json"))[1]["matched"] == [
        {"unit": "Fit", "code": NEW, "documents": 1},
        {"unit": "Rise", "code": OK, "documents": 1},
        {"unit": "Rise", "code": RERUN_REQUESTED, "documents": 1},  # by the server's clock, which is before NOW
    ]
    code, found, _ = await asked("reset", "--unit", "Fit", "--drop", "--json")
    running = {"unit": "Fit", "code": RUNNING, "documents": 1}  # under a lease that has ended
    assert found["matched"] == [{"unit": "Fit", "code": NEW, "documents": 1}, running]
    assert (code, found["dropped"], found["done"]) == (0, 0, False)
    assert "1 tickets deleted" in (await asked("reset", "--code", "running", "--drop", "--yes"))[1]
    code, _, err = await asked("reset", "--all", "--drop", "--hard", "--yes")
    assert (code, "say one of them" in err) == (78, True)
    code, _, err = await asked("reset", "--yes")
    assert (code, "or --all" in err) == (78, True)
    code, found, _ = await asked("reset", "--all")
    assert (code, "What is meant" in found) == (0, True)
    code, found, _ = await asked("status", "--json")
    assert [(one["unit"], one["waiting"], one["measured"]) for one in found] == [("Fit", 1, 0), ("Rise", 1, 2)]
    code, found, _ = await asked("status")
    assert (code, "Features, rates of the last 60 minutes" in found) == (0, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--unit", "Rize"], "--unit: the store has never had such a one; did you mean 'Rise'?"),
        (["--unit", "Rize", "--drop"], "--unit: the store has never had such a one; did you mean 'Rise'?"),
        (["--channel", "rapit"], "--channel: the store has never had such a one; did you mean 'rapid'?"),
        (["--configuration", "12"], "--configuration: the store has never had such a one"),
        (["--object", "ZTF18zzzzzzz"], "--object: the store has never had such a one"),
        (["--code", "7"], "--code 7: there is no such code"),
        (["--code", "excption"], "--code excption: there is no such code; did you mean 'exception'?"),
        (["--before", "2026-11-01", "--after", "2026-11-02"], "--before and --after: no time"),
    ],
)
async def test_what_the_store_has_never_heard_of_is_refused_and_not_taken_for_nothing(filled, store, ask, words, told):
    await store.connection["feature_configs"].insert_one({"_id": 1, "unit": ["Rise", "Fit"], "params": {}})
    await store.connection["channel_versions"].insert_one({"_id": "v", "name": "rapid", "registered": 1.0})
    code, _, err = await asyncio.to_thread(ask, "reset", *words, "--yes")
    assert (code, told in err) == (78, True), err
    assert (await asyncio.to_thread(ask, "reset", "--unit", "Rise", "--code", "-2010"))[0] == 0


async def test_a_number_that_no_document_holds_is_no_configuration(filled, ask):
    code, _, err = await asyncio.to_thread(ask, "reset", "--configuration", str(1 << 63))
    assert (code, "--configuration" in err) == (64, True)
