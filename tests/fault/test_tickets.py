"""Features outlive the daemons that measure them and the units that are measured: each result is there exactly once."""

import signal

import pytest
from support.broker import make_topic
from support.daemons import channel_file, until
from support.isolation import filter_processes
from support.promises import check_all
from support.servers import unique
from support.streams import CHANNELS, night, produce

from ampeld.flow.codes import ERROR, EXCEPTION, OK, RUNNING, TOO_MANY_TRIALS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.mongodb, pytest.mark.timeout(240)]

HEAD = "import ctypes, time\nfrom ampeld.feature import StateUnit\n"
UNIT = """
class {name}(StateUnit):
    slow = {slow}
    def measure(self, light_curve):
        if {when}:
            {deed}
        return {{"n": len(light_curve)}}
"""
AT_TIMES = "int(light_curve.id[-1]) % 11 == 0"
BAD = {
    "Loops": ("while True: pass", False, TOO_MANY_TRIALS),
    "Crashes": ("ctypes.string_at(0)", True, TOO_MANY_TRIALS),
    "Raises": ("raise ValueError('no such star')", False, EXCEPTION),
    "Floods": ("return {'n': 'x' * 10_000_000}", True, ERROR),
}
"""By unit: what it does at times, whether it is slow, and the code of what it does it at."""


def channels(*units: str) -> dict[str, str]:
    features = "".join(f'\n[[feature]]\nunit = "units.py:{unit}"\n' for unit in units)
    return {name: channel_file(f"rules.py:{cls}", access) + features for name, (cls, access) in CHANNELS.items()}


def documents(site):
    return list(site.db["t2"].find())


def ended(site):
    """Return the documents of all units once none waits and each state has all of them."""
    found = documents(site)
    waiting = [one for one in found if one["code"] in {-1, -6, -2001, RUNNING}]
    return [] if waiting else found


def test_a_daemon_that_is_killed_gives_its_tickets_back_and_each_has_one_result(kafka, make_site):
    topic = make_topic(kafka, unique("tickets"), partitions=2)
    sent = produce(kafka, topic, night(11, objects=12, visits=8), partitions=2, spread=False)
    site = make_site(topic, channels=channels("Slow"), **{"features.lease_s": 2.0})
    unit = UNIT.format(name="Slow", slow=True, when="True", deed="time.sleep(0.05)")
    (site.directory / "channels" / "units.py").write_text(HEAD + unit)

    first = site.start("first")
    until(lambda: len(site.stored_places()) == len(sent), 90, "everything has a verdict")
    until(lambda: site.db["t2"].count_documents({"lease.owner": "first"}), 30, "the first daemon holds tickets")
    first.signal(signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    held = site.db["t2"].count_documents({"lease.owner": "first"})
    second = site.start("second")
    until(lambda: ended(site), 90, "every ticket is measured")
    assert held
    for one in documents(site):
        assert (one["code"], len(one["body"])) == (OK, 1), one
        assert sum(entry["code"] == OK for entry in one["meta"]) == 1, one
    assert len(documents(site)) == site.db["t1"].count_documents({})
    assert second.said("tickets.freed")
    second.signal(signal.SIGTERM)
    assert second.wait(20) == 0


def test_units_that_loop_crash_raise_and_flood_cost_nobody_else_a_result_nor_an_alert_its_verdict(kafka, make_site):
    topic = make_topic(kafka, unique("units"), partitions=2)
    sent = produce(kafka, topic, night(13, objects=8, visits=6), partitions=2, spread=False)
    limits = {"features.inline_s": 0.5, "features.deadline_s": 0.5, "features.max_trials": 1}
    site = make_site(topic, channels=channels("Good", *BAD), **limits)
    units = [UNIT.format(name="Good", slow=False, when="False", deed="pass")]
    units += [UNIT.format(name=name, slow=slow, when=AT_TIMES, deed=deed) for name, (deed, slow, _) in BAD.items()]
    (site.directory / "channels" / "units.py").write_text(HEAD + "".join(units))

    daemon = site.start()
    pid = daemon.pid
    until(lambda: len(site.stored_places()) == len(sent), 60, "everything has a verdict")
    until(lambda: ended(site), 150, "every ticket has ended")
    status = daemon.status()["features"]["units"]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    assert not filter_processes(pid)

    check_all(site, sent)
    newest = {one["link"]: max(one["dps"], key=lambda point: _jd(site, point)) for one in site.db["t1"].find()}
    codes = {name: code for name, (_, _, code) in BAD.items()} | {"Good": OK}
    found = documents(site)
    assert len(found) == len(newest) * len(codes)
    for one in found:
        name = one["unit"].rpartition(":")[2]
        expected = codes[name] if newest[one["link"]] % 11 == 0 else OK
        assert one["code"] == expected, one
    assert {one["code"] for one in found} == {OK, TOO_MANY_TRIALS, EXCEPTION, ERROR}
    assert status["units.py:Raises"]["failed"] > 0
    told = [line for line in daemon.said("feature.failed") if line["unit"] == "units.py:Raises"]
    assert told
    assert told[0]["contact"] == ["nobody@example.org"]


def _jd(site, point):
    body = site.db["t0"].find_one({"_id": point}, {"body.jd": 1})["body"]
    return body["jd"], point
