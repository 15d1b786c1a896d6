"""`ampeld channel reload`: let a running daemon take up changed channel files, and say what came of it."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, warn
from ampeld.cli.run import InstanceOption
from ampeld.cli.status import fetch_status
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.lock import holder, lock_path

_LOOK_S = 0.1


def reload(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    instance: InstanceOption = "main",
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for the daemon's answer.")
    ] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Let a running daemon read its channel files again, and take up what has changed, between two batches.

    It sends SIGHUP to the daemon of this instance and waits for the answer on its status page.
    A file with a mistake changes nothing: the channel's old version goes on, and the mistake is named with file, line
    and key. Each daemon of a group is told for itself. A suspended channel stays so: see `ampeld channel resume`.

    Try:

      ampeld channel reload

      ampeld channel reload -c /etc/ampeld/ztf.toml --instance ztf

    Exit codes: 0 everything was taken up, 69 no daemon runs or answers, 77 it is not yours to signal, 78 some channel
    was refused.
    """
    listen = settings_for(config, sets).status.listen.replace("{instance}", instance)
    before = _status(listen)
    pid = _daemon(instance, before)
    if pid is None:
        warn(f"no daemon of instance {instance} runs here")
        raise typer.Exit(ExitCode.UNAVAILABLE)
    os.kill(pid, signal.SIGHUP)
    answer = _wait(listen, _number(before), wait) if before is not None else None
    if answer is None:
        where = f"at {listen}" if listen else "(status.listen is empty)"
        warn(f"process {pid} was told to reload, but does not say what came of it {where}: see its log")
        raise typer.Exit(ExitCode.UNAVAILABLE)
    done = answer["reload"]
    if as_json:
        print_json(done | {"channels": answer["channels"]})
    else:
        _show(answer)
    for problems in done["kept"].values():
        for problem in problems:
            typer.echo(problem, err=True)
    raise typer.Exit(ExitCode.CONFIG if done["kept"] else ExitCode.OK)


def _status(listen: str) -> dict[str, Any] | None:
    try:
        return fetch_status(listen) if listen else None
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _number(status: dict[str, Any] | None) -> int:
    last = (status or {}).get("reload")
    return 0 if last is None else int(last["number"])


def _daemon(instance: str, status: dict[str, Any] | None) -> int | None:
    """Return the daemon's process: who holds the lock of the instance, wherever that lies."""
    for path in _locks(instance, status):
        if (pid := holder(path)) is not None:
            return pid
    return None


def _locks(instance: str, status: dict[str, Any] | None) -> Iterator[Path]:
    yield lock_path(instance, os.environ)
    yield Path("/run/ampeld", instance, f"{instance}.lock")  # of our unit, seen from outside of it
    if status is not None and status.get("instance") == instance and isinstance(status.get("lock"), str):
        yield Path(status["lock"])


def _wait(listen: str, number: int, seconds: float) -> dict[str, Any] | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = _status(listen)
        if status is not None and _number(status) > number:
            return status
        time.sleep(_LOOK_S)
    return None


def _show(answer: dict[str, Any]) -> None:
    done, out = answer["reload"], console()
    rows = [(row["channel"], row["version"], row["state"], _change(row["channel"], done)) for row in answer["channels"]]
    rows += [(name, None, "gone", "removed") for name in done["removed"]]
    out.print(make_table("Channels", ("channel", "version", "", ""), rows))
    if done["waiting"]:
        out.print(f"Not through their gate yet: {', '.join(done['waiting'])}.", markup=False)


def _change(name: str, done: dict[str, Any]) -> str | None:
    if name in done["kept"]:
        return "refused"
    return next((word for word in ("added", "changed") if name in done[word]), None)
