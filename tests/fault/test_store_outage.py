"""MongoDB hangs, dies, steps down, or answers with errors: it is waited out, without dead letters and without noise."""

import contextlib
import signal

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from support.broker import make_topic
from support.daemons import until
from support.load import Load
from support.promises import check_all, check_commits, check_same
from support.proxy import CuttingProxy
from support.servers import unique
from support.streams import night, produce

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(120)]

LINES_S = 20


def ended(daemon):
    daemon.signal(signal.SIGTERM)
    return daemon.wait(25)


def noise(daemon):
    """Return the largest number of log lines within one second."""
    seconds = [line["timestamp"][:19] for line in daemon.events()]
    return max(map(seconds.count, set(seconds)))


def check_then_end(site, daemon, sent, calm):
    """All arrives; the daemon, still the same process, ends well; the documents are as if nothing had happened."""
    until(lambda: len(site.stored_places()) >= len(sent), 60, "everything has a verdict")
    assert ended(daemon) == 0
    assert len(daemon.said("daemon.starting")) == 1
    assert noise(daemon) <= LINES_S
    check_all(site, sent)
    calm.drain()
    check_same(site, calm, states=False)


def test_a_mongod_that_freezes_and_one_that_dies_are_waited_out(kafka, own_mongod, make_site):
    topic = make_topic(kafka, unique("outage"), partitions=3)
    site = make_site(topic, mongodb=own_mongod.uri, **{"store.timeout_s": 2.0})
    with Load(kafka, topic, partitions=3, every_s=1.0) as load:
        daemon = site.start()
        until(site.rows, 40, "the daemon works")
        own_mongod.freeze()
        until(lambda: daemon.said("store.unavailable"), 30, "the freeze is told")
        assert daemon.status()["state"] == "degraded"
        own_mongod.thaw()
        before = site.rows()
        until(lambda: site.rows() > before, 30, "it goes on after the freeze")
        check_commits(site, list(load.sent))
        own_mongod.kill()
        told = len(daemon.said("store.unavailable"))
        until(lambda: len(daemon.said("store.unavailable")) > told, 30, "the death is told")
        own_mongod.start()
        before = site.rows()
        until(lambda: site.rows() > before, 40, "it goes on after the restart")
        check_commits(site, list(load.sent))
    check_then_end(site, daemon, load.sent, make_site(topic))


def test_step_downs_and_write_concern_errors_are_waited_out(kafka, own_mongod, make_site):
    topic = make_topic(kafka, unique("election"), partitions=3)
    site = make_site(topic, mongodb=own_mongod.uri, **{"store.timeout_s": 2.0})
    failure = {"failCommands": ["insert", "update"], "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}}
    with (
        Load(kafka, topic, partitions=3, every_s=1.0) as load,
        MongoClient(own_mongod.address, directConnection=True) as admin,
    ):
        daemon = site.start()
        until(site.rows, 40, "the daemon works")
        before = site.rows()
        admin.admin.command("configureFailPoint", "failCommand", mode={"times": 6}, data=failure)
        until(lambda: daemon.said("store.unavailable"), 30, "a write concern that was not met is told")
        until(lambda: site.rows() > before, 30, "it goes on after the write concern errors")
        data = {"failCommands": ["insert", "update"], "closeConnection": True}
        admin.admin.command("configureFailPoint", "failCommand", mode={"times": 5}, data=data)
        before = site.rows()
        until(lambda: site.rows() > before, 30, "it goes on after closed connections")
        with contextlib.suppress(PyMongoError):  # it may close our connection as well
            admin.admin.command("replSetStepDown", 2, force=True)
        until(lambda: admin.admin.command("hello")["isWritablePrimary"], 30, "there is a primary again")
        before = site.rows()
        until(lambda: site.rows() > before, 30, "it goes on after the election")
        check_commits(site, list(load.sent))
    check_then_end(site, daemon, load.sent, make_site(topic))


def test_writes_that_are_done_but_never_acknowledged_change_nothing_when_repeated(kafka, mongodb, make_site):
    topic = make_topic(kafka, unique("unacked"), partitions=3)
    sent = produce(kafka, topic, night(7, objects=15, visits=8), partitions=3, spread=False)
    host = mongodb.removeprefix("mongodb://").split("/")[0]
    with CuttingProxy(host, every=12, for_s=1.0) as proxy:
        uri = f"mongodb://{proxy.address}/?directConnection=true"
        site = make_site(topic, mongodb=mongodb, **{"store.uri": uri, "store.timeout_s": 0.5})
        daemon = site.start()
        until(lambda: len(site.stored_places()) >= len(sent), 60, "everything has a verdict")
        assert ended(daemon) == 0
        assert proxy.cuts >= 5
        assert len(daemon.said("store.unavailable")) >= 3
    check_all(site, sent)
    calm = make_site(topic)
    calm.drain()
    check_same(site, calm, states=True)
