"""`ampeld seek`: move a stopped group to another place in its topics."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.errors import AmpeldError
from ampeld.source.offsets import Target, seek_group
from ampeld.store.mongodb import MongoStore

_NIGHT = re.compile(r"(20\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])")
_DAY = r"\1-\2-\3"


def _parse_target(text: str) -> Target:
    if text in ("earliest", "latest"):
        return text
    if text.isdecimal():
        if _NIGHT.fullmatch(text):
            raise typer.BadParameter(f"{text} may be a day or an offset: write {_NIGHT.sub(_DAY, text)}, or 0{text}")
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither earliest nor latest, nor a time, nor an offset") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seek(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    to: Annotated[
        str, typer.Option(metavar="WHERE", help="earliest, latest, an ISO time (UTC without a zone) or an offset.")
    ],
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="Only this topic; repeatable. By default source.topics.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Move the stopped group `source.group`: what it reads next is what comes at that place.

    Reading alerts again changes nothing in the store: they are stored once, whatever happens.
    What is passed over is kept as a gap, so that the ledger still balances.
    An offset outside of a partition becomes its nearer end. A group with running daemons is refused.

    Try:

      ampeld seek --to 2025-08-01T04:00:00Z

      ampeld seek --to earliest --topic ztf_20250801_programid1
    """
    target = _parse_target(to)
    settings = settings_for(config, sets)
    moved = run_async(_move(settings, target, topic))
    places = [{"topic": name, "partition": number, "offset": at} for (name, number), at in sorted(moved.items())]
    if as_json:
        print_json({"group": settings.source.group, "moved": places})
        return
    rows = [tuple(place.values()) for place in places]
    console().print(make_table(f"Group {settings.source.group}", ("topic", "#partition", "#offset"), rows))


async def _move(settings: Settings, target: Target, topics: list[str] | None) -> dict[tuple[str, int], int]:
    moved = await seek_group(kafka_settings(settings, instance="seek"), to=target, topics=topics)
    store = MongoStore(settings.store.uri.reveal(), settings.store.database, timeout_s=settings.store.timeout_s)
    try:
        await _record_gaps(store, settings.source.group, moved)
    except AmpeldError as error:
        warn(f"what was passed over is not in the ledger before the daemon runs again: {error}")
    finally:
        await store.close()
    return moved


async def _record_gaps(store: MongoStore, group: str, moved: Mapping[tuple[str, int], int]) -> None:
    for (topic, partition), offset in moved.items():
        covered = await store.covered_to(group, topic, partition)
        if covered is not None and covered < offset:
            gap = {"topic": topic, "partition": partition, "first": covered, "end": offset, "group": group}
            await store.record_gap(gap | {"kind": "skipped"})
