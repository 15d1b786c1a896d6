"""The account is told in full: partitions, files by their directory, funnels, and what does not balance."""

import json

import pytest

from ampeld.cli.account import show_alert, show_report
from ampeld.flow.record import Coordinates
from ampeld.store.account import Problem
from ampeld.store.reader import AlertAccount, ChannelVerdict
from ampeld.store.report import ChannelReport, LedgerReport, PartitionReport


def partition(topic: str, received: int) -> PartitionReport:
    return PartitionReport(topic, 0, 0, received, None, received, 1, received - 1, 0, 0, 0)


def report(*, problems: list[Problem]) -> LedgerReport:
    channels = {
        "young": ChannelReport(seen=10, accepted=2, rejected=7, errored=1, skipped=0, cuts={"real": 4, "new": 3})
    }
    partitions = [
        partition("ztf_20250801", 6),
        partition("/data/a.avro", 1),
        partition("/data/b.avro", 1),
        partition("/n.tar", 2),
    ]
    return LedgerReport(10, 4, 6, 0, 0, 0, not problems, channels, partitions, problems)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_balanced_report_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_report(report(problems=[]), as_json=False)
    found = rows(capsys.readouterr().out)
    assert ["ztf_20250801", "0", "0..5", "6", "1", "5", "0", "0", "0"] in found
    assert ["/data/", "-", "2", "files", "2", "2", "0", "0", "0", "0"] in found
    assert ["/n.tar", "-", "1", "file", "2", "1", "1", "0", "0", "0"] in found
    assert ["The", "ledger", "balances."] in found


def test_a_funnel_shows_what_each_cut_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(report(problems=[]), as_json=False)
    found = rows(capsys.readouterr().out)
    assert found[found.index(["real", "4", "5"]) + 1] == ["new", "3", "2"]


def test_what_does_not_balance_is_named_by_its_offsets(capsys: pytest.CaptureFixture[str]) -> None:
    assert not show_report(report(problems=[Problem("ztf_20250801", 0, 3, 4, "not covered")]), as_json=False)
    out = capsys.readouterr().out
    assert "does not balance: ztf_20250801/0 offsets 3 to 4: not covered" in out
    assert "The ledger does not balance." in out


def test_json_has_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(report(problems=[]), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert {
        "received",
        "stored",
        "filtered",
        "duplicate",
        "dead_lettered",
        "gaps",
        "balanced",
        "channels",
    } <= found.keys()
    assert found["channels"]["young"] == {
        "seen": 10,
        "accepted": 2,
        "rejected": 7,
        "errored": 1,
        "skipped": 0,
        "cuts": {"real": 4, "new": 3},
    }


def test_an_alert_is_told_with_each_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [ChannelVerdict("young", "v1", 0x1000, "rejected by real"), ChannelVerdict("all", "v2", 1, "accepted")]
    accounts = [AlertAccount(Coordinates("t", 1, 2), "stored", 123, 9, "run", "2025-08-01T00:00:00+00:00", verdicts)]
    show_alert(accounts, as_json=False)
    out = capsys.readouterr().out
    assert "123 at t/1/2: stored" in out
    assert ["young", "rejected", "by", "real", "v1"] in rows(out)
    show_alert(accounts, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["verdicts"][1]["verdict"] == "accepted"
