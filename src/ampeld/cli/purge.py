"""`ampeld purge`: delete what no channel keeps any longer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.daemon.channels import load_channels
from ampeld.daemon.connect import connected
from ampeld.daemon.files import read_files
from ampeld.daemon.purge import Archive, Purged, keeping
from ampeld.daemon.purge import purge as purge_objects
from ampeld.daemon.runs import new_run
from ampeld.daemon.settings import Settings
from ampeld.store.purge import Expired

_SHOWN: Final = 20


def purge(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only count and show.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count and show, whatever else is said.")] = False,
    archive: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write each object to this new .jsonl or .jsonl.gz file before it goes."),
    ] = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete the objects that no channel keeps, with their points, states and features.

    A channel keeps an object for `keep_days` (in its file, at least 1) after its newest accepted alert of it; without
    that key it keeps everything, as do channels whose files are not there any more. A point that other objects share
    goes with the last of them. Daemons may run meanwhile; nothing that is accepted gets lost.

    `ampeld object import FILE` brings an archive back.

    Try:

      ampeld purge

      ampeld purge --yes --archive /srv/ampeld/2026-11.jsonl.gz

    Exit codes: 0 done, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    load_channels(settings.channels.directory)  # a mistake in a file must not keep, or delete, by accident
    keep_days = keeping(read_files(settings.channels.directory))
    dry = dry_run or not yes
    shown: list[Expired] = []
    opened = None if archive is None or dry else Archive(archive)
    try:
        purged = run_async(_purge(settings, keep_days, opened, shown, dry=dry))
    finally:
        if opened is not None:
            opened.close()
    if as_json:
        print_json({"deleted": 0 if dry else purged.objects, "to_delete": purged.objects if dry else 0} | _rest(purged))
    else:
        _show(purged, shown, dry=dry)


async def _purge(
    settings: Settings, keep_days: dict[str, float], archive: Archive | None, shown: list[Expired], *, dry: bool
) -> Purged:
    def told(expired: Expired) -> None:
        if len(shown) < _SHOWN:
            shown.append(expired)

    async with connected(settings.store, "purge") as connection:
        return await purge_objects(connection, keep_days, run=new_run(), archive=archive, dry=dry, told=told)


def _rest(purged: Purged) -> dict[str, object]:
    return {"archived": purged.archived, "busy": purged.busy, "keep_days": purged.channels}


def _show(purged: Purged, shown: list[Expired], *, dry: bool) -> None:
    if not purged.channels:
        warn("no channel says keep_days: everything is kept")
    if shown:
        rows = [
            (one.name, ", ".join(one.channel), f"{datetime.fromtimestamp(one.updated, UTC):%Y-%m-%d %H:%M}")
            for one in shown
        ]
        title = "To be deleted" if dry else "Deleted"
        console().print(make_table(title, ("object", "channels", "last accepted"), rows))
        if purged.objects > len(shown):
            console().print(f"and {purged.objects - len(shown)} more")
    busy = f", {purged.busy} left alone: changed meanwhile" if purged.busy else ""
    archived = f", {purged.archived} archived" if purged.archived else ""
    if dry:
        console().print(f"{purged.objects} objects would be deleted; --yes deletes them")
    else:
        console().print(f"{purged.objects} objects deleted{archived}{busy}")
