"""`ampeld object export`: objects as lines of text, with everything that is kept of them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ampeld.cli.options import ConfigOption, SetOption, settings_for
from ampeld.cli.output import run_async, warn
from ampeld.cli.stocks import stocks_of
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.purge import Archive
from ampeld.daemon.settings import Settings
from ampeld.store.dossier import Dossiers
from ampeld.store.transfer import to_line


def export_objects(
    names: Annotated[list[str], typer.Argument(metavar="OBJECT...", help="Objects by their names.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A new .jsonl or .jsonl.gz file; by default standard output."),
    ] = None,
    config: ConfigOption = None,
    sets: SetOption = None,
) -> None:
    """Write objects as lines of text, one each: points, states, features and what these refer to.

    The lines are MongoDB's canonical extended JSON: every type and every bit is kept, and `ampeld object import` puts
    the very same documents into a store. A point that objects share goes with each of them.

    Try:

      ampeld object export ZTF25vblecnc > ZTF25vblecnc.jsonl

    Exit codes: 0 written, 1 there is no such object, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    archive = None if out is None else Archive(out)
    try:
        missing = run_async(_export(settings, stocks_of(names, settings.source.survey), archive))
    finally:
        if archive is not None:
            archive.close()
    for name in missing:
        warn(f"{name}: the store has no such object")
    if missing:
        raise typer.Exit(ExitCode.FAILED)


async def _export(settings: Settings, stocks: dict[str, int], archive: Archive | None) -> list[str]:
    missing = []
    async with connected(settings.store, "object") as connection:
        dossiers = Dossiers(connection)
        for name, stock in stocks.items():
            dossier = await dossiers.load(stock)
            if dossier is None:
                missing.append(name)
            elif archive is None:
                sys.stdout.write(f"{to_line(dossier)}\n")
            else:
                archive.write([to_line(dossier)])
    return missing
