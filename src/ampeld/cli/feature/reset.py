"""`ampeld feature reset`: let features be measured anew, or let go of tickets that nobody will measure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.cli.stocks import stock_of
from ampeld.daemon.connect import connected
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.flow.codes import NAMES
from ampeld.names import did_you_mean
from ampeld.store.connection import Connection
from ampeld.store.errors import translated
from ampeld.store.feature_queue import Chosen, Count, FeatureQueue

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
"""The numbers that a document can hold."""


def reset(
    *,
    unit: Annotated[str | None, typer.Option(metavar="UNIT", help="Only of this unit.")] = None,
    config_id: Annotated[
        int | None,
        typer.Option("--configuration", metavar="ID", min=_LEAST, max=_MOST, help="Only of this configuration."),
    ] = None,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this channel has asked for.")] = None,
    object: Annotated[  # noqa: A002  as it is called in the field
        str | None, typer.Option("--object", metavar="NAME", help="Only of this object.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only with this code: a number, or a word as exception.")
    ] = None,
    before: Annotated[
        datetime | None, typer.Option(help="Only what was measured, or asked for, before this time (UTC).")
    ] = None,
    after: Annotated[datetime | None, typer.Option(help="Only what was so at this time or later (UTC).")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, where nothing else is said.")] = False,
    hard: Annotated[
        bool, typer.Option("--hard/--soft", help="Forget the old bodies, or keep them and append the new one.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Delete tickets that wait and were never measured, instead.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only count and show.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count and show, whatever else is said.")] = False,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let features be measured anew: they become tickets, which a running daemon takes.

    First says how many these are, by unit and code. A soft reset keeps what was measured (code -6) and appends the
    new value; a hard one forgets it (code -1). What is being measured just now is begun again.

    What builds upon a unit is not reset with it: reset it too, and it is measured from the new values.

    --drop is for tickets of a configuration that no channel asks for any more: of what is chosen it deletes those that
    wait and have no result yet, and those that a daemon was measuring when it died. A newer state asks anew.

    Try:

      ampeld feature reset --unit SNCosmoFit --code too_many_trials

      ampeld feature reset --channel rapid --after 2026-11-01T00:00:00 --hard --yes

      ampeld feature reset --unit old.py:Decay --drop --yes

    Exit codes: 0 done or shown, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    chosen = Chosen(
        unit=unit,
        config=config_id,
        channel=channel,
        stock=None if object is None else stock_of(object, settings.source.survey, option="--object"),
        code=None if code is None else _code(code),
        before=None if before is None else _seconds(before),
        after=None if after is None else _seconds(after),
    )
    if chosen.is_everything and not everything:
        raise ConfigError(["say what is to be reset (--unit, --channel, --object, --code, …), or --all"])
    if before is not None and after is not None and _seconds(before) <= _seconds(after):
        raise ConfigError(["--before and --after: no time is before the one and not before the other"])
    if hard and drop:
        raise ConfigError(["--hard and --drop: what is deleted is not measured anew; say one of them"])
    do = yes and not dry_run
    work = _drop(settings, chosen, do=do) if drop else _reset(settings, chosen, hard=hard, do=do)
    counts, done = run_async(work)
    if as_json:
        did = {"dropped": done} if drop else {"reset": done, "hard": hard}
        print_json({"matched": [_document(one) for one in counts], **did, "done": do})
        return
    _print(counts)
    if do and drop:
        console().print(f"{done} tickets deleted.")
    elif do:
        console().print(f"{done} reset, {'their bodies forgotten' if hard else 'their bodies kept'}.")
    elif counts:
        warn("nothing is changed yet: say --yes to do it")


async def _reset(settings: Settings, chosen: Chosen, *, hard: bool, do: bool) -> tuple[list[Count], int]:
    async with connected(settings.store, "feature-reset") as connection:
        await connection.ping()
        queue = FeatureQueue(connection)
        counts = await queue.count(chosen) or await _none(connection, chosen)
        return counts, await queue.reset(chosen, hard=hard) if do else 0


async def _drop(settings: Settings, chosen: Chosen, *, do: bool) -> tuple[list[Count], int]:
    async with connected(settings.store, "feature-reset") as connection:
        await connection.ping()
        queue = FeatureQueue(connection)
        counts = await queue.count(chosen, unmeasured=True) or await _none(connection, chosen)
        return counts, await queue.drop(chosen) if do else 0


async def _none(connection: Connection, chosen: Chosen) -> list[Count]:
    """Return nothing, for nothing is meant, unless what was said is nothing that the database has ever heard of."""
    with translated():
        units = set(await connection["feature_configs"].distinct("unit"))
        channels = set(await connection["channel_versions"].distinct("name"))
        absent = {
            "--unit": chosen.unit is not None and chosen.unit not in units,
            "--channel": chosen.channel is not None and chosen.channel not in channels,
            "--configuration": await _is_absent(connection, "feature_configs", chosen.config),
            "--object": await _is_absent(connection, "stock", chosen.stock),
        }
    near = {"--unit": did_you_mean(chosen.unit or "", units), "--channel": did_you_mean(chosen.channel or "", channels)}
    problems = [
        f"{option}: the store has never had such a one{near.get(option, '')}"
        for option, is_so in absent.items()
        if is_so
    ]
    if problems:
        raise ConfigError(problems)
    return []


async def _is_absent(connection: Connection, collection: str, number: int | None) -> bool:
    return number is not None and await connection[collection].find_one({"_id": number}, {"_id": 1}) is None


def _code(word: str) -> int:
    named = {name: code for code, name in NAMES.items()}
    code = int(word) if word.removeprefix("-").isdecimal() else named.get(word.lower())
    if code is None or code not in NAMES:
        raise ConfigError([f"--code {word}: there is no such code{did_you_mean(word, named)}"])
    return code


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _document(one: Count) -> dict[str, Any]:
    return {"unit": one.unit, "code": one.code, "documents": one.documents}


def _print(counts: Sequence[Count]) -> None:
    rows: list[tuple[object, ...]] = [(one.unit, one.code, NAMES.get(one.code, ""), one.documents) for one in counts]
    rows.append(("all", None, "", sum(one.documents for one in counts)))
    console().print(make_table("What is meant", ("unit", "#code", "", "#documents"), rows))
