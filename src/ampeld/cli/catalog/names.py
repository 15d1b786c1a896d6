"""Finding a catalogue by the name that a user types."""

from pathlib import Path

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.directory import names_in
from ampeld.errors import ConfigError
from ampeld.names import did_you_mean


def known_name(directory: Path, name: str) -> str:
    """Return the name; raises ConfigError where there is no such catalogue."""
    there = names_in(directory)
    if name not in there:
        listed = ", ".join(there) or "none"
        raise ConfigError([f"{directory}: there is no catalogue {name!r}{did_you_mean(name, there)} (there: {listed})"])
    return name


def open_by_name(directory: Path, name: str) -> Catalog:
    """Open a catalogue.

    Raises
    ------
    ConfigError
        If there is none of this name.
    CatalogError
        If it cannot be used.
    """
    return Catalog(directory / known_name(directory, name))
