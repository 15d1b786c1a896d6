"""The daemon as its operator sees it: pages, instances, account and end, on real servers."""

import json
import signal
import socket
import urllib.error
import urllib.request

import pytest
from support.broker import make_topic
from support.daemons import until
from support.promises import check_all
from support.servers import unique
from support.streams import night, produce

pytestmark = [pytest.mark.kafka, pytest.mark.mongodb]


def page(daemon, path):
    """Return the status code and the text of a page."""
    try:
        with urllib.request.urlopen(f"http://{daemon.address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_daemon_tells_of_itself_shares_a_host_and_leaves_a_true_account(kafka, make_site):
    topic = make_topic(kafka, unique("told"), partitions=2)
    sent = produce(kafka, topic, night(5, objects=10, visits=5), partitions=2, spread=False)
    site = make_site(topic, **{"source.max_batch": 256})
    daemon = site.start()
    until(lambda: len(site.stored_places()) == len(sent), 40, "everything has a verdict")
    until(lambda: daemon.status()["lag"] == 0, 10, "the lag is known")
    assert page(daemon, "/live")[0] == page(daemon, "/ready")[0] == 200
    assert page(daemon, "/nothing")[0] == 404
    status = daemon.status()
    assert status["state"] == "live"
    assert sum(status["outcomes"].values()) == len(sent)
    assert "\nampeld_" in page(daemon, "/metrics")[1]

    second = site.start("main", "--until-end")
    assert second.wait(20) == 73
    assert str(daemon.pid) in second.log_tail(3)

    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    check_all(site, sent)
    told = site.ampeld("ledger", "--json")
    report = json.loads(told.stdout)
    assert (told.returncode, report["balanced"], report["received"]) == (0, True, len(sent))
    odd = report["channels"]["odd"]
    assert odd["seen"] == odd["accepted"] + odd["rejected"] + odd["errored"]
    assert odd["seen"] + odd["skipped"] == report["received"] - report["dead_lettered"]
    assert odd["cuts"] == {"accept": odd["rejected"]}


def test_systemd_hears_of_the_stop_even_from_a_daemon_that_still_waits_for_its_store(make_site, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        site = make_site(unique("none"))
        daemon = site.start("main", "--set", "store.uri=mongodb://127.0.0.1:1", "--set", "store.timeout_s=0.5")
        until(lambda: daemon.said("daemon.waiting"), 20, "the store is waited for")
        until(lambda: "store" in daemon.status()["parts"], 5, "the daemon tells of itself")
        assert daemon.status()["parts"].keys() == {"store"}  # nothing was asked of the brokers yet
        daemon.signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
        assert manager.recv(100) == b"STOPPING=1"


def test_a_run_to_the_end_of_nothing_exits_0_and_leaves_an_empty_account(kafka, make_site):
    topic = make_topic(kafka, unique("empty"), partitions=2)
    site = make_site(topic)
    site.drain()
    assert site.ampeld("ledger").returncode == 0
    assert {name: site.db[name].count_documents({}) for name in ("stock", "t0", "t1", "verdict_blocks")} == {
        "stock": 0, "t0": 0, "t1": 0, "verdict_blocks": 0,
    }  # fmt: skip
