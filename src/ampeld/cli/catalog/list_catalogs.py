"""`ampeld catalog list`: which catalogues there are, with their columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.directory import open_catalogs
from ampeld.catalog.meta import CatalogMeta
from ampeld.cli.catalog.names import open_by_name
from ampeld.cli.catalog.place import InOption, Place, in_mongodb
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, warn
from ampeld.daemon.catalog_collections import find
from ampeld.daemon.settings import Settings
from ampeld.store.catalogs import CatalogCollections


def list_catalogs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show the columns of this one.")] = None,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    place: InOption = Place.FILE,
    as_json: JsonOption = False,
) -> None:
    """List the catalogues that channels can search in; with a name, its columns.

    Try:

      ampeld catalog list

      ampeld catalog list gaia
    """
    settings = settings_for(config, sets)
    directory = settings.catalogs.directory
    if name is not None:
        _show(_named(settings, name, place), as_json=as_json)
    elif place is Place.MONGODB:
        metas = [msgspec.convert(one, CatalogMeta) for one in in_mongodb(settings, CatalogCollections.listed)]
        _list("MongoDB", [(meta, None) for meta in metas], {}, as_json=as_json)
    else:
        found = open_catalogs(directory)
        sizes = [(one.meta, _size(one)) for one in found.catalogs.values()]
        _list(str(directory), sizes, found.broken, as_json=as_json)


def _named(settings: Settings, name: str, place: Place) -> CatalogMeta:
    if place is Place.MONGODB:
        return in_mongodb(settings, lambda there: find(there, name))
    return open_by_name(settings.catalogs.directory, name).meta


def _list(
    where: str, metas: Sequence[tuple[CatalogMeta, int | None]], broken: Mapping[str, str], *, as_json: bool
) -> None:
    if as_json:
        print_json({"catalogs": [meta for meta, _ in metas], "broken": broken})
        return
    rows = [
        (meta.name, meta.rows, len(meta.columns), meta.epoch, meta.imported[:10], size, meta.description)
        for meta, size in metas
    ]
    columns = ("catalogue", "#sources", "#columns", "epoch", "imported", "#MiB", "description")
    console().print(make_table(f"Catalogues in {where}", columns, rows))
    for name, reason in broken.items():
        warn(f"{name} cannot be used: {reason}")


def _show(meta: CatalogMeta, *, as_json: bool) -> None:
    if as_json:
        print_json(meta)
        return
    rows = [
        (column.name, column.kind, column.unit, column.missing or None, column.source, column.description)
        for column in meta.columns
    ]
    title = f"{meta.name}: {meta.rows} sources"
    console().print(make_table(title, ("column", "kind", "unit", "#missing", "in the table", "description"), rows))


def _size(catalog: Catalog) -> int:
    data: Path = catalog.directory / catalog.meta.data
    return sum(path.stat().st_size for path in data.iterdir()) >> 20
