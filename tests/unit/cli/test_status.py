"""`ampeld status` asks the daemon at `status.listen` and says so when nobody is there."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from ampeld.cli.main import run_command
from ampeld.cli.status import _show_features
from ampeld.daemon.status import Pages, serve_status
from ampeld.daemon.telemetry import Telemetry


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """Serve the status page of an idle daemon in a thread; return its address."""
    listen = f"unix:{tmp_path}/{{instance}}.sock"
    telemetry = Telemetry(version="1", instance="night", run="run-1")
    telemetry.store_failed("transient", "no primary")
    pages = Pages(lambda: True, lambda: True, telemetry.status, telemetry.metrics.page)
    started, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serve_status(listen, "night", pages):
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait(5)
    yield listen
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


def test_a_running_daemon_tells_how_it_is(daemon: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--set", f"status.listen={daemon}", "--instance", "night"]) == 0
    out = capsys.readouterr().out
    assert "night" in out
    assert "degraded: no primary" in out


def test_json_is_one_document(daemon: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--set", f"status.listen={daemon}", "--instance", "night", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["instance"], found["state"], found["decoder"]) == ("night", "degraded", "kernel")


@pytest.mark.parametrize("listen", ["unix:absent.sock", "127.0.0.1:1", ""])
def test_when_nobody_answers_the_exit_code_is_69(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--set", f"status.listen={listen}"]) == 69
    streams = capsys.readouterr()
    assert streams.err.startswith("ampeld: ")
    assert not streams.out


def test_what_was_measured_is_told_by_unit(capsys):
    unit = {"in_flow": 12, "from_tickets": 3, "failed": 1, "waiting": 4, "since": None, "ms": 1.0, "mean_ms": 0.25}
    telling = {"units": {"RiseDecline": unit}, "behind_the_flow_only": ["Hang"], "results_refused": 2}
    telling["withheld"] = ["Model"]
    _show_features(Console(width=120), telling)
    out = capsys.readouterr().out
    for words in ("RiseDecline", "12", "0.25", "Hang: it cost a measuring process", "2 results came", "Model: a file"):
        assert words in out
