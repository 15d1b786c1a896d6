"""`ampeld status`: ask a running daemon how it is."""

import http.client
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, warn
from ampeld.cli.run import InstanceOption
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.rules import socket_path, split_address

_TIMEOUT_S = 5.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)


def status(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    instance: InstanceOption = "main",
    as_json: JsonOption = False,
) -> None:
    """Tell how a running daemon is: its position, lag and rates, and the states of its parts.

    It is asked at `status.listen` of the configuration.

    Exit codes: 0 it answered, 69 nothing answers there.
    """
    listen = settings_for(config, sets).status.listen.replace("{instance}", instance)
    if not listen:
        warn("status.listen is empty: the daemon tells nothing of itself")
        raise typer.Exit(ExitCode.UNAVAILABLE)
    try:
        found = fetch_status(listen)
    except (OSError, http.client.HTTPException, ValueError) as error:
        warn(f"no daemon answers at {listen}: {error}")
        raise typer.Exit(ExitCode.UNAVAILABLE) from None
    if as_json:
        print_json(found)
    else:
        _print_status(console(), found)


def fetch_status(listen: str) -> dict[str, Any]:
    """Return the status document of the daemon that listens there."""
    path = socket_path(listen)
    connection = _UnixConnection(path) if path is not None else _tcp(listen)
    try:
        connection.request("GET", "/status")
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise ValueError(f"{answer.status} {answer.reason}")
        document: dict[str, Any] = json.loads(answer.read())
        return document
    finally:
        connection.close()


def _tcp(listen: str) -> http.client.HTTPConnection:
    address = split_address(listen)
    assert address is not None, f"{listen!r} was checked with the settings"
    return http.client.HTTPConnection(*address, timeout=_TIMEOUT_S)


def _print_status(out: Console, found: dict[str, Any]) -> None:
    parts = found["parts"].items()
    latency = ", ".join(f"{name} {value}" for name, value in found["latency_s"].items() if value is not None)
    rows = [
        ("instance", found["instance"]),
        ("run", found["run"]),
        ("version", found["version"]),
        ("state", found["state"]),
        ("decoder", found["decoder"]),
        ("up", f"{found['uptime_s']:.0f} s"),
        ("rate", f"{found['alerts_s']:g} alerts/s in the last minute"),
        ("latency", f"{latency} s" if latency else None),
        ("lag", None if found["lag"] is None else f"{found['lag']} alerts, {found['lag_s']} s"),
        ("outcomes", ", ".join(f"{number} {name}" for name, number in found["outcomes"].items())),
        *((name, f"{part['state']}{': ' + part['reason'] if part['reason'] else ''}") for name, part in parts),
        ("waiting for", ", ".join(found["waiting_for"]) or None),
    ]
    out.print(make_table("Daemon", ("", ""), rows))
    out.print()
    columns = ("topic", "#partition", "#position", "#committed", "#end", "#lag")
    places = [tuple(place[column.removeprefix("#")] for column in columns) for place in found["position"]]
    out.print(make_table("Position", columns, places))
    if channels := found.get("channels"):
        out.print()
        show_channels(out, channels)
    if (features := found.get("features")) and features["units"]:
        out.print()
        _show_features(out, features)


def _show_features(out: Console, features: Mapping[str, Any]) -> None:
    keys = ("in_flow", "from_tickets", "failed", "waiting")
    rows = [
        (unit, *(one[key] for key in keys), None if one["mean_ms"] is None else f"{one['mean_ms']:.2f}")
        for unit, one in features["units"].items()
    ]
    columns = ("unit", "#in the flow", "#from tickets", "#failed", "#waiting", "#ms each")
    out.print(make_table("Features", columns, rows))
    for unit in features["behind_the_flow_only"]:
        why = "it cost a measuring process; for ten minutes it is measured from tickets only"
        out.print(f"{unit}: {why}", style="yellow", markup=False)
    for unit in features["withheld"]:
        why = "a file that it measures with has changed; its tickets wait for `ampeld channel reload`"
        out.print(f"{unit}: {why}", style="yellow", markup=False)
    if features["results_refused"]:
        out.print(f"{features['results_refused']} results came when their lease had ended, and were refused")


def show_channels(out: Console, channels: Sequence[Mapping[str, Any]]) -> None:
    """Print what runs, and below it why something does not, or not as it should."""
    rows = [(row["channel"], row["version"], row["state"], row["alerts"], row["us_per_alert"]) for row in channels]
    out.print(make_table("Channels", ("channel", "version", "", "#judged", "#us per alert"), rows))
    for row in channels:
        for note in row["notes"]:
            out.print(f"{row['channel']}: {note}", style="yellow", markup=False, soft_wrap=True)
