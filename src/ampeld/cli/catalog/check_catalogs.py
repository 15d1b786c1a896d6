"""`ampeld catalog check`: whether catalogues are whole, in order, and find their own sources."""

from typing import Annotated

import typer

from ampeld.catalog.check import check_catalog
from ampeld.catalog.directory import names_in
from ampeld.cli.catalog.names import known_name
from ampeld.cli.catalog.place import InOption, Place, in_mongodb
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.catalog_collections import check, find
from ampeld.daemon.exits import ExitCode
from ampeld.store.catalogs import CatalogCollections


def check_catalogs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Check this one; by default all.")] = None,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    place: InOption = Place.FILE,
    as_json: JsonOption = False,
) -> None:
    """Read catalogues from end to end: contents as imported, rows in order, positions in range, sources found.

    Of those in MongoDB sources are counted, and some are looked for at their places.

    Try:

      ampeld catalog check gaia

    Exit codes: 0 all is well, 1 a catalogue is damaged, 78 there is none of this name.
    """
    settings = settings_for(config, sets)
    if place is Place.MONGODB:
        problems, where = in_mongodb(settings, lambda there: _check_collections(there, name)), "MongoDB"
    else:
        directory = settings.catalogs.directory
        names = names_in(directory) if name is None else [known_name(directory, name)]
        problems, where = {one: check_catalog(directory / one) for one in names}, str(directory)
    if as_json:
        print_json({"ok": not any(problems.values()), "problems": problems})
    else:
        rows = [(one, "damaged" if lines else "ok", "\n".join(lines)) for one, lines in problems.items()]
        console().print(make_table(f"Catalogues in {where}", ("catalogue", "state", "what is wrong"), rows))
    raise typer.Exit(ExitCode.FAILED if any(problems.values()) else ExitCode.OK)


async def _check_collections(there: CatalogCollections, name: str | None) -> dict[str, list[str]]:
    names = [str(one["name"]) for one in await there.listed()] if name is None else [name]
    return {one: await check(there, await find(there, one)) for one in names}
