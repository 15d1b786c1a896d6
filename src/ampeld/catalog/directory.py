"""The directory in which catalogues lie, one directory each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.errors import CatalogError
from ampeld.catalog.meta import META, NAME


@dataclass(frozen=True, slots=True)
class Found:
    """What was found there."""

    catalogs: Mapping[str, Catalog]
    broken: Mapping[str, str]
    """By name: why it cannot be used."""


def names_in(directory: Path) -> list[str]:
    """Return the names of the catalogues of a directory; none when there is no such directory.

    Raises
    ------
    OSError
        If the directory is there and cannot be read.
    """
    try:
        return sorted(
            path.name for path in directory.iterdir() if NAME.fullmatch(path.name) and (path / META).is_file()
        )
    except (FileNotFoundError, NotADirectoryError):
        return []


def open_catalogs(directory: Path) -> Found:
    """Open every catalogue of a directory: that maps their files and reads none of them."""
    catalogs: dict[str, Catalog] = {}
    broken: dict[str, str] = {}
    for name in names_in(directory):
        try:
            catalogs[name] = Catalog(directory / name)
        except CatalogError as error:
            broken[name] = str(error)
    return Found(catalogs, broken)
