"""`ampeld catalog import`: a FITS, Parquet or CSV table becomes a catalogue that can be searched."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ampeld.catalog.choice import Wanted
from ampeld.catalog.errors import TableError
from ampeld.catalog.gather import Progress as Told
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import Imported, import_tables
from ampeld.catalog.presets import PRESETS
from ampeld.cli.catalog.place import Place, in_mongodb
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, print_json
from ampeld.daemon.catalog_collections import import_to_mongodb
from ampeld.daemon.exits import ExitCode
from ampeld.names import did_you_mean


def import_table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What channels will call the catalogue.")],
    tables: Annotated[
        list[Path],
        typer.Argument(metavar="TABLE...", help="FITS, Parquet or CSV files, whose rows make one catalogue."),
    ],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    ra: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Right ascension, ICRS; guessed where not given.")
    ] = None,
    dec: Annotated[str | None, typer.Option(metavar="COLUMN", help="Declination; guessed where not given.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B=C",
            help="Take these columns only; B=C takes column C and calls it B. Repeatable. By default all are taken.",
        ),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=UNIT",
            help="In which unit a column of the table is, where the table does not say or says it wrongly. Repeatable.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Take the columns of a well-known catalogue: {', '.join(PRESETS)}."),
    ] = None,
    epoch: Annotated[float | None, typer.Option(metavar="YEAR", help="Julian year of the positions.")] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is; shown by `list`.")] = "",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave rows without a position out; else one of them refuses the table.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the one of this name.")] = False,
    to: Annotated[
        Place, typer.Option(help="file: for channels; mongodb: a collection, for look-ups over the network.")
    ] = Place.FILE,
    as_json: JsonOption = False,
) -> None:
    """Make a catalogue of one or more tables, sorted on the sky, to be searched by channels.

    The format is told by the suffix: .fits, .parquet, .csv, .tsv or .ecsv; FITS and CSV may be packed (.gz).
    Positions must be equatorial, ICRS, in degrees or in the unit that the table or --unit names.
    What was there before is searched until the new catalogue is complete; running daemons take it at their next reload.

    Try:

      ampeld catalog import gaia GaiaSource_*.csv.gz --preset gaia-dr3

      ampeld catalog import ned ned.fits --columns z=Redshift,name=Object --description "NED, 2026-10"

      ampeld catalog import mine list.csv --ra RAJ2000 --dec DEJ2000 --unit RAJ2000=hourangle

    Exit codes: 0 done, 65 a table cannot be imported, 69 MongoDB, 74 the disk, 78 configuration.
    """
    settings = settings_for(config, sets)
    chosen = PRESETS.get(preset) if preset is not None else None
    if preset is not None and chosen is None:
        raise typer.BadParameter(f"there is no preset {preset!r}{did_you_mean(preset, PRESETS)}", param_hint="--preset")
    request = Request(
        name=name,
        paths=tables,
        wanted=Wanted(ra=ra, dec=dec, columns=_pairs(columns), units=_units(unit or ()), preset=chosen),
        epoch=epoch if epoch is not None or chosen is None else chosen.epoch,
        description=description or (chosen.description if chosen else ""),
        skip_bad=skip_bad,
        replace=replace,
    )
    try:
        with _progress(show=not as_json) as told:
            if to is Place.MONGODB:
                done = in_mongodb(
                    settings, lambda there: import_to_mongodb(there, settings.catalogs.directory, request, told)
                )
            else:
                done = import_tables(settings.catalogs.directory, request, told)
    except TableError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(ExitCode.DATA) from None
    if as_json:
        print_json({"catalog": done.meta, "notes": done.notes})
    else:
        _print(done, "MongoDB" if to is Place.MONGODB else str(settings.catalogs.directory / name))


def _pairs(columns: Sequence[str] | None) -> list[tuple[str, str]] | None:
    if columns is None:
        return None
    words = [word.strip() for text in columns for word in text.split(",") if word.strip()]
    return [(name.strip(), (source or name).strip()) for name, _, source in (word.partition("=") for word in words)]


def _units(options: Sequence[str]) -> dict[str, str]:
    found = {}
    for option in options:
        column, equals, unit = option.partition("=")
        if not equals or not column or not unit:
            raise typer.BadParameter(f"{option!r} is not COLUMN=UNIT, as in pmra=mas/yr", param_hint="--unit")
        found[column.strip()] = unit.strip()
    return found


@contextmanager
def _progress(*, show: bool) -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not (show and sys.stderr.isatty()))
    with bar:
        tasks = {what: bar.add_task(what, total=None, visible=False) for what in ("reading", "writing")}
        yield lambda what, done, total: bar.update(tasks[what], completed=done, total=total, visible=True)


def _print(done: Imported, where: str) -> None:
    out = console()
    for note in done.notes:
        out.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
    meta = done.meta
    skipped = sum(source.skipped for source in meta.sources)
    left_out = f"; {skipped} rows without a position were left out" if skipped else ""
    out.print(
        f"{meta.name}: {meta.rows} sources with {len(meta.columns)} columns in {where}{left_out}",
        markup=False,
        soft_wrap=True,
    )
