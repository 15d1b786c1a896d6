"""From tables to a catalogue of mapped files."""

from pathlib import Path

import msgspec

from ampeld.catalog.digest import Digester
from ampeld.catalog.errors import TableError
from ampeld.catalog.gather import Progress, Request, gather, now
from ampeld.catalog.meta import CatalogMeta
from ampeld.catalog.writer import exists, put_in_force, write_columns


class Imported(msgspec.Struct, frozen=True):
    """What came of it."""

    meta: CatalogMeta
    notes: list[str]


def import_tables(directory: Path, request: Request, progress: Progress = lambda *_: None) -> Imported:
    """Import tables as one catalogue.

    Parameters
    ----------
    directory
        Where the catalogues lie; it is made where it is not there.
    request
        What and how.
    progress
        Called now and then.

    Raises
    ------
    TableError
        If a table cannot be imported, with every reason; what was there before stays.
    OSError
        If a file cannot be written.
    """
    target = directory / request.name
    if exists(target) and not request.replace:
        there = f"{target}: there is a catalogue {request.name!r} already"
        raise TableError([f"{there}; --replace puts this one in its place"])
    with gather(directory, request, progress) as rows:
        digester, data = Digester(), rows.work / "data"
        write_columns(data, rows.slices(digester), rows.dtypes, rows.rows)
        meta = rows.describe(digester, now())
        put_in_force(data, target, meta)
    return Imported(meta, rows.notes)
