"""A table to import, whatever its format: columns with units, read in chunks of rows."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.catalog.errors import TableError
from ampeld.catalog.meta import Kind

CHUNK_ROWS: Final = 1 << 17
PACKED: Final = (".gz", ".bz2", ".zst")

_FORMATS: Final = {
    ".fits": "fits",
    ".fit": "fits",
    ".fts": "fits",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".ecsv": "csv",
}


class Values(NamedTuple):
    """Some rows of a column: float, int, bool or bytes (text as UTF-8); a float that is missing is NaN."""

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None
    """None where no row lacks it."""


class TableColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table."""

    name: str
    kind: Kind | None
    """None when it holds what a catalogue cannot, such as lists."""
    type: str
    """What the table calls its type."""
    unit: str = ""
    description: str = ""


class Table(Protocol):
    """A file with one table."""

    @property
    def path(self) -> Path:
        """Return the file."""

    @property
    def columns(self) -> Mapping[str, TableColumn]:
        """Return its columns by name, in their order."""

    @property
    def rows(self) -> int:
        """Return how many rows it has."""

    def chunks(self, names: Sequence[str]) -> Iterator[Mapping[str, Values]]:
        """Yield some columns of the rows, `CHUNK_ROWS` or so at a time."""


def open_table(path: Path) -> Table:
    """Open a file by the suffix of its name.

    Raises
    ------
    TableError
        If it is none of the formats that are known, cannot be read, or holds no table.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    found = _FORMATS.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise TableError([f"{path}: is no table that can be imported: {', '.join(_FORMATS)}, FITS and CSV also packed"])
    if not path.is_file():
        raise TableError([f"{path}: there is no such file"])
    if found == "fits":
        from ampeld.catalog.table_fits import FitsTable  # noqa: PLC0415  a second's worth of imports

        return FitsTable(path)
    try:
        if found == "parquet":
            from ampeld.catalog.table_parquet import ParquetTable  # noqa: PLC0415  an optional dependency

            return ParquetTable(path)
        from ampeld.catalog.table_csv import CsvTable  # noqa: PLC0415  an optional dependency

        return CsvTable(path)
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise TableError([f"{path}: reading {found} needs pyarrow: pip install 'ampeld[catalogs]'"]) from error


def text_values(texts: Sequence[str | None]) -> Values:
    """Return texts as bytes; an empty one counts as missing."""
    encoded = [b"" if text is None else text.strip().encode() for text in texts]
    values = np.array(encoded, dtype=bytes) if encoded else np.empty(0, dtype="S1")
    missing = values == b""
    return Values(values, missing if missing.any() else None)
