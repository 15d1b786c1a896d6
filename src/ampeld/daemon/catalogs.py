"""Whether the catalogues are at hand that channels ask for: a missing one is never "nothing is near"."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ampeld.catalog.directory import Found, names_in
from ampeld.catalog.errors import CatalogError
from ampeld.catalog.meta import read_meta
from ampeld.channel.channel import Channel
from ampeld.names import did_you_mean

_MOST_SHOWN = 20


def catalog_problems(channels: Sequence[Channel], found: Found) -> dict[str, list[str]]:
    """Return by channel what it lacks: catalogues that are not there, and columns that they do not have."""
    problems = {channel.name: _problems_of(channel, found) for channel in channels}
    return {name: lines for name, lines in problems.items() if lines}


def digests_in(directory: Path) -> dict[str, str]:
    """Return what each catalogue of a directory holds, by name; a broken one has no digest, but a reason."""
    return {name: _digest(directory / name) for name in names_in(directory)}


def _digest(directory: Path) -> str:
    try:
        return read_meta(directory).digest
    except CatalogError as error:
        return str(error)


def _problems_of(channel: Channel, found: Found) -> list[str]:
    try:
        needed = channel.filter.catalogs()
    except Exception as error:  # noqa: BLE001  science code: catalogs() is the author's
        return [f"{channel.path}: catalogs() of its filter fails: {type(error).__name__}: {error}"]
    return [
        f"{channel.path}: {message}" for name, columns in needed.items() for message in _lacking(name, columns, found)
    ]


def _lacking(name: str, columns: Collection[str], found: Found) -> list[str]:
    catalog = found.catalogs.get(name)
    if catalog is None:
        if name in found.broken:
            return [f"the catalogue {name!r} cannot be used: {found.broken[name]}"]
        there = ", ".join(sorted(found.catalogs)) or "none"
        near = did_you_mean(name, found.catalogs)
        return [f"there is no catalogue {name!r}{near} (there: {there}); see `ampeld catalog import --help`"]
    return [
        f"the catalogue {name!r} has no column {column!r}{did_you_mean(column, catalog.columns)} "
        f"(there: {_some(catalog.columns)})"
        for column in columns
        if column not in catalog.columns
    ]


def _some(names: Collection[str]) -> str:
    shown = sorted(names)
    more = f", and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return ", ".join(shown[:_MOST_SHOWN]) + more
