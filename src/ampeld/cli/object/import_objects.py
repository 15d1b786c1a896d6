"""`ampeld object import`: put exported or archived objects into the store."""

import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, print_json, run_async, warn
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.settings import Settings
from ampeld.store.transfer import LineError, Taken, from_line, take_in


def import_objects(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .jsonl or .jsonl.gz file; - is standard input.", allow_dash=True)
    ],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put objects into the store that `ampeld object export` or `ampeld purge --archive` has written.

    An object that is there already is left as it is, and named if it differs; so an import may be repeated.

    Exit codes: 0 all are there now, 1 some are there and different, 65 a line is no object or the file is damaged, 69
    the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    counted, wrong = run_async(_import(settings, file))
    if as_json:
        print_json({"objects": {taken.value: counted[taken] for taken in Taken}, "wrong": wrong})
    else:
        console().print(", ".join(f"{counted[taken]} {taken}" for taken in Taken))
    if wrong:
        raise typer.Exit(ExitCode.DATA)
    raise typer.Exit(ExitCode.FAILED if counted[Taken.OTHER] else ExitCode.OK)


async def _import(settings: Settings, file: Path) -> tuple[Counter[Taken], list[str]]:
    counted: Counter[Taken] = Counter()
    wrong = []
    async with connected(settings.store, "object") as connection:
        await connection.prepare()
        try:
            for number, line in enumerate(_lines(file), 1):
                if not line.strip():
                    continue
                try:
                    dossier = from_line(line)
                except LineError as error:
                    wrong.append(f"{file}:{number}: {error}")
                    warn(wrong[-1])
                    continue
                taken = await take_in(connection, dossier)
                counted[taken] += 1
                if taken is Taken.OTHER:
                    warn(f"{file}:{number}: {dossier.name} is {taken}")
        except (EOFError, UnicodeDecodeError, gzip.BadGzipFile, zlib.error) as error:
            wrong.append(f"{file}: is damaged: {error}")
            warn(wrong[-1])
    return counted, wrong


def _lines(file: Path) -> Iterator[str]:
    if str(file) == "-":
        yield from sys.stdin
        return
    # What is no UTF-8 is no object, and says so with its line.
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8", errors="surrogateescape") as packed:
            yield from packed
    else:
        with file.open(encoding="utf-8", errors="surrogateescape") as plain:
            yield from plain
