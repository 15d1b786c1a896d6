"""Whether a catalogue is what it says, and finds its own sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.digest import raw
from ampeld.catalog.errors import CatalogError
from ampeld.catalog.intake import MISSING
from ampeld.catalog.meta import digest_of

_SAMPLE = 1000
_CHUNK_ROWS = 1 << 20
_RADIUS_ARCSEC = 0.1


def check_catalog(directory: Path) -> list[str]:
    """Return what is wrong with a catalogue; it is read from one end to the other.

    Parameters
    ----------
    directory
        The catalogue's.
    """
    try:
        catalog = Catalog(directory)
    except CatalogError as error:
        return [str(error)]
    return [f"{directory}: {problem}" for problem in _problems(catalog)]


def _problems(catalog: Catalog) -> Iterator[str]:
    if catalog.meta.name != catalog.directory.name:
        yield f"lies under another name than its own, {catalog.meta.name!r}"
    yield from _digests(catalog)
    if any(np.any(part[1:] < part[:-1]) for part in _parts(catalog.index, overlap=1)):
        yield "the rows are not in their order on the sky: nothing can be found in it"
        return
    for axis, low, high in (("ra", 0.0, 360.0), ("dec", -90.0, 90.0)):
        outside = sum(int(np.count_nonzero(~((part >= low) & (part <= high)))) for part in _parts(catalog.array(axis)))
        if outside:
            yield f"{outside} rows have no {axis} between {low:g} and {high:g} degrees"
            return
    lost = _lost(catalog)
    if lost:
        yield f"of {min(_SAMPLE, len(catalog))} sources that were looked for at their own places, {lost} were not found"


def _digests(catalog: Catalog) -> Iterator[str]:
    data = catalog.directory / catalog.meta.data
    for column in catalog.meta.columns:
        found = _hash(catalog.array(column.name))
        if column.missing and column.kind != "float":
            found += "-" + _hash(np.load(data / f"{column.name}{MISSING}.npy", mmap_mode="r"))
        if found != column.digest:
            yield f"column {column.name!r} is damaged: its contents are not those that were imported"
    if digest_of(catalog.meta.columns) != catalog.meta.digest:
        yield "meta.json was changed: its digest is not that of its columns"


def _hash(array: NDArray[Any]) -> str:
    digest = xxhash.xxh3_128()
    for part in _parts(array):
        digest.update(raw(part))
    return digest.hexdigest()


def _parts(array: NDArray[Any], overlap: int = 0) -> Iterator[NDArray[Any]]:
    for start in range(0, len(array), _CHUNK_ROWS):
        yield array[start : start + _CHUNK_ROWS + overlap]


def _lost(catalog: Catalog) -> int:
    """Return how many of a sample of sources a search at their own places does not find."""
    rows = np.unique(np.linspace(0, len(catalog) - 1, _SAMPLE).astype(np.int64))
    offsets, found, _ = catalog.cone(catalog.array("ra")[rows], catalog.array("dec")[rows], _RADIUS_ARCSEC)
    return sum(row not in found[a:b] for row, a, b in zip(rows, offsets[:-1], offsets[1:], strict=True))
