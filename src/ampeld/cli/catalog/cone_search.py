"""`ampeld catalog cone`: what a catalogue has near one position."""

from typing import Annotated, Any

import numpy as np
import typer

from ampeld.catalog.meta import CatalogMeta
from ampeld.cli.catalog.names import open_by_name
from ampeld.cli.catalog.place import InOption, Place, in_mongodb
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.catalog_collections import cone, find
from ampeld.daemon.settings import Settings
from ampeld.store.catalogs import CatalogCollections

Source = dict[str, Any]


def cone_search(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The catalogue.")],
    ra: Annotated[float, typer.Argument(metavar="RA", min=0, max=360, help="Right ascension, ICRS [deg].")],
    dec: Annotated[float, typer.Argument(metavar="DEC", min=-90, max=90, help="Declination [deg].")],
    radius: Annotated[float, typer.Argument(metavar="RADIUS", help="[arcsec], up to 36000.")] = 5.0,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    place: InOption = Place.FILE,
    limit: Annotated[int, typer.Option(min=0, help="Show at most so many, nearest first; 0 for all.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the sources of a catalogue within RADIUS arcseconds of a position, nearest first.

    Try:

      ampeld catalog cone gaia 254.0 -29.0 20
    """
    settings = settings_for(config, sets)
    look = _in_collection if place is Place.MONGODB else _in_files
    try:
        meta, found = look(settings, name, (ra, dec, radius))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="RADIUS") from error
    shown = found[: limit or None]
    if as_json:
        print_json({"catalog": name, "ra": ra, "dec": dec, "radius": radius, "found": len(found), "sources": shown})
        return
    title = f"{len(found)} sources of {name} within {radius:g} arcsec of {ra:g} {dec:+g}"
    columns = ["distance", *(column.name for column in meta.columns)]
    rows = [[_shown(source[column]) for column in columns] for source in shown]
    console().print(make_table(title, [f"#{column}" for column in columns], rows))
    if len(shown) < len(found):
        console().print(f"and {len(found) - len(shown)} more: --limit 0 shows all")


def _in_files(settings: Settings, name: str, at: tuple[float, float, float]) -> tuple[CatalogMeta, list[Source]]:
    catalog = open_by_name(settings.catalogs.directory, name)
    ra, dec, radius = at
    _, rows, distances = catalog.cone(np.array([ra]), np.array([dec]), radius)
    found = {"distance": distances.round(4).tolist()}
    for column in catalog.columns:
        values, missing = catalog.take(column, rows)
        found[column] = [None if gone else v for v, gone in zip(values.tolist(), missing.tolist(), strict=True)]
    return catalog.meta, [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def _in_collection(settings: Settings, name: str, at: tuple[float, float, float]) -> tuple[CatalogMeta, list[Source]]:
    async def ask(there: CatalogCollections) -> tuple[CatalogMeta, list[Source]]:
        meta = await find(there, name)
        found = await cone(there, meta, *at)
        columns = [column.name for column in meta.columns]
        return meta, [{"distance": round(away, 4)} | {name: one.get(name) for name in columns} for away, one in found]

    return in_mongodb(settings, ask)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value  # a number of a source is no amount to be grouped
