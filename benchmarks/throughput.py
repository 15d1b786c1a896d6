"""The claims on speed: alerts per second beside what aiokafka alone can read and beside AMPEL, latency, memory, CPU.

A simulated night of packets of real size, three alerts per object, goes through a real Apache Kafka into an empty
MongoDB; brokers, store and daemon share the machine. In each run a bare aiokafka loop (default settings, CRC check)
reads the topic before and after each daemon, so that both see the same machine in the same minute, and their ratio says
more than either number. Medians over the runs are printed, ratios within one run.

Rates are those of the middle eight tenths of the alerts, by verdict blocks, so that no start bends them. Latency is
from the send of an alert to the news of its verdict block in a change stream. Memory is the sum of PSS over the daemon
and its children. Daemons of one group are compared at a fixed rate, by all the processor time that they use meanwhile.

    python benchmarks/throughput.py --quick
    python benchmarks/throughput.py --peer-venv peer/venv --peer peer/ampel_peer.py
"""

import argparse
import json
import os
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import uvloop
from bench import CACHE_GB, DECENT, Bench, Numbers, decent_channels, fill, make_topic, pass_all_channel
from night import Night
from paced import group_cost, latency
from peer import Peer
from rich.console import Console
from rich.table import Table

from ampeld.alert.decode import Decoder
from ampeld.channel.cutnames import CutNames
from ampeld.channel.decent import DecentFilter
from ampeld.channel.judge import judge
from ampeld.demo.servers import EmbeddedServers
from ampeld.flow.verdict import accepts

CHANNELS = 10
PASSING = 0.015
NEVER = 1.0
"""A real-bogus score that no alert exceeds."""
SAMPLE = 3000
PEER_REJECTED, PEER_ACCEPTED = 1500, 500
"""Alerts that AMPEL is given: its rates do not depend on the length of a run."""
FEATURES = ("LightCurveSummary", "RiseDecline", "YoungTransient")
"""What is measured in the flow of every state that a channel makes, where that is compared with measuring nothing."""
LOAD = 0.4
"""Where daemons are compared: at this part of one daemon's rate, so that none is saturated."""

ORDER = ("none", "some", "measuring", "measuring", "some", "every")
"""Of the daemons of one run: with features and without are compared twice, once in each order."""

Row = tuple[str, float, str, str]
"""What, the number, its unit, and what is asked for."""


def passing_score(packets: Sequence[bytes]) -> float:
    """Return the real-bogus score above which the shipped ``decent`` accepts the wanted part of the alerts."""
    table = Decoder(2 * 2**20).decode(packets).table
    parameters = tomllib.loads(DECENT.read_text())["params"]
    taken = accepts(judge(DecentFilter(**parameters), table, CutNames()).codes)
    scores = np.sort(table.scalar("rb").values[taken])
    wanted = round(PASSING * len(table))
    return float(scores[-wanted]) if wanted < len(scores) else float(parameters["min_rb"])


class Runs:
    """Alternate runs of the bare loop and of daemons over one topic."""

    def __init__(self, bench: Bench, topic: str, count: int) -> None:
        self._bench = bench
        self._topic = topic
        self._count = count
        self.bare: list[Numbers] = []
        self.pss: list[float] = []
        self._before = self._read()

    def _read(self) -> float:
        found = self._bench.bare(self._topic, self._count)
        self.bare.append(found)
        return found["rate"]

    def drain(self, channels: Path) -> Numbers:
        """Return a daemon's rate, its share of the bare loop's before and after it, CPU and accepted part."""
        found = self._bench.drain(self._topic, channels)
        before, self._before = self._before, self._read()
        self.pss.append(found["pss"])
        return {
            "rate": found["rate"],
            "share": 2 * found["rate"] / (before + self._before),
            "cpu": found["cpu"] / self._count,
            "accepted": (found["stored"] + found["duplicate"]) / self._count,
            "features": found["features"],
            "tickets": found["tickets"],
        }


