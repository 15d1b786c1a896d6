"""`ampeld feature status`: what waits to be measured and since when, how fast it goes, and what fails."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async
from ampeld.daemon.connect import connected
from ampeld.daemon.settings import Settings
from ampeld.flow.codes import NAMES
from ampeld.store.feature_queue import FeatureQueue, UnitStatus


def status(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Over which time rates are told.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Show by unit what waits and since when, what was measured and how fast, and what failed and why.

    It is read from the store, so that it is that of all daemons together.

    Try:

      ampeld feature status

      ampeld feature status --minutes 5 --json

    Exit codes: 0 shown, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    now = datetime.now(UTC).timestamp()
    units = run_async(_ask(settings, now, minutes * 60))
    if as_json:
        print_json([_document(one, now, minutes) for one in units])
    else:
        _print(units, now, minutes)


async def _ask(settings: Settings, now: float, window_s: float) -> list[UnitStatus]:
    async with connected(settings.store, "feature-status") as connection:
        await connection.ping()
        return await FeatureQueue(connection).status(now=now, window_s=window_s)


def _document(one: UnitStatus, now: float, minutes: float) -> dict[str, Any]:
    return {
        "unit": one.unit,
        "waiting": one.waiting,
        "put_off": one.put_off,
        "running": one.running,
        "oldest_s": None if one.oldest is None else max(now - one.oldest, 0.0),
        "measured": one.measured,
        "per_minute": one.recent / minutes,
        "failed_per_minute": one.recent_failed / minutes,
        "ms": one.ms,
        "failed": {NAMES.get(code, str(code)): number for code, number in sorted(one.failed.items(), reverse=True)},
    }


def _print(units: Sequence[UnitStatus], now: float, minutes: float) -> None:
    rows = [
        (
            one.unit,
            one.waiting,
            one.put_off,
            one.running,
            None if one.oldest is None else _age(now - one.oldest),
            one.measured,
            f"{one.recent / minutes:.4g}",
            None if one.ms is None else f"{one.ms:.3g}",
            ", ".join(f"{number} {NAMES.get(code, code)}" for code, number in sorted(one.failed.items())),
        )
        for one in units
    ]
    columns = ("unit", "#waiting", "#put off", "#running", "#oldest", "#measured", "#per minute", "#ms", "failed")
    console().print(make_table(f"Features, rates of the last {minutes:g} minutes", columns, rows))


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
