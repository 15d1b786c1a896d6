"""The demonstration: a simulated night through embedded servers and the real daemon, and what came of it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ampeld.alert.identity import stock_of
from ampeld.demo.findings import Finding, find_transients
from ampeld.demo.process import free_port
from ampeld.demo.produce import TOPIC, create_topics, produce
from ampeld.demo.servers import EmbeddedServers, Kafka
from ampeld.demo.simulate import SimulatedNights
from ampeld.demo.truth import Truth
from ampeld.errors import AmpeldError
from ampeld.store.connection import Connection
from ampeld.store.dossier import Dossiers
from ampeld.store.reader import AccountReader
from ampeld.store.report import LedgerReport
from ampeld.story.curve import CurvePoint, curve_of, light_curve_of
from ampeld.story.telling import ObjectTold, tell

DATABASE = "ampeld_demo"
PARTITIONS = 16
POLL_S = 0.2
PATIENCE_S = 110.0
"""How long the daemon may take before the demonstration gives up."""

Tell = Callable[[str, int, int], None]
"""Told of each step: its name, how much is done, of how much."""


class DemoError(AmpeldError):
    """The demonstration could not be carried out."""


class Pace(msgspec.Struct):
    """How fast the daemon went through the night."""

    alerts_s: float = 0.0
    """Records with a durable outcome per second, from the first to the last."""
    latency_s: dict[str, float | None] = {}
    """From a record's fetch to its durable outcome: p50, p95, p99 [s]."""


class DemoResult(msgspec.Struct, frozen=True):
    """What came of the night."""

    sent: int
    report: LedgerReport
    findings: list[Finding]
    pace: Pace
    best: str | None
    """The found transient whose light curve shows most."""
    curve: list[CurvePoint]
    told: ObjectTold | None
    """Its whole story."""

    @property
    def is_good(self) -> bool:
        """Tell whether the ledger balances and every injected object is accounted for."""
        accounted = not any(finding.unaccounted for finding in self.findings)
        return self.report.balanced and accounted and self.report.received == self.sent


def run_night(directory: Path, channels: Path, *, alerts: int, seed: int, kafka: Kafka, tell: Tell) -> DemoResult:
    """Carry out the demonstration; servers and their data are gone when it returns.

    Parameters
    ----------
    directory
        Where everything is written; emptied first.
    channels
        The directory of the channels.
    alerts, seed
        How large a night, and which.
    kafka
        Which embedded broker.
    tell
        Told of the progress.

    Raises
    ------
    DemoError
        If the daemon fails or does not come to an end.
    ServerError
        If an embedded server does not start.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    tell("starting servers", 0, 1)
    with EmbeddedServers(kafka, directory=directory / "servers") as servers:
        tell("starting servers", 1, 1)
        night = SimulatedNights(seed, alerts)
        truth = asyncio.run(_send(night, servers.kafka, tell))
        truth.write(directory / "truth.json")
        pace = _run_daemon(directory, channels, servers, len(night), tell)
        return asyncio.run(_look(servers.mongodb, truth, len(night), pace))


async def _send(night: SimulatedNights, brokers: str, tell: Tell) -> Truth:
    topics = [TOPIC.format(night=night.survey.day(number)) for number in range(night.survey.nights)]
    await create_topics(brokers, topics, PARTITIONS)
    step = "simulating the night"
    return await produce(
        night, brokers, topic=TOPIC, partitions=PARTITIONS, sent=lambda sent: tell(step, sent, len(night))
    )


def _run_daemon(directory: Path, channels: Path, servers: EmbeddedServers, total: int, tell: Tell) -> Pace:
    """Run ``ampeld run --until-end`` as a user would, and watch its status page."""
    port = free_port()
    config = directory / "ampeld.toml"
    config.write_text(_config(channels, servers, port))
    command = [sys.executable, "-m", "ampeld", "run", "--config", str(config), "--until-end", "--instance", "demo"]
    log = directory / "daemon.log"
    watch = _Watch(f"http://127.0.0.1:{port}/status")
    with log.open("wb") as errors, _child(command, directory, errors) as daemon:
        began = time.monotonic()
        while daemon.poll() is None:
            tell("running the daemon", watch.look(), total)
            if time.monotonic() - began > PATIENCE_S:
                raise DemoError(f"the daemon has not come to the end of the night in {PATIENCE_S:.0f} s: see {log}")
            time.sleep(POLL_S)
    if daemon.returncode:
        raise DemoError(f"the daemon ended with exit code {daemon.returncode}: see {log}")
    tell("running the daemon", total, total)
    return watch.pace(total)


@contextmanager
def _child(command: list[str], directory: Path, errors: Any) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMPELD_")}
    environment["RUNTIME_DIRECTORY"] = str(directory)  # the lock of the instance lies here, not in the user's places
    daemon = subprocess.Popen(command, stderr=errors, stdout=errors, env=environment)  # noqa: S603  our own program
    try:
        yield daemon
    finally:
        if daemon.poll() is None:
            daemon.kill()
        daemon.wait()


class _Watch:
    """Looks at the status page until it is gone, and remembers how fast things went."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._first: tuple[float, int] | None = None
        self._last = 0.0
        self._latency: dict[str, float | None] = {}

    def look(self) -> int:
        """Return how many records have a durable outcome."""
        try:
            with urllib.request.urlopen(self._url, timeout=2) as answer:  # noqa: S310  our own status page
                status = json.load(answer)
        except (OSError, ValueError):
            return 0 if self._first is None else self._first[1]
        done = sum(status["outcomes"].values())
        self._last = time.monotonic()
        if done and self._first is None:
            self._first = (self._last, done)
        if done:
            self._latency = status["latency_s"]
        return int(done)

    def pace(self, total: int) -> Pace:
        """Return the pace from the first look at a durable outcome to the last look at all."""
        if self._first is None or self._last <= self._first[0]:
            return Pace()
        return Pace((total - self._first[1]) / (self._last - self._first[0]), self._latency)


