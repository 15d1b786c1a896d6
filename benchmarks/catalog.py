"""What a search in a catalogue costs for each alert, and what the import of a million sources does.

Sources and alerts are spread evenly over the sky; batches have 256 alerts, and their pages are in the system's cache,
as they are when a survey's fields come again each night. In the last rows filters with the Gaia cut of DecentFilter,
each with another limit, share one search of 20 arcsec.

    python benchmarks/catalog.py --quick
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from rich.console import Console
from rich.table import Table

from ampeld.alert.table_packets import PacketTable
from ampeld.catalog.catalog import Catalog
from ampeld.catalog.choice import Wanted
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import import_tables
from ampeld.catalog.presets import PRESETS
from ampeld.channel.columns import Columns
from ampeld.channel.gaia import COLUMNS, StarRule, stars

BATCH = 256
RADII = (3.0, 20.0, 60.0)
CHUNK = 1_000_000
Row = tuple[str, float, str, str]
"""What, the number, its unit, and what is asked for."""


def positions(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))


def write_table(path: Path, rng: np.random.Generator, sources: int) -> None:
    """Write stars with the columns of Gaia that are looked at."""
    names = ("ra", "dec", *COLUMNS)
    types = [pa.float64()] * 2 + [pa.float32()] * len(COLUMNS)
    schema = pa.schema(list(zip(names, types, strict=True)))
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, sources, CHUNK):
            count = min(CHUNK, sources - start)
            values = [rng.uniform(0.5, 20, count).astype(np.float32) for _ in COLUMNS]
            writer.write_table(pa.table([*positions(rng, count), *values], schema=schema))


def searches(catalog: Catalog, rng: np.random.Generator, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for radius in RADII:
        batches = [positions(rng, BATCH) for _ in range(10)]
        for batch in batches:
            catalog.cone(*batch, radius)
        spent = []
        for _ in range(rounds):
            for batch in batches:
                began = time.perf_counter()
                catalog.cone(*batch, radius)
                spent.append(time.perf_counter() - began)
        rows.append((f"search in {radius:g} arcsec", 1e6 * median(spent) / BATCH, "us/alert", "≤ 10"))
    return rows


def filters(catalog: Catalog, rng: np.random.Generator, rounds: int) -> list[Row]:
    ra, dec = positions(rng, BATCH)
    packets = [
        {"objectId": "ZTF21aaaaaaa", "candidate": {"candid": n, "ra": float(a), "dec": float(d)}}
        for n, (a, d) in enumerate(zip(ra, dec, strict=True))
    ]
    rows: list[Row] = []
    for count in (1, 10, 100):
        spent = []
        for _ in range(rounds):
            table = PacketTable(packets, ["schema"] * BATCH)
            began = time.perf_counter()
            columns = Columns(table, {"gaia": catalog})
            for number in range(count):
                rule = StarRule(3.0 + number * 1e-3, 3.0, 9.0, 20.0, 999.0)
                _ = (stars(columns.near("gaia", 20.0), rule).count() == 0).true
            spent.append(time.perf_counter() - began)
        rows.append((f"{count} channels with the Gaia cut", 1e6 * median(spent) / BATCH, "us/alert", ""))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, help="of the catalogue: 10000000, with --quick 1000000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="in some seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    sources = options.sources or (1_000_000 if options.quick else 10_000_000)
    rounds = 5 if options.quick else 20
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_table(directory / "stars.parquet", rng, sources)
        began = time.perf_counter()
        wanted = Wanted(preset=PRESETS["gaia-dr3"])
        import_tables(directory, Request(name="gaia", paths=[directory / "stars.parquet"], wanted=wanted))
        seconds = (time.perf_counter() - began) / sources * 1e6
        rows: list[Row] = [("import of a million sources", seconds, "s", "")]
        catalog = Catalog(directory / "gaia")
        rows += searches(catalog, rng, rounds)
        rows += filters(catalog, rng, rounds * 4)
    if options.json:
        names = ("what", "value", "unit", "asked")
        numbers = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps({"sources": sources, "cpus": os.cpu_count(), "rows": numbers}))
        return
    table = Table("what", "median", "", "asked for", title=f"{sources:,} sources, {os.cpu_count()} CPUs")
    table.columns[1].justify = "right"
    for what, value, unit, ask in rows:
        table.add_row(what, f"{value:,.2f}", unit, ask)
    Console().print(table)


if __name__ == "__main__":
    main()
