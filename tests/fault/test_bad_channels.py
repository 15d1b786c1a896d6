"""Channels that do their worst in a running daemon: nothing is lost, nobody else notices, and the group stays whole."""

import re
import signal
import urllib.request

import pytest
from support.broker import make_topic
from support.daemons import channel_file, made_up_channels, until
from support.isolation import filter_processes
from support.promises import check_all, rows
from support.servers import unique
from support.streams import night, produce

from ampeld.flow.verdict import ERRORED, SKIPPED

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(180)]

DEADLINE_S = 2.5  # above the session timeout of these sites: heartbeats must go on meanwhile
DEEDS = {"loops": "while True: pass", "crashes": "ctypes.string_at(0)", "ends": "os._exit(7)", "raises": "1 / 0"}
MODULE = "import ctypes, os\nfrom ampeld.channel import Filter\n" + "".join(
    f"""
class {name.title()}(Filter):
    def accept(self, alert):
        if alert.candid % 3 == {number % 3}:
            {deed}
        return False
"""
    for number, (name, deed) in enumerate(DEEDS.items())
)


def test_channels_that_loop_crash_and_end_cost_neither_alerts_nor_the_place_in_the_group(kafka, make_site):
    topic = make_topic(kafka, unique("bad"), partitions=2)
    sent = produce(kafka, topic, night(7, objects=12, visits=8), partitions=2, spread=False)
    bad = {name: channel_file(f"bad.py:{name.title()}", ["ZTF_PUB", "ZTF_PRIV"]) for name in DEEDS}
    limits = {"channels.deadline_s": DEADLINE_S, "channels.error_budget": 12}
    site = make_site(topic, channels=made_up_channels() | bad, **limits)
    (site.directory / "channels" / "bad.py").write_text(MODULE)

    daemon = site.start()
    pid = daemon.pid
    until(lambda: len(site.stored_places()) == len(sent), 90, "everything has a verdict")
    states = {row["channel"]: row["state"] for row in daemon.status()["channels"]}
    with urllib.request.urlopen(f"http://{daemon.address}/metrics", timeout=5) as answer:
        metrics = answer.read().decode()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    assert not filter_processes(pid)

    check_all(site, sent)  # the verdicts of the good channels among it
    (joined,) = re.findall(r"^ampeld_\w*rebalances_total (.*)$", metrics, re.MULTILINE)
    assert float(joined) == 0, "it lost its place in the group"
    assert {name for name, state in states.items() if state == "suspended"} == set(DEEDS)
    names = sorted([*made_up_channels(), *DEEDS])
    for name in DEEDS:
        codes = [told[-1][0].codes[names.index(name)] for told in rows(site.db).values() if told[-1][0].codes]
        errors = list(site.db["channel_errors"].find({"channel": name}))
        assert codes.count(ERRORED) == len({(e["topic"], e["partition"], e["offset"]) for e in errors}) > 0, name
        assert SKIPPED in codes, name
        assert {error["contact"] for error in errors} == {"nobody@example.org"}
        assert name == "ends" or all("bad.py" in error["traceback"] for error in errors)
