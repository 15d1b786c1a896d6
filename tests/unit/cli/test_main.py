"""The command line finds its commands, and every expected mistake is a line and an exit code, never a traceback."""

import json
from pathlib import Path

import pytest

from ampeld import __version__
from ampeld.cli import main
from ampeld.cli.main import COMMANDS, run_command
from ampeld.daemon.lock import InstanceRunningError
from ampeld.errors import AccessDeniedError, AmpeldError, ConfigError, InvariantError, PoisonError, RetryableError
from ampeld.store.errors import StoreUnavailableError

CHANNEL = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "someone@example.org"\n'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    directory = tmp_path / "channels"
    directory.mkdir()
    (directory / "all.toml").write_text(CHANNEL)
    return directory


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"ampeld {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([command, "--help"]) == 0
    assert f"Usage: ampeld {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["frob"],
        ["run", "--frob"],
        ["run", "--instance", "a/b"],
        ["ingest"],
        ["ledger", "--night", "tomorrow"],
        ["seek"],
        ["seek", "--to", "soon"],
        ["deadletter", "retry"],
    ],
)
def test_a_wrong_command_line_exits_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 64
    streams = capsys.readouterr()
    assert "Error" in streams.err
    assert not streams.out


@pytest.mark.parametrize(
    "command", [["run"], ["check"], ["ingest", "x.avro"], ["ledger"], ["status"], ["deadletter", "list"]]
)
def test_a_wrong_configuration_exits_78_and_names_every_mistake(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ampeld.toml").write_text("[source]\ngrop = 'x'\nmax_batch = 0\n")
    assert run_command(command) == 78
    streams = capsys.readouterr()
    assert "ampeld.toml:2: source.grop: is not a setting; did you mean source.group?\n" in streams.err
    assert "ampeld.toml:3: source.max_batch: expected int >= 1\n" in streams.err
    assert "Traceback" not in streams.err
    assert not streams.out


def test_mistakes_of_settings_and_channels_come_together(channels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (channels / "bad.toml").write_text('filter = "ampeld.channel.passall:PassAll"\n')
    assert run_command(["check", "--set", "source.max_batch=0"]) == 78
    err = capsys.readouterr().err
    assert "--set source.max_batch" in err
    assert "bad.toml" in err
    assert "2 problems" in err


def test_check_tells_the_channels(channels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert [channel["name"] for channel in found["channels"]] == ["all"]
    assert run_command(["check"]) == 0
    assert "someone@example.org" in capsys.readouterr().out


def test_check_tells_problems_as_json(channels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "--json", "--set", "source.max_batch=0"]) == 78
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert found["problems"] == ["--set source.max_batch: expected int >= 1"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["a", "b"]), 78),
        (InstanceRunningError("pid 3"), 73),
        (RetryableError("no broker"), 69),
        (InvariantError("odd"), 70),
        (PoisonError("bad"), 65),
        (AccessDeniedError("no"), 77),
        (StoreUnavailableError("no", code=18), 77),
        (StoreUnavailableError("no answer"), 69),
        (AmpeldError("no such letter"), 1),
        (PermissionError(13, "Permission denied", "x"), 77),
        (FileNotFoundError(2, "No such file", "x"), 74),
    ],
)
def test_each_expected_error_has_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: main.typer.main.get_command(main._single(fail)))
    assert run_command(["run"]) == code
    lines = capsys.readouterr().err.splitlines()
    assert lines == (["a", "b"] if code == 78 else [f"ampeld: {error}"])
