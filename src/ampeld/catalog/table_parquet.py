"""Parquet files, a row group's part at a time."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from ampeld.catalog.errors import TableError
from ampeld.catalog.table import CHUNK_ROWS, TableColumn, Values
from ampeld.catalog.table_arrow import kind_of, values_of

_ASTROPY = b"table_meta_yaml"
_UNITS = (b"unit", b"units")
_WORDS = (b"description", b"doc", b"comment")


class ParquetTable:
    """A Parquet file; units and descriptions are what astropy wrote, or else what the metadata of its fields say.

    Raises
    ------
    TableError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with parquet.ParquetFile(path) as file:
                self.rows = file.metadata.num_rows
                schema = file.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise TableError([f"{path}: cannot be read as Parquet: {error}"]) from error
        said = _said_by_astropy(schema.metadata or {})
        self.columns = {field.name: _column(field, said.get(field.name, {})) for field in schema}

    def chunks(self, names: Sequence[str]) -> Iterator[Mapping[str, Values]]:
        """Yield some columns of the rows, a chunk at a time."""
        try:
            # pre-buffered, all of the file would be in memory by its end
            with parquet.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=list(names)):
                    yield {name: values_of(batch.column(name)) for name in names}
        except (OSError, pa.ArrowException) as error:
            raise TableError([f"{self.path}: cannot be read to its end: {error}"]) from error


def _column(field: pa.Field, said: Mapping[str, str]) -> TableColumn:
    own = field.metadata or {}
    return TableColumn(
        name=field.name,
        kind=kind_of(field.type),
        type=str(field.type),
        unit=said.get("unit") or _first(own, _UNITS),
        description=said.get("description") or _first(own, _WORDS),
    )


def _first(said: Mapping[bytes, bytes], keys: Sequence[bytes]) -> str:
    return next((said[key].decode(errors="replace") for key in keys if key in said), "")


def _said_by_astropy(metadata: Mapping[bytes, bytes]) -> dict[str, dict[str, str]]:
    if _ASTROPY not in metadata:
        return {}
    from ampeld.catalog.table_yaml import said_of_columns  # noqa: PLC0415  a second's worth of imports

    return said_of_columns(metadata[_ASTROPY].decode(errors="replace").splitlines())
