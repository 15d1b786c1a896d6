"""Catalogues in MongoDB, for look-ups over the network: import, search and check; filters search in files."""

from pathlib import Path
from typing import Any

import msgspec

from ampeld.catalog.digest import Digester
from ampeld.catalog.documents import documents, nearest_first, ranges
from ampeld.catalog.errors import TableError
from ampeld.catalog.gather import Progress, Request, gather, now
from ampeld.catalog.importer import Imported
from ampeld.catalog.meta import CatalogMeta
from ampeld.errors import ConfigError
from ampeld.names import did_you_mean
from ampeld.store.catalogs import CatalogCollections

Document = dict[str, Any]

_SAMPLE = 200
_RADIUS_ARCSEC = 0.1


async def import_to_mongodb(
    collections: CatalogCollections, directory: Path, request: Request, progress: Progress = lambda *_: None
) -> Imported:
    """Import tables as one catalogue.

    Parameters
    ----------
    collections
        Where.
    directory
        Where rows are sorted on the way.
    request
        What and how.
    progress
        Called now and then.

    Raises
    ------
    TableError
        If a table cannot be imported, with every reason; what was there before stays.
    RetryableError
        If the store does not do its part.
    """
    if not request.replace and await collections.get(request.name) is not None:
        raise TableError([f"there is a catalogue {request.name!r} in MongoDB already; --replace puts this one there"])
    with gather(directory, request, progress) as rows:
        digester, moment = Digester(), now()
        data = f"{moment:%Y%m%dT%H%M%S%f}"
        sources = (document for part in rows.slices(digester) for document in documents(part))
        try:
            await collections.fill(request.name, data, sources)
        except BaseException:
            await collections.drop(request.name, data)
            raise
        meta = msgspec.structs.replace(rows.describe(digester, moment), data=data)
        await collections.put_in_force(msgspec.to_builtins(meta))
    return Imported(meta, rows.notes)


async def find(collections: CatalogCollections, name: str) -> CatalogMeta:
    """Return what a catalogue says of itself.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    found = await collections.get(name)
    if found is None:
        there = [str(one["name"]) for one in await collections.listed()]
        listed = ", ".join(there) or "none"
        raise ConfigError([f"MongoDB has no catalogue {name!r}{did_you_mean(name, there)} (there: {listed})"])
    return msgspec.convert(found, CatalogMeta)


async def cone(
    collections: CatalogCollections, meta: CatalogMeta, ra: float, dec: float, radius_arcsec: float
) -> list[tuple[float, Document]]:
    """Return the sources within a radius of a position [deg], nearest first, each with its distance [arcsec].

    Raises
    ------
    ValueError
        If the radius cannot be searched.
    """
    found = await collections.between(meta.name, meta.data, ranges(ra, dec, radius_arcsec))
    return nearest_first(found, ra, dec, radius_arcsec)


async def check(collections: CatalogCollections, meta: CatalogMeta) -> list[str]:
    """Return what is wrong with a catalogue: how many sources it has, and whether some find themselves."""
    problems = []
    count = await collections.count(meta.name, meta.data)
    if count != meta.rows:
        problems.append(f"MongoDB: {meta.name}: has {count} sources where {meta.rows} were imported")
    sample = await collections.sample(meta.name, meta.data, _SAMPLE)
    lost = 0
    for source in sample:
        near = await cone(collections, meta, source["ra"], source["dec"], _RADIUS_ARCSEC)
        lost += all(one != source for _, one in near)
    if lost:
        problems.append(
            f"MongoDB: {meta.name}: of {len(sample)} sources looked for at their places {lost} are not found"
        )
    return problems