def medians(runs: Sequence[Numbers]) -> Numbers:
    """Return the median of each number."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def measure(bench: Bench, night: Night, options: argparse.Namespace, say: Callable[[str], None]) -> list[Row]:
    """Return the rows of the table."""
    score = passing_score(night[:SAMPLE])
    none = decent_channels(bench.directory / "none", CHANNELS, NEVER)
    some = decent_channels(bench.directory / "some", CHANNELS, score)
    measuring = decent_channels(bench.directory / "measuring", CHANNELS, score, FEATURES)
    every = pass_all_channel(bench.directory / "every")
    say("filling the topic")
    uvloop.run(_fill(bench, night))
    runs = Runs(bench, "night", len(night))
    directories = {"none": none, "some": some, "measuring": measuring, "every": every}
    found: dict[str, list[Numbers]] = {name: [] for name in directories}
    for number in range(options.runs):
        for name in ORDER:
            say(f"run {number + 1} of {options.runs}: channels {name}")
            found[name].append(runs.drain(directories[name]))
    rejecting, passing, with_features, storing = (medians(of_one) for of_one in found.values())
    kept = [one["rate"] / other["rate"] for one, other in zip(found["measuring"], found["some"], strict=True)]
    bare = medians(runs.bare)
    rows: list[Row] = [
        ("bare aiokafka loop", bare["rate"], "alerts/s", ""),
        (f"{CHANNELS} channels that reject everything", rejecting["rate"], "alerts/s", ""),
        ("  share of the bare loop", 100 * rejecting["share"], "%", "≥ 80"),
        (f"{CHANNELS} channels, {100 * passing['accepted']:.1f} % accepted", passing["rate"], "alerts/s", ""),
        ("  share of the bare loop", 100 * passing["share"], "%", "≥ 60"),
        (f"  with {len(FEATURES)} features in the flow", with_features["rate"], "alerts/s", ""),
        ("  of the rate without", 100 * median(kept), "%", "≥ 85"),
        ("  results, by then", with_features["features"], "documents", ""),
        ("  tickets, by then", with_features["tickets"], "documents", "0"),
        ("pass-all channel", storing["rate"], "alerts/s", ""),
    ]
    rows.append(("CPU of the bare loop", 1e6 * bare["cpu"], "us/alert", ""))
    for what, numbers in (("rejecting", rejecting), ("1.5 %", passing), ("pass-all", storing)):
        rows.append((f"CPU of the daemon, {what}", 1e6 * numbers["cpu"], "us/alert", ""))
    rows.append(("memory while catching up, peak", max(runs.pss), "MB", "< 500"))
    if options.peer_venv is not None:
        say("AMPEL")
        rows += _against_peer(bench, night, options, passing["rate"], storing["rate"])
    say(f"{options.rate:g} alerts/s for {options.seconds:g} s")
    late = uvloop.run(latency(bench, night, some, options.rate, options.seconds))
    wanted = {"p95": "< 1000"}
    rows += [
        (f"latency at {options.rate:g}/s, {name}", 1000 * late[name], "ms", wanted.get(name, ""))
        for name in ("p50", "p95", "p99")
    ]
    rows.append((f"memory in {options.seconds:g} s at {options.rate:g}/s, peak", late["pss"], "MB", "< 500"))
    rows.append(("  last quarter against the second", 100 * late["growth"], "%", "flat"))
    return rows + _groups(bench, night, some, options, rate=LOAD * passing["rate"], say=say)


async def _fill(bench: Bench, night: Night) -> None:
    await make_topic(bench.pair.kafka, "night")
    await fill(bench.pair.kafka, "night", night, night.objects)


def _against_peer(bench: Bench, night: Night, options: argparse.Namespace, passing: float, storing: float) -> list[Row]:
    peer = Peer(options.peer_venv, options.peer)
    packets = night[:PEER_REJECTED]
    scores = Decoder(2 * 2**20).decode(packets).table.scalar("rb").values
    some = peer.rate(
        packets,
        channels=CHANNELS,
        min_rb=float(np.nanquantile(scores, 1 - PASSING)),
        mongodb=bench.pair.mongodb,
        directory=bench.directory,
    )
    every = peer.rate(
        night[:PEER_ACCEPTED], channels=1, min_rb=-1, mongodb=bench.pair.mongodb, directory=bench.directory
    )
    return [
        (f"AMPEL, {CHANNELS} channels, 1.5 % accepted", some, "alerts/s", ""),
        ("  ampeld by AMPEL", passing / some, "x", "≥ 5"),
        ("AMPEL, accepting everything", every, "alerts/s", ""),
        ("  ampeld by AMPEL", storing / every, "x", "≥ 5"),
    ]


def _groups(
    bench: Bench,
    night: Night,
    channels: Path,
    options: argparse.Namespace,
    *,
    rate: float,
    say: Callable[[str], None],
) -> list[Row]:
    rows: list[Row] = []
    one = 0.0
    for daemons in options.daemons:
        say(f"{daemons} daemons at {rate:.0f} alerts/s")
        cost = uvloop.run(group_cost(bench, night, channels, daemons=daemons, rate=rate, seconds=options.group_seconds))
        one = one or cost
        rows.append((f"CPU per alert, {daemons} daemons at {rate:.0f}/s", 1e6 * cost, "us/alert", ""))
        if daemons > 1:
            rows.append(("  against one", 100 * (cost / one - 1), "%", "within 15"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, help="of the night: 24000, with --quick 3000")
    parser.add_argument("--runs", type=int, help="3, with --quick 1")
    parser.add_argument("--rate", type=float, default=333.0, help="alerts per second where latency is measured")
    parser.add_argument("--seconds", type=float, help="for how long: 600, with --quick 4")
    parser.add_argument("--group-seconds", type=float, help="for how long each group of daemons works: 30 and 3")
    parser.add_argument("--daemons", type=int, nargs="+", help="sizes of groups: 1 2 4, with --quick none")
    parser.add_argument("--peer-venv", type=Path, help="an environment with AMPEL; without one its rows are left out")
    parser.add_argument("--peer", type=Path, help="the script that runs AMPEL's alert consumer there")
    parser.add_argument("--isolation", choices=["process", "none"], default="process", help="of the channels' code")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="in a minute, once the night has been simulated")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    if (options.peer_venv is None) != (options.peer is None):
        parser.error("--peer-venv and --peer belong together")
    usual = {"alerts": 24000, "runs": 3, "seconds": 600.0, "group_seconds": 30.0, "daemons": [1, 2, 4]}
    quick = {"alerts": 3000, "runs": 1, "seconds": 4.0, "group_seconds": 3.0, "daemons": []}
    for name, value in (quick if options.quick else usual).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    console = Console(stderr=True)
    console.log("simulating the night")
    night = Night(options.seed, options.alerts)
    settings = {"channels.isolation": options.isolation}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with EmbeddedServers("apache", directory=directory / "servers", cache_gb=CACHE_GB) as pair:
            rows = measure(Bench(directory, pair, settings), night, options, console.log)
    if options.json:
        names = ("what", "value", "unit", "asked")
        numbers = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps({"alerts": len(night), "runs": options.runs, "cpus": os.cpu_count(), "rows": numbers}))
        return
    about = f"{len(night)} alerts of {len(set(night.objects))} objects, {options.runs} runs, {os.cpu_count()} CPUs"
    table = Table("what", "median", "", "asked for", title=about)
    table.columns[1].justify = "right"
    for what, value, unit, ask in rows:
        table.add_row(what, f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}", unit, ask)
    Console().print(table)


if __name__ == "__main__":
    main()
