"""The commands that ask the store, on a real one: dead letters from file to retry, the ledger, one alert's account."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from ampeld.cli.main import run_command

pytestmark = pytest.mark.mongodb

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ampeld(
    mongodb: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in an empty directory with one channel; return exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMPELD_STORE__URI", mongodb)
    monkeypatch.setenv("AMPELD_STORE__DATABASE", database)
    channel = tmp_path / "channels" / "all.toml"
    channel.parent.mkdir()
    channel.write_text('filter = "ampeld.channel.passall:PassAll"\ncontact = "someone@example.org"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command(list(arguments))
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def fail_point(mongodb: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """Return a client of the server's administrator, whose fail point is off afterwards."""
    with MongoClient(mongodb) as client:
        yield client
        client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.fixture
def letter(ampeld: Run, tmp_path: Path) -> str:
    (tmp_path / "bad.avro").write_bytes(b"garbage")
    code, out, _ = ampeld("ingest", "bad.avro", "--json")
    assert (code, json.loads(out)["dead_lettered"]) == (0, 1)
    return f"{tmp_path}/bad.avro/0/0"


def test_a_dead_letter_is_listed_shown_and_exported_byte_for_byte(ampeld: Run, letter: str, tmp_path: Path) -> None:
    _, out, _ = ampeld("deadletter", "list", "--unresolved", "--json")
    [summary] = json.loads(out)
    assert (summary["id"], summary["size"], summary["resolved"]) == (letter, 7, None)
    assert "67 61 72 62" in ampeld("deadletter", "show", letter)[1]
    code, out, _ = ampeld("deadletter", "export", letter, "--out", "exported")
    assert code == 0
    assert (tmp_path / out.strip()).read_bytes() == b"garbage"


def test_what_still_cannot_be_read_stays_unresolved(ampeld: Run, letter: str) -> None:
    code, out, _ = ampeld("deadletter", "retry", "--all", "--json")
    [result] = json.loads(out)
    assert (code, result["id"], result["resolved"]) == (1, letter, False)
    assert result["result"]


def test_an_unknown_letter_is_named(ampeld: Run) -> None:
    code, out, err = ampeld("deadletter", "show", "t/0/1")
    assert (code, out) == (1, "")
    assert "t/0/1" in err


def test_the_ledger_of_files_asks_no_broker_and_balances(ampeld: Run, letter: str) -> None:
    assert letter
    code, out, err = ampeld("ledger", "--json", "--set", "source.brokers=127.0.0.1:1")
    assert (code, err) == (0, "")
    assert json.loads(out)["received"] == 1


def test_the_ledger_of_one_file_is_asked_for_by_its_name(ampeld: Run, letter: str) -> None:
    assert letter
    assert json.loads(ampeld("ledger", "--topic", "./bad.avro", "--json")[1])["dead_lettered"] == 1
    assert json.loads(ampeld("ledger", "--topic", "./other.avro", "--json")[1])["received"] == 0


def test_an_alert_that_no_block_tells_of_exits_1(ampeld: Run, letter: str) -> None:
    assert letter
    code, _, err = ampeld("ledger", "--alert", "12")
    assert code == 1
    assert "no verdict block tells of 12" in err


def test_a_store_that_does_not_answer_exits_69(ampeld: Run) -> None:
    code, out, err = ampeld("ledger", "--set", "store.uri=mongodb://127.0.0.1:1", "--set", "store.timeout_s=0.5")
    assert (code, out) == (69, "")
    assert "Traceback" not in err


def test_a_missing_path_is_a_mistake_of_the_command(ampeld: Run) -> None:
    code, _, err = ampeld("ingest", "absent.avro")
    assert code == 78
    assert "absent.avro" in err


def test_check_asks_the_servers(ampeld: Run) -> None:
    code, out, _ = ampeld("check", "--connect", "--json", "--set", "source.brokers=127.0.0.1:1")
    found = json.loads(out)["servers"]
    assert code == 69
    assert [server["level"] for server in found if server["what"] == "kafka"] == ["error"]
    assert [server["level"] for server in found if server["what"] == "mongodb write"] == ["ok"]


def test_check_exits_77_when_mongodb_lets_us_in_but_not_write(
    ampeld: Run, mongodb: str, kafka: str, fail_point: MongoClient[dict[str, Any]]
) -> None:
    assert mongodb
    data = {"failCommands": ["insert"], "errorCode": 13, "appName": "ampeld-check"}
    fail_point.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
    code, out, _ = ampeld("check", "--connect", "--json", "--set", f"source.brokers={kafka}")
    [write] = [server for server in json.loads(out)["servers"] if server["what"] == "mongodb write"]
    assert (code, write["level"], write["refused"]) == (77, "error", True)
    assert "check the role" in write["message"]


def test_run_exits_77_when_mongodb_refuses_us_at_the_start(
    ampeld: Run, mongodb: str, kafka: str, fail_point: MongoClient[dict[str, Any]]
) -> None:
    assert mongodb
    data = {"failCommands": ["listCollections"], "errorCode": 13, "appName": "ampeld-refused"}
    fail_point.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
    options = ("--instance", "refused", "--until-end", "--set", f"source.brokers={kafka}", "--set", "status.listen=")
    assert ampeld("run", *options)[0] == 77
