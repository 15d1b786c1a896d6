"""The log moves under the daemon: retention overtakes it, a new night begins, a topic gets more partitions."""

import signal
from datetime import UTC, datetime

import pytest
from support.broker import add_partitions, committed, delete_before, ends, make_topic
from support.daemons import until
from support.promises import check_all, check_outcomes, ledger, rows
from support.servers import need_apache, unique
from support.streams import night, produce

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb]


def test_what_retention_took_is_a_gap_beside_a_ledger_that_balances(kafka, make_site):
    need_apache()
    topic = make_topic(kafka, unique("retention"), partitions=2)
    sent = produce(kafka, topic, night(1, objects=80, visits=6), partitions=2, spread=True)
    site = make_site(topic)
    daemon = site.start()
    until(site.rows, 40, "the daemon works")
    daemon.signal(signal.SIGTERM)  # a killed one may have written documents that retention then leaves without verdict
    assert daemon.wait(20) == 0
    before = committed(kafka, site.group, [topic])
    last = ends(kafka, [topic])
    begins = {(topic, 0): last[topic, 0] - 10, (topic, 1): last[topic, 1] - 20}
    assert all(before[place] < begin for place, begin in begins.items())
    for (name, partition), begin in begins.items():
        delete_before(kafka, name, partition, begin)
    told = rows(site.db)
    site.drain()
    gaps = {(gap["topic"], gap["partition"]): (gap["first"], gap["end"]) for gap in site.db["gaps"].find()}
    assert gaps == {place: (before[place], begin) for place, begin in begins.items()}
    kept = [one for one in sent if one.place in told or one.offset >= begins[one.place[:2]]]
    check_outcomes(site.db, kept)
    assert committed(kafka, site.group, [topic]) == last
    report = ledger(site, last)
    assert report.balanced, report.problems
    assert report.gaps == sum(begin - before[place] for place, begin in begins.items())
    assert report.received == len(kept)


def test_a_new_night_and_new_partitions_are_read_within_30_s_from_their_beginning(kafka, make_site):
    need_apache()
    prefix = unique("night")
    topic = f"{prefix}_{datetime.now(UTC):%Y%m%d}_programid1"
    site = make_site(prefix + "_{night:%Y%m%d}_programid1", **{"source.start": "latest"})
    first = night(1, objects=5, visits=4)
    daemon = site.start()
    until(lambda: daemon.said("source.connected") or daemon.said("daemon.ready"), 40, "the daemon is up")
    make_topic(kafka, topic, partitions=2)
    sent = produce(kafka, topic, first, partitions=2, spread=True)
    until(lambda: len(site.stored_places()) == len(sent), 30, "the new night is read")
    add_partitions(kafka, topic, 4)
    sent += produce(kafka, topic, night(2, objects=5, visits=4, first=5), partitions=4, spread=True)
    until(lambda: len(site.stored_places()) == len(sent), 30, "the new partitions are read")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    check_all(site, sent)
