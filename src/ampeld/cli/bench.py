"""What came of running a channel, as tables and as the JSON document that scripts rely on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from ampeld.cli.output import console, make_table, warn
from ampeld.testing.result import AcceptedAlert, Bench, Changed, ChannelResult, Difference

_SHOWN: Final = 50
_SHOWN_CHANGES: Final = 20
_JD_OF_1970: Final = 2440587.5


def bench_document(bench: Bench) -> dict[str, Any]:
    """Return the JSON document of a run."""
    result = bench.result
    document: dict[str, Any] = {
        "channel": result.channel,
        "version": result.version,
        "seen": result.seen,
        "accepted": [{"object": one.object, "candid": one.candid, "group": one.group} for one in result.accepted],
        "cuts": {name: {"rejected": cut.rejected, "alone": cut.alone} for name, cut in result.cuts.items()},
        "us_per_alert": round(result.us_per_alert, 3),
        "skipped": result.skipped,
        "errored": result.errored,
        "errors": result.errors,
        "unreadable": bench.refused,
    }
    if bench.difference is not None:
        document["diff"] = bench.difference
    return document


def show_bench(bench: Bench) -> None:
    """Print funnel, difference, errors and what was accepted."""
    out, result = console(), bench.result
    _print_funnel(out, result)
    if bench.difference is not None:
        _print_difference(out, result.channel, bench.difference)
    _print_accepted(out, result.accepted)
    _print_errors(out, result)
    _print_summary(out, bench)
    if bench.refused:
        first = bench.refusals[0]
        warn(f"{bench.refused} records are no alerts; the first, {first.coordinates}: {first.reason}")
    if bench.damage is not None:
        warn(bench.damage)


def _print_funnel(out: Console, result: ChannelResult) -> None:
    left = result.seen - result.errored
    rows: list[tuple[object, ...]] = [("seen", None, left, None)]
    for name, count in result.cuts.items():
        left -= count.rejected
        rows.append((name, count.rejected, left, count.alone))
    title = f"Funnel of {result.channel}"
    out.print(make_table(title, ("cut", "#rejected here", "#left", "#would reject alone"), rows))
    if result.codes:
        codes = ", ".join(f"-{code}: {number}" for code, number in result.codes.items())
        out.print(f"accept's codes: {codes}", style="dim", highlight=False)
    out.print()


def _print_difference(out: Console, name: str, difference: Difference) -> None:
    against = difference.other if difference.other != name else f"version {difference.version}"
    title = f"Against {against}: {difference} objects"
    rows = [
        *_changes("+", difference.added, against),
        *_changes("−", difference.removed, name),  # noqa: RUF001  a minus
    ]
    out.print(make_table(title, ("", "object", "alert", "rejected by"), rows))
    out.print()


def _changes(sign: str, changed: Sequence[Changed], whose: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        (sign, one.object, str(one.candid), f"{whose}: {one.cut}") for one in changed[:_SHOWN_CHANGES]
    ]
    if len(changed) > _SHOWN_CHANGES:
        rows.append((sign, f"… and {len(changed) - _SHOWN_CHANGES} more (--json has all)", "", ""))
    return rows


def _print_accepted(out: Console, accepted: Sequence[AcceptedAlert]) -> None:
    by_object: dict[str, list[AcceptedAlert]] = {}
    for alert in accepted:
        by_object.setdefault(alert.object, []).append(alert)
    rows = []
    for name, alerts in list(by_object.items())[:_SHOWN]:
        newest = max(alerts, key=lambda alert: alert.jd)
        rows.append((name, len(alerts), str(newest.candid), date_of(newest.jd), newest.group))
    columns: tuple[str, ...] = ("object", "#alerts", "newest", "date (UTC)", "group")
    if all(alert.group is None for alert in accepted):
        columns, rows = columns[:-1], [row[:-1] for row in rows]  # type: ignore[misc]
    if rows:
        out.print(make_table("Accepted", columns, rows))
    else:
        out.print("Nothing was accepted.")
    if len(by_object) > _SHOWN:
        out.print(f"… and {len(by_object) - _SHOWN} more objects (--json has all)")
    out.print()


def _print_errors(out: Console, result: ChannelResult) -> None:
    if result.errored:
        first = result.errors[0]
        out.print(f"{result.errored} alerts errored; the first, {first.candid} of {first.object}:", style="bold red")
        out.print(Text(first.traceback.rstrip() + "\n"), soft_wrap=True)


def _print_summary(out: Console, bench: Bench) -> None:
    result = bench.result
    objects = len(result.objects)
    text = (
        f"{len(result.accepted)} of {result.seen} alerts accepted ({result.pass_fraction:.2%}), "
        f"of {objects} object{'s' if objects != 1 else ''}; {spelled_time(result.us_per_alert)} per alert."
    )
    if result.skipped:
        text += f" {result.skipped} alerts were skipped: the channel may not see them."
    out.print(text, style="bold", highlight=False, soft_wrap=True)


def spelled_time(microseconds: float) -> str:
    """Return a time [us] as people read it."""
    return f"{microseconds:.3g} µs" if microseconds < 1000 else f"{microseconds / 1000:.3g} ms"


def date_of(jd: float) -> str:
    """Return the date and time of a Julian date [UTC]."""
    return f"{datetime.fromtimestamp((jd - _JD_OF_1970) * 86400, UTC):%Y-%m-%d %H:%M}"
