"""`ampeld explain` without a source: the verdict from the store, the alert fetched back as long as it is somewhere."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.broker import delete_before
from support.servers import create_topic, need_apache, send, unique

from ampeld.cli.main import run_command
from ampeld.demo.simulate import SimulatedAlert, SimulatedNights

pytestmark = [pytest.mark.mongodb, pytest.mark.kafka]

MODULE = """
from ampeld.channel import Filter


class Bright(Filter):
    max_mag: float = 18.5  # [mag]

    def cuts(self, a):
        yield "positive", a.isdiffpos
        yield "bright", a.mag <= self.max_mag
"""

Explain = Callable[..., tuple[int, Any]]


@pytest.fixture
def night() -> list[SimulatedAlert]:
    return list(SimulatedNights(1, 40))


@pytest.fixture
def explain(
    mongodb: str, database: str, kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> Explain:
    """Run `ampeld explain bright`; return exit code and what it prints."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("STORE__URI", mongodb), ("STORE__DATABASE", database), ("SOURCE__BROKERS", f'["{kafka}"]')):
        monkeypatch.setenv(f"AMPELD_{name}", value)
    monkeypatch.setenv("AMPELD_CHANNELS__ISOLATION", "none")
    channels = tmp_path / "channels"
    channels.mkdir()
    (channels / "bright.py").write_text(MODULE)
    (channels / "bright.toml").write_text('filter = "bright.py:Bright"\ncontact = "me@example.org"\n')

    def run(alert: object, *options: str) -> tuple[int, Any]:
        capfd.readouterr()
        code = run_command(["explain", "bright", str(alert), *options])
        out, err = capfd.readouterr()
        return code, json.loads(out) if "--json" in options and code == 0 else out + err

    return run


def by_fate(night: list[SimulatedAlert], explain: Explain) -> tuple[SimulatedAlert, SimulatedAlert]:
    """Return an alert that is accepted and one that is too faint, by their own packets."""
    verdicts = {alert.candid: explain(alert.candid, "sim:1:40", "--json")[1]["verdict"] for alert in night[:12]}
    accepted = next(alert for alert in night if verdicts.get(alert.candid) == "accepted")
    return accepted, next(alert for alert in night if verdicts.get(alert.candid) == "rejected by bright")


def test_an_alert_comes_back_from_kafka_until_retention_takes_it(
    explain: Explain, night: list[SimulatedAlert], kafka: str, tmp_path: Path, capfd: Any
) -> None:
    accepted, faint = by_fate(night, explain)
    topic = asyncio.run(create_topic(kafka, partitions=1, settings={"retention.ms": "60000"}))
    asyncio.run(send(kafka, topic, [(b"k", alert.packet, 0) for alert in night]))
    sets = [f'source.topics=["{topic}"]', f"source.group={unique('group')}", "status.listen="]
    options = [part for one in sets for part in ("--set", one)]
    assert run_command(["run", "--until-end", "--instance", unique("explain"), *options]) == 0

    assert run_command(["channel", "test", "bright", f"kafka:{topic}", "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["seen"] == len(night)

    code, found = explain(faint.candid, "--json")
    assert (code, found["verdict"], found["object"]) == (0, "rejected by bright", faint.object)
    assert [(cut["name"], cut["passed"]) for cut in found["cuts"]] == [("positive", True), ("bright", False)]
    assert found["cuts"][1]["value"] > found["cuts"][1]["limit"] == 18.5
    assert found["coordinates"].startswith(f"{topic}/0/")
    assert (found["then"]["version"], found["then"]["differs"], found["then"]["outcome"]) == (
        found["version"],
        False,
        "filtered",
    )
    newest = explain(accepted.object, "--json")[1]
    assert newest["object"] == accepted.object
    assert accepted.candid in {one["candid"] for one in newest["alerts"]}

    (tmp_path / "channels" / "bright.toml").write_text(
        'filter = "bright.py:Bright"\ncontact = "me@example.org"\n[params]\nmax_mag = 30\n'
    )
    text = explain(faint.candid)[1]
    assert "rejected by bright" in text
    assert "judged " in text
    assert f"by version {found['version']}" in text
    assert "the cuts above are those of version" in text
    assert "<= 30 (max_mag)" in text

    need_apache()  # Tansu deletes no records
    asyncio.run(asyncio.to_thread(delete_before, kafka, topic, 0, len(night)))
    gone = explain(faint.candid, "--json")[1]
    assert gone["verdict"] == "rejected by bright"
    assert [(cut["name"], cut["value"], cut["passed"]) for cut in gone["cuts"]] == [("bright", None, False)]
    assert "retention took it" in gone["gone"]
    assert "the alert cannot be had: retention took it" in explain(faint.candid)[1]


def test_an_alert_comes_back_from_the_file_that_it_came_from(
    explain: Explain, night: list[SimulatedAlert], tmp_path: Path
) -> None:
    for number, alert in enumerate(night):
        (tmp_path / f"{number:03d}.avro").write_bytes(alert.packet)
    assert run_command(["ingest", str(tmp_path / "000.avro"), str(tmp_path / "001.avro")]) == 0
    code, found = explain(night[1].object, "--json")
    assert (code, found["candid"]) == (0, night[1].candid)
    assert found["cuts"][0]["value"] is not None
    assert found["coordinates"] == f"{tmp_path}/001.avro/0/0"
    (tmp_path / "001.avro").unlink()
    assert "is not there any more" in explain(night[1].candid, "--json")[1]["gone"]
    code, text = explain(night[20].candid)
    assert code == 1
    assert "no verdict block of 30 days tells of it for bright" in text


def test_a_channel_is_compared_with_a_version_of_itself_that_has_run(
    explain: Explain, night: list[SimulatedAlert], tmp_path: Path, capfd: Any
) -> None:
    for number, alert in enumerate(night):
        (tmp_path / f"{number:03d}.avro").write_bytes(alert.packet)
    assert run_command(["ingest", str(tmp_path / "000.avro")]) == 0
    former = explain(night[0].candid, "--json")[1]["version"]
    module = tmp_path / "channels" / "bright.py"
    module.write_text(module.read_text().replace("18.5", "30.0"))
    assert run_command(["channel", "test", "bright", "sim:1:40", "--diff", former, "--json"]) == 0
    difference = json.loads(capfd.readouterr().out)["diff"]
    assert (difference["version"], difference["removed"]) == (former, [])
    assert {change["cut"] for change in difference["added"]} == {"bright"}
    assert run_command(["channel", "test", "bright", "sim:1:1", "--diff", "0123456789abcdef"]) == 78
    assert f"the store keeps no such version of bright (there: {former}" in capfd.readouterr().err
