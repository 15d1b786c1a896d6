"""The daemon as a user runs it, ``ampeld run`` in a process of its own: start, signal, kill, and look at what it says."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient
from support.streams import CHANNELS, FILTERS

from ampeld.demo.process import ServerProcess
from ampeld.store.blocks import decode_block, rows_of

COMMAND = Path(sys.executable).with_name("ampeld")
SESSION_S = 2.0


def until(holds: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Poll until something holds and return it; name it when it does not within the time."""
    end = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return found


class Daemon(ServerProcess):
    """One ``ampeld run`` or ``ingest``; its port is that of its status page, its log all that it writes."""

    start_timeout_s = 40.0

    def __init__(
        self, site: "Site", instance: str, arguments: Sequence[str], failpoint: str | None, command: str = "run"
    ) -> None:
        super().__init__(site.directory / "run")
        self.name = instance
        self._config = site.config
        self._arguments = list(arguments)
        self._command = command
        self._failpoint = failpoint
        self._said_before = 0
        self._bytecode = [f"{name}={value}" for name, value in site.bytecode.items()]

    def launch(self) -> None:
        """Start the process; what it said in an earlier life is no longer asked for."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        super().launch()

    def command(self) -> Sequence[str]:
        """Return the command line."""
        variables = [
            f"RUNTIME_DIRECTORY={self.directory}",
            f"AMPELD_FAILPOINT={self._failpoint or ''}",
            *self._bytecode,
        ]
        listen = f'status.listen="127.0.0.1:{self.port}"'
        arguments = [self._command, "-c", str(self._config), "--instance", self.name, "--set", listen, *self._arguments]
        return ["/usr/bin/env", *variables, str(COMMAND), *arguments]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> int:
        """Return the exit code (of a signal, negative) once the process has ended by itself."""
        process = self._running()
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} has not ended after {timeout_s:g} s:\n{self.log_tail(40)}") from None
        self._process = None
        return code

    def events(self) -> list[dict[str, Any]]:
        """Return the log of this life."""
        text = self.log.read_bytes()[self._said_before :].decode() if self.log.exists() else ""
        return [
            json.loads(line) for line in text.splitlines(keepends=True) if line.startswith("{") and line[-1] == "\n"
        ]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the log's lines of one event."""
        return [line for line in self.events() if line.get("event") == event]

    def status(self) -> dict[str, Any]:
        """Return the status document that the daemon serves."""
        with urllib.request.urlopen(f"http://{self.address}/status", timeout=5) as answer:
            return json.loads(answer.read())

    def quiet_s(self) -> float:
        """Return for how long the daemon has said nothing."""
        return time.time() - self.log.stat().st_mtime  # noqa: TID251  a file's time is of the wall clock


def channel_file(filter_: str, access: Sequence[str], params: Mapping[str, Any] | None = None) -> str:
    """Return the text of a channel's file."""
    lines = [
        f'filter = "{filter_}"',
        'contact = "nobody@example.org"',
        f"access = {json.dumps(list(access))}",
        "[params]",
    ]
    return "\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in (params or {}).items())])


def made_up_channels() -> dict[str, str]:
    """Return the files of the channels of `support.streams`."""
    return {name: channel_file(f"rules.py:{filter_}", access) for name, (filter_, access) in CHANNELS.items()}


class Site:
    """A configuration on some servers: a group, a database, channels; a context that ends all its daemons.

    Parameters
    ----------
    channels
        By name: the text of a channel's file; by default those of `support.streams`.
    changes
        Settings by their dotted keys.
    """

    def __init__(
        self,
        directory: Path,
        kafka: str,
        mongodb: str,
        topics: Sequence[str],
        name: str,
        *,
        channels: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        self.directory = directory / name
        self.kafka = kafka
        self.mongodb = mongodb
        self.group = self.database = name
        self.config = self.directory / "ampeld.toml"
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongodb, tz_aware=True)
        self.db = self.client[name]
        self._daemons: list[Daemon] = []
        # Dozens of processes start: they compile their imports once, wherever the installation keeps no bytecode.
        shared = None if sys.dont_write_bytecode else sys.pycache_prefix
        self.bytecode = {"PYTHONPYCACHEPREFIX": shared or f"{directory.parent}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        self._write_channels(channels or made_up_channels())
        settings = {
            "source.brokers": [kafka],
            "source.topics": list(topics),
            "source.group": name,
            "source.session_timeout_s": SESSION_S,
            "source.max_batch": 10,
            "store.uri": mongodb,
            "store.database": name,
            "store.timeout_s": 5.0,
            "log.format": "json",
            **changes,
        }
        self.config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))

    def _write_channels(self, files: Mapping[str, str]) -> None:
        channels = self.directory / "channels"
        channels.mkdir(parents=True)
        (channels / "rules.py").write_text(FILTERS)
        for name, text in files.items():
            (channels / f"{name}.toml").write_text(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in self._daemons:
            daemon.kill()
        self.client.close()

    def start(
        self, instance: str = "main", *arguments: str, failpoint: str | None = None, command: str = "run"
    ) -> Daemon:
        """Return a daemon whose process is on its way; it may live a short time only."""
        daemon = Daemon(self, instance, arguments, failpoint, command)
        self._daemons.append(daemon)
        daemon.launch()
        return daemon

    def drain(self, instance: str = "last", timeout_s: float = 60.0) -> Daemon:
        """Run a daemon to the present end of the topics."""
        daemon = self.start(instance, "--until-end")
        code = daemon.wait(timeout_s)
        assert code == 0, f"exit code {code}:\n{daemon.log_tail(40)}"
        return daemon

    def ampeld(self, *arguments: str, timeout_s: float = 60.0) -> "subprocess.CompletedProcess[str]":
        """Run a command of ampeld with this configuration."""
        command = [str(COMMAND), *arguments, "-c", str(self.config)]
        variables = os.environ | self.bytecode
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=timeout_s, check=False)

    def ledger(self) -> dict[str, Any]:
        """Return the account that ``ampeld ledger`` gives."""
        done = self.ampeld("ledger", "--json")
        assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)

    def stored_places(self) -> set[tuple[str, int, int]]:
        """Return the coordinates that have a verdict."""
        places = set()
        for document in self.db["verdict_blocks"].find():
            where = [row.coordinates for row in rows_of(decode_block(document))]
            places |= {(place.topic, place.partition, place.offset) for place in where}
        return places

    def rows(self) -> int:
        """Return how many rows all verdict blocks have, repeats included."""
        return sum(block["n"] for block in self.db["verdict_blocks"].find({}, {"n": 1}))


def moment(chance: random.Random, longest_s: float) -> None:
    """Let a random time pass: the moment of a kill must not depend on what the daemon does."""
    time.sleep(chance.uniform(0, longest_s))
