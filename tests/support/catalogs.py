"""Catalogues made for one test, through the importer."""

import csv
from pathlib import Path
from typing import Any

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.choice import Wanted
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import import_tables


def write_csv(path: Path, **columns: list[Any]) -> Path:
    """Write a table; None is an empty cell."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True))
    return path


def make_catalog(directory: Path, name: str, **columns: list[Any]) -> Catalog:
    """Import columns, ``ra`` and ``dec`` [deg] among them, as a catalogue of the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    table = write_csv(directory / f"{name}.csv", **columns)
    import_tables(directory, Request(name=name, paths=[table], wanted=Wanted()))
    return Catalog(directory / name)
