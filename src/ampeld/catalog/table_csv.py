"""CSV files, plain or packed, with the units of an ECSV header where there is one (as in Gaia's bulk downloads)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from ampeld.catalog.errors import TableError
from ampeld.catalog.table import TableColumn, Values
from ampeld.catalog.table_arrow import kind_of, values_of

_BLOCK_BYTES = 1 << 24
_SEPARATORS = (",", "\t", ";", "|")
_NOTHING = ["", "null", "NULL", "Null", "nan", "NaN", "NA", "N/A", "--", "None"]
_COLUMN = re.compile(r"In CSV column #(\d+)")
# What is tried next for a column that the first block has misjudged.
_WIDER = {pa.null(): pa.int64(), pa.int64(): pa.float64(), pa.float64(): pa.string(), pa.bool_(): pa.string()}


class CsvTable:
    """A CSV file with the names of its columns in the first line that does not begin with ``#``.

    It is read twice: once for the types and the number of rows, once for the values.

    Raises
    ------
    TableError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        comments, names, separator = self._head()
        self._read = csv.ReadOptions(block_size=_BLOCK_BYTES, skip_rows=len(comments) + 1, column_names=names)
        self._parse = csv.ParseOptions(delimiter=separator)
        self._types: dict[str, pa.DataType] = {}
        self.rows = self._settle(names)
        said = _ecsv(comments)
        self.columns = {
            name: TableColumn(
                name=name,
                kind=kind_of(self._types[name]),
                type=str(self._types[name]),
                **said.get(name, {}),
            )
            for name in names
        }

    def chunks(self, names: Sequence[str]) -> Iterator[Mapping[str, Values]]:
        """Yield some columns of the rows, a block of the file at a time."""
        try:
            with self._open(names) as reader:
                for batch in reader:
                    yield {name: values_of(batch.column(name)) for name in names}
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error

    def _head(self) -> tuple[list[str], list[str], str]:
        """Return the comments before the table, the names of its columns, and what separates them."""
        comments: list[str] = []
        try:
            with pa.input_stream(str(self.path), compression="detect") as stream:
                raw = stream.read(_BLOCK_BYTES)
            lines = raw.decode("utf-8-sig", errors="strict" if len(raw) < _BLOCK_BYTES else "ignore").splitlines()
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        for line in lines:
            if not line.startswith("#"):
                separator = max(_SEPARATORS, key=line.count)
                separator = separator if separator in line else " "
                names = [name.strip().strip('"') for name in line.split(separator)]
                if len(set(names)) < len(names):
                    twice = sorted({name for name in names if names.count(name) > 1})
                    raise TableError([f"{self.path}: two columns are named {name!r}" for name in twice])
                return comments, names, separator
            comments.append(line)
        raise TableError([f"{self.path}: is empty"])

    def _settle(self, names: Sequence[str]) -> int:
        """Find the type of every column, so that all rows fit; return the number of rows."""
        while True:
            rows = 0
            try:
                with self._open(names) as reader:
                    for name, field in zip(names, reader.schema, strict=True):
                        self._types.setdefault(name, pa.int64() if pa.types.is_null(field.type) else field.type)
                    for batch in reader:
                        rows += batch.num_rows
            except (OSError, pa.ArrowException) as error:
                found = _COLUMN.search(str(error))
                if found is None:
                    raise self._unreadable(error) from error
                name = names[int(found[1])]
                now = self._types.get(name, pa.float64())
                if now == pa.string():
                    raise self._unreadable(error) from error
                self._types[name] = _WIDER.get(now, pa.string())
            else:
                return rows

    def _open(self, names: Sequence[str]) -> csv.CSVStreamingReader:
        convert = csv.ConvertOptions(
            null_values=_NOTHING,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            include_columns=list(names),
            column_types=self._types,
        )
        stream = pa.input_stream(str(self.path), compression="detect")
        return csv.open_csv(stream, read_options=self._read, parse_options=self._parse, convert_options=convert)

    def _unreadable(self, error: Exception) -> TableError:
        return TableError([f"{self.path}: cannot be read as CSV: {error}"])


def _ecsv(comments: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return by column what an ECSV header says; nothing where there is none."""
    text = [line.removeprefix("#").removeprefix(" ") for line in comments]
    if not text or not text[0].startswith("%ECSV"):
        return {}
    from ampeld.catalog.table_yaml import said_of_columns  # noqa: PLC0415  a second's worth of imports

    return said_of_columns(text[1:])
