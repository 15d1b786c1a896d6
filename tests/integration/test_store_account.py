"""The ledger report on a real MongoDB: what is claimed must exist."""

import msgspec
import pytest
from support.store import a_state, an_account, dead, filtered, letter, new_point, stored, where

from ampeld.flow.outcome import Outcome
from ampeld.store.documents import Begun
from ampeld.store.mongodb import MongoStore
from ampeld.store.reader import AccountReader

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare()
    await real.cut_numbers("v1", ["rb", "drb"])
    await real.cut_numbers("v2", ["rb", "young"])
    yield real
    await real.close()


@pytest.fixture
def reader(store):
    return AccountReader(store.connection)


async def a_night(store, topic="night", run="r1"):
    await store.write_points([new_point(900, first=where(0, topic))], [])
    await store.write_states([a_state()])
    rows = [stored(0, 900), filtered(1), dead(2), stored(3, 900, Outcome.DUPLICATE), filtered(0, partition=1)]
    rows = [
        msgspec.structs.replace(row, coordinates=msgspec.structs.replace(row.coordinates, topic=topic)) for row in rows
    ]
    await store.write_account(an_account(*rows, dead_letters=[letter(2, topic=topic)], run=run))


async def test_a_whole_night_balances(store, reader):
    await a_night(store)

    report = await reader.report(committed={("night", 0): 4, ("night", 1): 1})

    assert report.problems == []
    assert report.balanced
    assert (report.received, report.stored, report.filtered, report.duplicate, report.dead_lettered) == (5, 1, 2, 1, 1)
    assert msgspec.to_builtins(report)["channels"]["bright"] == {
        "seen": 4,
        "accepted": 2,
        "rejected": 2,
        "errored": 0,
        "skipped": 0,
        "cuts": {"rb": 2, "drb": 0},
    }


async def test_an_empty_database_balances(reader):
    report = await reader.report()

    assert (report.received, report.balanced, report.partitions) == (0, True, [])


@pytest.mark.parametrize(
    ("collection", "change", "what"),
    [
        ("t0", None, "its point 900 does not exist"),
        ("t0", {"$set": {"channel": []}}, "its point 900 lacks channel bright"),
        ("t0", {"$set": {"stock": [8]}}, "its point 900 does not belong to object 7"),
        ("t0", {"$unset": {"first": 1}}, "stored, but its point 900 was first brought by no alert"),
        ("t0", {"$set": {"first.offset": 3}}, "duplicate, but its point 900 was first brought by night/0/3"),
        ("t1", None, "its state -5 of object 7 does not exist"),
        ("t1", {"$set": {"channel": ["x"]}}, "its state -5 of object 7 lacks channel bright"),
        ("dead_letters", None, "its dead letter does not exist"),
    ],
)
async def test_what_is_missing_is_named_with_its_offset(store, reader, collection, change, what):
    await a_night(store)
    documents = store.connection[collection]
    await (documents.delete_many({}) if change is None else documents.update_many({}, change))

    report = await reader.report()

    assert not report.balanced
    assert any(what in str(problem) and "night/0 offset" in str(problem) for problem in report.problems)


async def test_a_repeated_night_reports_the_same(store, reader):
    await a_night(store)
    before = await reader.report()
    await a_night(store)
    await a_night(store, run="r2")

    assert await reader.report() == before
    assert (await reader.report(run="r2")).received == 5
    assert (await reader.report(run="r3")).received == 0


async def test_gaps_are_excepted_and_counted(store, reader):
    await store.write_account(an_account(filtered(0), filtered(9)))
    await store.record_gap({"topic": "night", "partition": 0, "first": 1, "end": 9})
    await store.record_gap({"topic": "else", "partition": 2, "first": 1, "end": 2})

    report = await reader.report()

    assert (report.gaps, report.received, report.balanced) == (9, 2, True)
    assert (await reader.report(topics=["night"])).gaps == 8


async def test_a_night_is_found_by_its_topics_or_its_alerts(store, reader):
    await store.write_account(an_account(filtered(0, topic="ztf_20190414_programid1", night=17999)))
    await store.write_account(an_account(filtered(0, topic="ztf_20190415_programid1", night=18000)))
    await store.write_account(an_account(filtered(0), filtered(1, night=17998)))
    await store.write_account(an_account(filtered(2, night=17990)))

    report = await reader.report(night=18000)

    assert [(part.topic, part.received) for part in report.partitions] == [("night", 1), ("ztf_20190414_programid1", 1)]
    assert report.balanced


async def test_many_files_are_reported_by_their_paths(store, reader):
    paths = [f"/data/{i}.avro" for i in range(1100)]
    await store.write_account(an_account(*(filtered(0, topic=path) for path in paths)))

    assert (await reader.report()).received == 1100
    assert (await reader.report(topics=paths[:3])).received == 3


async def test_an_alert_is_found_with_each_channels_verdict(store, reader):
    await a_night(store)

    found = await reader.find_alert(900)

    assert [(str(alert.coordinates), alert.outcome) for alert in found] == [
        ("night/0/0", "stored"),
        ("night/0/3", "duplicate"),
    ]
    assert [(verdict.channel, verdict.verdict) for verdict in found[0].verdicts] == [
        ("bright", "accepted"),
        ("young", "rejected by rb"),
    ]
    assert await reader.find_alert(424242) == []


async def test_an_account_keeps_its_first_dead_letter_and_counts_the_runs(store):
    for run in ("r1", "r1", "r2"):
        await store.write_account(an_account(dead(2), dead_letters=[letter(2)], run=run))

    (document,) = await store.connection["dead_letters"].find().to_list(None)
    assert (document["run"], document["runs"]) == ("r1", ["r1", "r2"])
    assert await store.connection["verdict_blocks"].count_documents({}) == 2


async def test_blocks_that_are_gone_are_missed_from_where_the_group_began(store, reader):
    await a_night(store)
    await store.record_begun("g", [Begun("night", 0, 0), Begun("night", 1, 0), Begun("night", 2, 7)])
    committed = {("night", 0): 4, ("night", 1): 1, ("night", 2): 7}
    assert (await reader.report(committed=committed, committed_by="g")).balanced

    await store.connection["verdict_blocks"].delete_many({})
    report = await reader.report(committed=committed, committed_by="g")

    assert [str(problem) for problem in report.problems] == [
        "night/0 offsets 0 to 3: in no verdict block",
        "night/1 offset 0: in no verdict block",
    ]
    assert (await reader.report(committed=committed, committed_by="another")).balanced


async def test_the_end_of_a_file_is_known(store, reader):
    await a_night(store, topic="/data/night.tar")
    await store.record_begun("files", [Begun("/data/night.tar", 0, 0, 4)])
    assert (await reader.report()).balanced

    await store.connection["verdict_blocks"].delete_many({})

    assert [str(problem) for problem in (await reader.report()).problems] == [
        "/data/night.tar/0 offsets 0 to 3: in no verdict block"
    ]