def _config(channels: Path, servers: EmbeddedServers, port: int) -> str:
    """Return the configuration of the demonstration's daemon."""
    return f"""\
# written by `ampeld demo`
[source]
brokers = ["{servers.kafka}"]
topics = ["^ztf_[0-9]{{8}}_programid1$"]
group = "demo"
session_timeout_s = 6

[store]
uri = "{servers.mongodb}"
database = "{DATABASE}"
dead_letter_directory = "dead-letters"

[channels]
directory = {json.dumps(str(channels.absolute()))}

[status]
listen = "127.0.0.1:{port}"

[log]
format = "json"
"""


async def _look(uri: str, truth: Truth, sent: int, pace: Pace) -> DemoResult:
    """Read the account and the documents of the night."""
    connection = Connection(uri, DATABASE)
    try:
        report = await AccountReader(connection).report()
        findings = await find_transients(connection, truth.rows())
        curves = {finding.object: await _curve(connection, finding.object) for finding in findings if finding.found_by}
        best = max(curves, key=lambda name: _interest(curves[name]), default=None)
        dossier = await Dossiers(connection).load(stock_of(best)) if best else None
    finally:
        await connection.close()
    told = None if dossier is None else tell(dossier, "ztf")
    return DemoResult(sent, report, findings, pace, best, curves[best] if best else [], told)


def _interest(curve: Sequence[CurvePoint]) -> float:
    """Return how much there is to see in a light curve: limits, then many detections that change much in a band."""
    seen = [point for point in curve if not (point.limit or point.negative)]
    if not seen:
        return 0.0
    before = sum(point.limit and point.jd < seen[0].jd for point in curve)
    bands = [[point.mag for point in seen if point.band == band] for band in {point.band for point in seen}]
    change = max(max(mags) - min(mags) for mags in bands)
    return len(seen) * change * (1 + min(before, 5))


async def _curve(connection: Connection, name: str) -> list[CurvePoint]:
    points = await connection["t0"].find({"stock": stock_of(name)}, {"body": 1}).to_list(None)
    return curve_of(light_curve_of("ztf", points))
