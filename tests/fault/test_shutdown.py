"""The ends of a daemon: drained, late, cut short by a second signal, or before it could begin."""

import signal

import pytest
from support.broker import make_topic
from support.daemons import until
from support.promises import check_all, check_commits, rows
from support.servers import unique
from support.streams import night, produce

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(120)]


def test_told_to_stop_under_load_it_commits_all_that_it_has_and_exits_0_within_20_s(kafka, make_site):
    topic = make_topic(kafka, unique("drained"), partitions=4)
    sent = produce(kafka, topic, night(1, objects=60, visits=10), partitions=4, spread=False)
    site = make_site(topic)
    daemon = site.start()
    until(site.rows, 40, "the daemon works")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    offsets = check_commits(site, sent)
    told = rows(site.db)
    assert 0 < len(told) < len(sent), "the signal came under load"
    for (name, partition), offset in offsets.items():
        assert offset == max((p[2] + 1 for p in told if p[:2] == (name, partition)), default=0)
    site.drain()
    check_all(site, sent)


def test_told_to_stop_while_mongod_hangs_it_exits_75_and_loses_nothing(kafka, own_mongod, make_site):
    topic = make_topic(kafka, unique("hanging"), partitions=4)
    sent = produce(kafka, topic, night(2, objects=60, visits=10), partitions=4, spread=False)
    site = make_site(topic, mongodb=own_mongod.uri, **{"store.timeout_s": 10.0})
    daemon = site.start()
    until(site.rows, 40, "the daemon works")
    own_mongod.freeze()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(40) == 75
    own_mongod.thaw()
    check_commits(site, sent)
    again = site.start()
    before = site.rows()
    until(lambda: site.rows() > before, 40, "the daemon works again")
    own_mongod.freeze()
    again.signal(signal.SIGTERM)
    until(lambda: again.said("daemon.stopping"), 5, "the first signal is told")
    again.signal(signal.SIGTERM)
    assert again.wait(2) == 1
    own_mongod.thaw()
    site.drain()
    check_all(site, sent)


def test_told_to_stop_before_any_server_has_answered_it_exits_0(make_site):
    site = make_site("nowhere", kafka="127.0.0.1:9", mongodb="mongodb://127.0.0.1:9")
    daemon = site.start()
    until(lambda: daemon.said("daemon.waiting"), 40, "it waits for the store")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
