"""`ampeld demo`: a simulated night from Kafka to MongoDB on embedded servers, in two minutes."""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ampeld.cli.account import show_report
from ampeld.cli.options import JsonOption
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.exits import ExitCode
from ampeld.demo.findings import Finding
from ampeld.demo.night import DemoResult, Tell, run_night
from ampeld.demo.servers import Kafka
from ampeld.story.curve import CurvePoint, draw
from ampeld.story.telling import ObjectTold

_PICKED = ("num_detections", "t_lc", "bool_rising", "mag_peak", "age", "n_nights", "rise_rate", "rise_rate_err")
"""Values that say most about a young transient."""
_KINDS = {"sn_ia": "type Ia supernova", "sn_ii": "type II supernova", "fast": "fast transient"}


def demo(
    *,
    alerts: Annotated[int, typer.Option(min=100, help="How large a night.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Which night; the same seed gives the same one.")] = 3,
    directory: Annotated[Path, typer.Option(help="Where everything is written; emptied first.")] = Path("var/demo"),
    channels: Annotated[Path, typer.Option(help="The channels to run.")] = Path("channels"),
    kafka: Annotated[Kafka, typer.Option(help="Which embedded broker; apache needs java and mvn.")] = "tansu",
    as_json: JsonOption = False,
) -> None:
    """Show what ampeld does: a simulated night through an embedded Kafka, the daemon, and an embedded MongoDB.

    Ends with the ledger, each channel's funnel, which of the injected transients each channel found, the pace,
    and the best object's light curve, with a picture beside it.

    Try:

      ampeld demo

      ampeld demo --alerts 10000 --seed 7 --kafka apache

    Exit codes: 0 the ledger balances and every injected transient is accounted for, 1 not, 69 a server fails.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C does, it takes servers and daemon along
    directory = directory.absolute()
    os.environ.setdefault("MPLCONFIGDIR", str(directory / "matplotlib"))
    with _progress() as tell_of:
        result = run_night(directory, channels, alerts=alerts, seed=seed, kafka=kafka, tell=tell_of)
    plot = directory / "lightcurve.png"
    if result.best:
        from ampeld.story.figure import picture  # noqa: PLC0415  a second that others need not wait

        picture(result.curve, _title(result), plot)
    if result.told:
        _write_story(result.told, result.curve, directory / "story.html")
    if as_json:
        print_json({"good": result.is_good, "picture": str(plot) if result.best else None, "result": result})
    else:
        _show(result, plot, directory)
    raise typer.Exit(ExitCode.OK if result.is_good else ExitCode.FAILED)


class _progress:  # noqa: N801  a context that is used like a function
    """One bar for each step, on standard error."""

    def __enter__(self) -> Tell:
        columns = (TextColumn("{task.description:22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._bars.start()
        self._tasks: dict[str, int] = {}
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _tell(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], completed=done, total=total)  # type: ignore[arg-type]


def _title(result: DemoResult) -> str:
    (kind,) = {finding.type for finding in result.findings if finding.object == result.best}
    return f"{result.best}, a simulated {_KINDS.get(kind, kind)}"


def _show(result: DemoResult, plot: Path, directory: Path) -> None:
    out = console()
    out.print()
    show_report(result.report, as_json=False)
    out.print()
    _show_findings(out, result)
    latency = ", ".join(f"{name} {value:.2f} s" for name, value in result.pace.latency_s.items() if value is not None)
    out.print(f"{result.pace.alerts_s:.0f} alerts/s; from fetch to durable outcome: {latency or 'not seen'}.")
    out.print("(A backlog was drained here, so latency is time in the pipeline.)\n", style="dim")
    if result.best:
        out.print(draw(result.curve, _title(result)))
        out.print(f"The same as a picture: {plot}", soft_wrap=True)
    if result.told:
        _show_features(out, result.told, directory / "story.html")
    _show_way_on(out, directory)


def _show_findings(out: Console, result: DemoResult) -> None:
    findings = result.findings
    rows = []
    for name in result.report.channels:
        found = sum(name in finding.found_by for finding in findings)
        reasons = Counter(finding.dropped_by[name] for finding in findings if name in finding.dropped_by)
        why = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(4))
        rows.append((name, len(findings), found, len(findings) - found, why))
    columns = ("channel", "#injected", "#found", "#missed", "the last alert of those missed was")
    out.print(make_table("Injected transients", columns, rows))
    _show_unaccounted(out, findings)
    if result.report.received != result.sent:
        out.print(f"{result.sent} alerts were sent, {result.report.received} received.", style="bold red")
    out.print()


def _show_unaccounted(out: Console, findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.unaccounted:
            out.print(f"{finding.object} is not accounted for: {finding.unaccounted}", style="bold red")


def _write_story(told: ObjectTold, curve: Sequence[CurvePoint], path: Path) -> None:
    from ampeld.story.page import page  # noqa: PLC0415  a second that others need not wait

    path.write_text(page(told, curve, {}), encoding="utf-8")


def _show_features(out: Console, told: ObjectTold, page: Path) -> None:
    """Show some of what was measured in the flow of its newest state."""
    newest = [feature for feature in told.features if feature.newest and feature.body is not None]
    rows = [
        (feature.unit, key, f"{value:.6g}" if isinstance(value, float) else value)
        for feature in newest
        for key in _PICKED
        if (value := (feature.body or {}).get(key)) is not None
    ]
    out.print(f"Its whole story, with all that was measured of it: {page}\n", soft_wrap=True)
    if rows:
        out.print(make_table("Some of its features", ("unit", "value", "#"), rows))
        took = sum(feature.ms or 0.0 for feature in newest)
        out.print(f"Measured in {took:.2g} ms, in the flow, and stored with the state.\n", style="dim")


def _show_way_on(out: Console, directory: Path) -> None:
    out.print("How to go on", style="bold")
    for command, what in (
        (".venv/bin/ampeld servers", "start the embedded servers and keep them"),
        (".venv/bin/ampeld simulate --out night --alerts 500", "make a night of your own"),
        (".venv/bin/ampeld check", "check the configuration and every channel"),
        (f"less {directory / 'daemon.log'}", "read what the daemon logged"),
    ):
        out.print(f"  {command:52} {what}", soft_wrap=True, markup=False, highlight=False)
    out.print("  docs/tutorial.md leads from here to a channel of your own.", markup=False)
