"""Gates, suspensions and the texts of versions, as every daemon finds them in the database."""

from datetime import timedelta

import msgspec
import pytest

from ampeld.daemon.channels_register import register_texts
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.reload_gates import StoredGates, stored_files
from ampeld.store.gates import GateResult, Gates, now
from ampeld.store.mongodb import MongoStore
from ampeld.store.suspensions import Suspension, Suspensions
from ampeld.store.versions import ChannelVersions

pytestmark = pytest.mark.mongodb

TOML = 'filter = "a.py:A"\ncontact = "x"\n'


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare(keep_days=30)
    yield real
    await real.close()


@pytest.fixture
def gates(store):
    return Gates(store.connection)


@pytest.fixture
def suspensions(store):
    return Suspensions(store.connection)


def result(version, run, *, minutes=0, **changes):
    fields = {
        "channel": "a", "version": version, "night": "n", "source": "sim:0", "seen": 10, "accepted": 1, "errors": 0,
        "objects": ["x"], "n_objects": 1, "digest": "d", "pass_fraction": 0.1, "us_per_alert": 1.0, "limits": {},
        "passed": True, "why": [], "forced": False, "reason": None, "when": now() + timedelta(minutes=minutes),
        "run": run, "host": "h",
    }  # fmt: skip
    return GateResult(**(fields | changes))


def suspension(**changes):
    fields = {
        "channel": "a", "suspended": True, "version": "v", "since": now(), "reason": "no", "contact": "c", "run": "r",
        "by": "one",
    }  # fmt: skip
    return Suspension(**(fields | changes))


def files(name, module, **changes):
    return ChannelFiles(name, f"/channels/{name}.toml", TOML, {"a.py": module}, **changes)


async def test_the_newest_result_of_a_version_counts(gates):
    await gates.record(result("1", "r1"))
    await gates.record(result("1", "r2", minutes=1, passed=False, why=["slow"]))
    await gates.record(result("2", "r3", passed=False, forced=True, reason="now"))
    found = await gates.newest([("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")])
    assert {key: one.opens for key, one in found.items()} == {("a", "1"): False, ("a", "2"): True}
    assert await gates.newest([]) == {}
    assert await gates.opened("a", but="1") == ["2"]
    assert await gates.opened("a", but="2") == []


async def test_a_result_comes_back_as_it_was_and_a_repeat_changes_nothing(gates):
    given = result("1", "r1")
    await gates.record(given)
    await gates.record(given)
    assert await gates.former("a", but="2", night="n") == given


async def test_the_former_version_is_the_newest_that_opened_its_gate_on_the_same_night(gates):
    await gates.record(result("1", "r1"))
    await gates.record(result("2", "r2", minutes=1, passed=False))
    await gates.record(result("3", "r3", minutes=2, night="other"))
    await gates.record(result("4", "r4", minutes=3))
    assert (await gates.former("a", but="4", night="n")).version == "1"
    assert (await gates.former("a", but="1", night="n")).version == "4"
    assert await gates.former("a", but="3", night="other") is None


async def test_a_version_runs_again_from_the_texts_that_were_kept(store, gates):
    old, new = files("a", "one"), files("a", "two")
    await register_texts(store, [old, new])
    await gates.record(result(old.version, "r1"))
    await gates.record(result("lost", "r2", minutes=1))
    keeper = StoredGates(gates, ChannelVersions(store.connection), required=True)
    assert await keeper.opened([old, new]) == {("a", old.version)}
    former = await keeper.former(new)
    assert former == msgspec.structs.replace(old, stored=True)
    assert former.version == old.version
    assert await keeper.former(old) is None
    assert await stored_files(ChannelVersions(store.connection), "a", "nothing") is None


async def test_what_is_known_of_a_version_grows_and_its_texts_stay(store):
    one = files("a", "one")
    await register_texts(store, [one])
    await register_texts(store, [files("a", "refused")])
    await store.register_version(one.version, {"name": "a", "filter": "a.py:A", "access": ["ZTF_PUB"]})
    await store.cut_numbers(one.version, ["bright", "odd"])
    versions = ChannelVersions(store.connection)
    facts = (await versions.facts([one.version, "nothing"]))[one.version]
    assert (facts.name, facts.access, facts.cuts) == ("a", {"ZTF_PUB"}, ["bright", "odd"])
    assert (await versions.texts(one.version)).modules == {"a.py": "one"}
    assert [version for version, _ in await versions.named("a")] == [one.version]


async def test_the_first_who_suspends_is_heard(suspensions):
    first = suspension()
    await suspensions.suspend(first)
    await suspensions.suspend(suspension(reason="later", since=now() + timedelta(minutes=1)))
    (held,) = (await suspensions.suspended()).values()
    assert (held.reason, held.since, held.owed) == ("no", first.since, first.since)


async def test_a_resumed_channel_owes_until_it_is_settled(suspensions):
    first = suspension()
    await suspensions.suspend(first)
    resumed = await suspensions.resume("a", when=now(), by="me")
    assert (resumed.suspended, resumed.owed, resumed.resumed_by) == (False, first.since, "me")
    assert await suspensions.suspended() == {}
    assert await suspensions.resume("a", when=now(), by="me") is None
    assert await suspensions.settle(resumed)
    assert (await suspensions.get("a")).owed is None
    assert await suspensions.get("b") is None


async def test_a_second_suspension_owes_from_the_first_on_and_is_not_settled_by_an_old_replay(suspensions):
    first = suspension()
    await suspensions.suspend(first)
    resumed = await suspensions.resume("a", when=now(), by="me")
    second = suspension(reason="again", since=first.since + timedelta(hours=1))
    await suspensions.suspend(second)
    held = await suspensions.get("a")
    assert (held.suspended, held.reason, held.since, held.owed) == (True, "again", second.since, first.since)
    assert not await suspensions.settle(resumed)
    await suspensions.resume("a", when=now(), by="me")
    assert not await suspensions.settle(resumed)
    assert (await suspensions.get("a")).owed == first.since
