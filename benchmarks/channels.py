"""What a channel costs: time of the filters alone for each alert, and the daemon's rate with 10 and with 100 channels.

The filters are the shipped ``decent`` with other numbers. Asked one by one, as authors' own filters are, they share
what has no parameter in it: in the rows "alike" two parameters differ from channel to channel, in the rows "unlike"
every one. Judged together, as the daemon judges built-in filters that differ in numbers only, likeness makes no
difference. Decoding is not in these rows, what is made of the decoded columns is.

In the second part a simulated night goes through a real Apache Kafka; daemons with 10 and with 100 channels take turns
on it, 1.5 % of the alerts are accepted by each channel, and the ratio is that of two runs one after the other.
Medians are printed.

    python benchmarks/channels.py --quick
"""

import argparse
import json
import os
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from bench import CACHE_GB, DECENT, Bench, decent_channels, fill, make_topic
from night import Night
from rich.console import Console
from rich.table import Table
from throughput import SAMPLE, passing_score

from ampeld.alert.decode import Decoder
from ampeld.alert.table import AlertTable
from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.decent import DecentFilter
from ampeld.channel.family import Families
from ampeld.channel.judge import judge, learn_cuts
from ampeld.demo.servers import EmbeddedServers

FEW, MANY = 10, 100
BATCHES = (256, 512)
ALERTS = 1024
KEPT = ("gaia_rs", "min_ndet", "max_nbad")
"""Parameters that are whole numbers or switch something on."""

Channels = list[tuple[DecentFilter, CutNames]]
Row = tuple[str, float, str, str]
"""What, the number, its unit, and what is asked for."""


def make_channels(count: int, *, unlike: bool) -> Channels:
    """Return filters with the parameters of the shipped channel, changed a little."""
    shipped: dict[str, Any] = tomllib.loads(DECENT.read_text())["params"]
    channels: Channels = []
    for number in range(count):
        changed = {"min_rb": shipped["min_rb"] + number * 1e-6, "max_fwhm": shipped["max_fwhm"] + number * 1e-3}
        if unlike:
            free = {name: value for name, value in shipped.items() if name not in KEPT}
            changed = {name: value * (1 + number * 1e-4) + number * 1e-6 for name, value in free.items()}
        made, names = DecentFilter(**(shipped | changed)), CutNames()
        learn_cuts(made, names)
        channels.append((made, names))
    return channels


def one_by_one(channels: Channels) -> Callable[[Columns], None]:
    """Return what asks each of the filters."""

    def ask(columns: Columns) -> None:
        for made, names in channels:
            judge(made, columns, names)

    return ask


def together(channels: Channels) -> Callable[[Columns], None]:
    """Return what asks all of the filters at once."""
    found = Families(channels).find(channels[0][1])
    if found is None:
        raise SystemExit("the channels are no family")

    def ask(columns: Columns) -> None:
        if found[0].judge(columns) is None:
            raise SystemExit("the channels cannot be judged together")

    return ask


def filter_cost(
    decode: Callable[[int], list[AlertTable]], size: int, ask: Callable[[Columns], None], rounds: int
) -> float:
    """Return the time of the filters for each alert [s], the median over rounds."""
    found = []
    for _ in range(rounds):
        tables = decode(size)
        began = time.process_time()
        for table in tables:
            ask(Columns(table))
        found.append((time.process_time() - began) / sum(map(len, tables)))
    return median(found)


def filters(packets: Sequence[bytes], rounds: int) -> list[Row]:
    """Return the rows of the filters alone."""
    decoder = Decoder(2 * 2**20)

    def decode(size: int) -> list[AlertTable]:
        return [decoder.decode(packets[at : at + size]).table for at in range(0, len(packets), size)]

    rows: list[Row] = []
    for size in BATCHES:
        for count in (FEW, MANY):
            unlike = make_channels(count, unlike=True)
            asked = {
                "alike, one by one": one_by_one(make_channels(count, unlike=False)),
                "unlike, one by one": one_by_one(unlike),
                "together": together(unlike),
            }
            for how, ask in asked.items():
                cost = 1e6 * filter_cost(decode, size, ask, rounds) / count
                rows.append(
                    (f"{count} filters {how}, {size}", cost, "us/alert/filter", "≤ 1.2" if count == MANY else "")
                )
    return rows


def daemons(bench: Bench, night: Night, runs: int, say: Callable[[str], None]) -> list[Row]:
    """Return the rows of whole daemons."""
    score = passing_score(night[:SAMPLE])
    few, many = (decent_channels(bench.directory / f"c{count}", count, score) for count in (FEW, MANY))
    say("filling the topic")
    uvloop.run(_fill(bench, night))
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    used: dict[int, list[float]] = {FEW: [], MANY: []}
    for number in range(runs):
        for count, channels in ((FEW, few), (MANY, many)):
            say(f"run {number + 1} of {runs}: {count} channels")
            found = bench.drain("night", channels)
            rates[count].append(found["rate"])
            used[count].append(1e6 * found["cpu"] / len(night))
    share = median(slow / fast for fast, slow in zip(rates[FEW], rates[MANY], strict=True))
    return [
        (f"daemon with {FEW} channels", median(rates[FEW]), "alerts/s", ""),
        (f"daemon with {MANY} channels", median(rates[MANY]), "alerts/s", ""),
        (f"  share of the rate with {FEW}", 100 * share, "%", "≥ 70"),
        (f"CPU of the daemon with {FEW}, its start included", median(used[FEW]), "us/alert", ""),
        (f"CPU of the daemon with {MANY}, its start included", median(used[MANY]), "us/alert", ""),
    ]


async def _fill(bench: Bench, night: Night) -> None:
    await make_topic(bench.pair.kafka, "night")
    await fill(bench.pair.kafka, "night", night, night.objects)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, help="of the night: 24000, with --quick 3000")
    parser.add_argument("--runs", type=int, help="of each daemon, and rounds of the filters: 5, with --quick 1 and 3")
    parser.add_argument("--filters-only", action="store_true", help="no servers and no daemons")
    parser.add_argument("--isolation", choices=["process", "none"], default="process", help="of the channels' code")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="in a minute, once the night has been simulated")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    alerts = options.alerts or (3000 if options.quick else 24000)
    runs = options.runs or (1 if options.quick else 5)
    console = Console(stderr=True)
    console.log("simulating the night")
    night = Night(options.seed, alerts)
    console.log("filters")
    rows = filters(night[:ALERTS], max(3, runs))
    if not options.filters_only:
        settings = {"channels.isolation": options.isolation}
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            with EmbeddedServers("apache", directory=directory / "servers", cache_gb=CACHE_GB) as pair:
                rows += daemons(Bench(directory, pair, settings), night, runs, console.log)
    if options.json:
        names = ("what", "value", "unit", "asked")
        numbers = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps({"alerts": len(night), "runs": runs, "cpus": os.cpu_count(), "rows": numbers}))
        return
    table = Table("what", "median", "", "asked for", title=f"{len(night)} alerts, {runs} runs, {os.cpu_count()} CPUs")
    table.columns[1].justify = "right"
    for what, value, unit, ask in rows:
        table.add_row(what, f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}", unit, ask)
    Console().print(table)


if __name__ == "__main__":
    main()
