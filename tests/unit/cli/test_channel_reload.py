"""`ampeld channel reload` signals a daemon of ours or nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ampeld.cli.main import run_command

HOLDER = """
import signal, sys
from pathlib import Path
from ampeld.daemon.lock import hold_lock
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # one that comes early is waited for all the same
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    signal.sigwait({signal.SIGHUP})
    print("asked", flush=True)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


def test_where_no_daemon_runs_nobody_is_signalled(capsys: pytest.CaptureFixture[str]) -> None:
    Path("main.lock").write_text(f"{os.getpid()}\n")  # left behind by one that was killed: the signal would end us
    assert run_command(["channel", "reload", "--set", "status.listen="]) == 69
    assert "no daemon of instance main runs here" in capsys.readouterr().err


def test_a_daemon_that_tells_nothing_of_itself_is_told_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, "a.lock"], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "held\n"
        assert run_command(["channel", "reload", "--instance", "a", "--set", "status.listen="]) == 69
        assert daemon.stdout.readline() == "asked\n"
    assert f"process {daemon.pid} was told to reload" in capsys.readouterr().err


def test_the_status_page_of_another_instance_leads_to_no_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, "b.lock"], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        told = {"instance": "b", "lock": str(tmp_path / "b.lock"), "reload": None}
        monkeypatch.setattr("ampeld.cli.channel.reload.fetch_status", lambda _: json.loads(json.dumps(told)))
        assert run_command(["channel", "reload", "--instance", "a"]) == 69
        daemon.kill()
        assert daemon.stdout.read() == ""
