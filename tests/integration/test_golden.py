"""The whole of ampeld on real alerts and real servers gives AMPEL's own numbers: points, states, verdicts, counts."""

import asyncio
import io
import json
import random
import signal
import zlib

import fastavro
import pytest
from support.broker import make_topic
from support.daemons import channel_file, until
from support.golden import CUTS, EVERYTHING, RUNS, TARBALLS, archive, expected_points, expected_states, golden
from support.promises import documents, ledger, rows
from support.servers import send, unique
from support.ztf import tarball as payloads

from ampeld.flow.verdict import cut_name

pytestmark = [pytest.mark.golden, pytest.mark.mongodb]

EVERY = "db_nofilter_flush_per_alert"
SCIENCE = ("stock", "t0", "t1", "dead_letters", "channel_errors", "channel_versions", "gaps")


def channels_of(results, run):
    """Return the files of the channel that a run of AMPEL had."""
    if RUNS[run] is None:
        return {"golden": channel_file("ampeld.channel.passall:PassAll", EVERYTHING)}
    params = results["filter_configs"][RUNS[run]]
    return {"golden": channel_file("ampeld.channel.decent:DecentFilter", EVERYTHING, params)}


def ingest(site, tarball):
    """Return the report of ``ampeld ingest --json``."""
    done = site.ampeld("ingest", str(archive(tarball)), "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["balanced"]
    return report


def check_golden(db, results, run):
    """The documents are AMPEL's."""
    counts = results[run]["counts"]
    assert {name: db[name].count_documents({}) for name in ("stock", "t0", "t1")} == {
        name: counts[name] for name in ("stock", "t0", "t1")
    }
    assert {point["_id"]: sorted(point["tag"]) for point in db["t0"].find()} == expected_points(results, run)
    states = {(state["stock"], state["link"]): state["dps"] for state in db["t1"].find()}
    assert states.keys() == expected_states(results, run)
    for state in results[run]["states"]:
        ours = states[state["stock"], state["link"]]
        assert ours == state["dps"] if "dps" in state else len(ours) == state["n"]


def check_verdicts(db, results, run):
    """Each verdict is AMPEL's, with the cut that failed."""
    (version,) = db["channel_versions"].find()
    verdicts = {told[-1][0].candid: told[-1] for told in rows(db).values()}
    for alert in results["alerts"]:
        row, takers = verdicts[alert["alert"]]
        verdict = alert["filters"][RUNS[run]]
        assert bool(takers) == verdict["accept"], alert["alert"]
        if not verdict["accept"]:
            (reason,) = verdict["reason"]
            assert cut_name(row.codes[0], version["cuts"]) == CUTS[reason], alert["alert"]


def everything(db):
    """Return all documents but the verdict blocks, each of which names the run that wrote it."""
    return {name: sorted(db[name].find(), key=lambda d: str(d["_id"])) for name in SCIENCE}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("tarball", TARBALLS)
def test_ingested_tarballs_give_the_numbers_of_ampel_and_a_second_time_changes_nothing(make_site, tarball, run):
    results = golden(tarball)
    site = make_site("unused", kafka="127.0.0.1:9", channels=channels_of(results, run), **{"source.max_batch": 64})
    report = ingest(site, tarball)
    assert report["received"] == len(results["alerts"])
    check_golden(site.db, results, run)
    if RUNS[run]:
        check_verdicts(site.db, results, run)
    before = everything(site.db)
    assert ingest(site, tarball) == report
    assert everything(site.db) == before


def test_an_ingestion_that_is_killed_and_one_that_is_stopped_go_on_where_they_were(make_site):
    tarball = "ztf_public_20180819_mod1000"
    results = golden(tarball)
    options = {"kafka": "127.0.0.1:9", "channels": channels_of(results, EVERY), "source.max_batch": 1}
    calm, site = (make_site("unused", **options) for _ in range(2))
    report = ingest(calm, tarball)
    path = str(archive(tarball))
    for point in ("after_points:2", "after_states:3", "after_block:3"):
        killed = site.start("ingest", path, failpoint=point, command="ingest")
        assert killed.wait(40) == -signal.SIGKILL
    stopped = site.start("stopped", path, command="ingest")
    until(lambda: site.db["verdict_blocks"].find_one({"instance": "stopped"}), 40, "it works")
    stopped.signal(signal.SIGTERM)
    assert stopped.wait(20) in (0, 75)
    assert ingest(site, tarball) == report
    check_golden(site.db, results, EVERY)
    assert documents(site.db) == documents(calm.db)


def deliveries(tarball, chance, *, ordered):
    """Return (key, value, partition): each alert one to five times, in order per object or in none over all partitions."""
    alerts = []
    for value in payloads(tarball).values():
        record = next(iter(fastavro.reader(io.BytesIO(value))))
        place = zlib.crc32(record["objectId"].encode()) % 6
        alerts.append((record["candidate"]["jd"], record["objectId"].encode(), value, place))
    alerts.sort()
    copies = [alert for alert in alerts for _ in range(chance.randint(1, 5))]
    if not ordered:
        chance.shuffle(copies)
    return [(key, value, place if ordered else chance.randrange(6)) for _, key, value, place in copies]


@pytest.mark.kafka
@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "shuffled"])
@pytest.mark.parametrize(("tarball", "batch"), [(TARBALLS[0], 40), (TARBALLS[1], 3)])
def test_kafka_repeated_and_shared_by_three_daemons_gives_the_same_documents(kafka, make_site, tarball, batch, ordered):
    chance = random.Random(batch + ordered)
    results = golden(tarball)
    topic = make_topic(kafka, unique("golden"), partitions=6)
    parcels = deliveries(tarball, chance, ordered=ordered)
    asyncio.run(send(kafka, topic, parcels))
    channels = channels_of(results, EVERY)
    site = make_site(topic, channels=channels, **{"source.max_batch": batch})
    daemons = [site.start(name) for name in ("first", "second", "third")]
    until(lambda: len(site.stored_places()) == len(parcels), 60, "everything has a verdict")
    for daemon in daemons:
        daemon.signal(signal.SIGTERM)
    assert [daemon.wait(20) for daemon in daemons] == [0, 0, 0]
    report = ledger(site, {})
    assert report.balanced, report.problems[:5]
    assert (report.stored, report.received) == (len(results["alerts"]), len(parcels))
    calm = make_site("unused", kafka="127.0.0.1:9", channels=channels)
    ingest(calm, tarball)
    assert documents(site.db, states=ordered) == documents(calm.db, states=ordered)
    if ordered:
        check_golden(site.db, results, EVERY)
