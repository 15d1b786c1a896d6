"""The account as tables: partitions, channels, funnels, and what does not add up."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from rich.console import Console

from ampeld.cli.output import console, make_table, print_json
from ampeld.store.reader import AlertAccount
from ampeld.store.report import ChannelReport, LedgerReport, PartitionReport

_COUNTS = ("received", "stored", "filtered", "duplicate", "dead_lettered", "gaps")
_MOST_PROBLEMS = 50


def show_report(report: LedgerReport, *, as_json: bool) -> bool:
    """Print the ledger report and return whether it balances."""
    if as_json:
        print_json(report)
        return report.balanced
    out = console()
    _print_partitions(out, report)
    _print_channels(out, report.channels)
    for problem in report.problems[:_MOST_PROBLEMS]:
        out.print(f"does not balance: {problem}", style="red", markup=False, soft_wrap=True)
    if len(report.problems) > _MOST_PROBLEMS:
        out.print(f"… and {len(report.problems) - _MOST_PROBLEMS} more")
    out.print("The ledger balances." if report.balanced else "The ledger does not balance.", style="bold")
    return report.balanced


def show_alert(accounts: Sequence[AlertAccount], *, as_json: bool) -> None:
    """Print how an alert ended, each time that it came."""
    if as_json:
        print_json(accounts)
        return
    out = console()
    for account in accounts:
        title = f"{account.candid} at {account.coordinates}: {account.outcome}"
        rows = [(verdict.channel, verdict.verdict, verdict.version) for verdict in account.verdicts]
        out.print(make_table(title, ("channel", "verdict", "version"), rows))
        out.print(f"run {account.run}, written {account.written}\n", style="dim", markup=False)


def _print_partitions(out: Console, report: LedgerReport) -> None:
    rows: list[tuple[object, ...]] = [
        (part.topic, part.partition, _range(part), *(getattr(part, name) for name in _COUNTS))
        for part in report.partitions
        if not part.topic.startswith("/")
    ]
    files: dict[str, Counter[str]] = {}
    for part in report.partitions:
        if part.topic.startswith("/"):
            found = files.setdefault(_place(part.topic), Counter())
            found["files"] += 1
            found.update({name: getattr(part, name) for name in _COUNTS})
    rows += [
        (place, None, f"{counts['files']} files" if counts["files"] > 1 else "1 file", *(counts[n] for n in _COUNTS))
        for place, counts in sorted(files.items())
    ]
    rows.append(("total", None, None, *(getattr(report, name) for name in _COUNTS)))
    names = [f"#{name.replace('_', '-')}" for name in _COUNTS]
    out.print(make_table("Ledger", ("topic", "#partition", "offsets", *names), rows))
    out.print()


def _print_channels(out: Console, channels: dict[str, ChannelReport]) -> None:
    rows = [(name, c.seen, c.accepted, c.rejected, c.errored, c.skipped) for name, c in channels.items()]
    out.print(make_table("Channels", ("channel", "#seen", "#accepted", "#rejected", "#errored", "#skipped"), rows))
    out.print()
    for name, channel in channels.items():
        left = channel.seen - channel.errored
        steps: list[tuple[object, ...]] = []
        for cut, failed in channel.cuts.items():
            left -= failed
            steps.append((cut, failed, left))
        if steps:
            out.print(make_table(f"Funnel of {name}", ("cut", "#failed here", "#left"), steps))
            out.print()


def _place(path: str) -> str:
    """Return an archive itself, and for a single file its directory."""
    return path if not path.endswith(".avro") else f"{PurePath(path).parent}/"


def _range(part: PartitionReport) -> str:
    return "-" if part.first is None or part.end is None else f"{part.first}..{part.end - 1}"
