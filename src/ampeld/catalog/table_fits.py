"""FITS binary and ASCII tables, through astropy: only the rows of one chunk are in memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ampeld.catalog.errors import TableError
from ampeld.catalog.meta import Kind
from ampeld.catalog.table import CHUNK_ROWS, TableColumn, Values, text_values

_KINDS: dict[str, Kind] = {"f": "float", "i": "int", "u": "int", "b": "bool", "S": "text", "U": "text"}
_LOGICAL = "L"  # truth values, whose type on disk is that of letters


class FitsTable:
    """The first table of a FITS file.

    Raises
    ------
    TableError
        If the file cannot be read or has no table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with fits.open(path, memmap=True) as file:
                self._place, hdu = _first_table(file)
                self.rows = int(hdu.header["NAXIS2"])
                self.columns = {column.name: _column(column, n, hdu) for n, column in enumerate(hdu.columns, start=1)}
                self._nulls = {column.name: column.null for column in hdu.columns}
        except LookupError as error:
            raise TableError([f"{path}: has no table, only images"]) from error
        except (OSError, ValueError, TypeError, fits.VerifyError) as error:
            raise TableError([f"{path}: cannot be read as FITS: {error}"]) from error

    def chunks(self, names: Sequence[str]) -> Iterator[Mapping[str, Values]]:
        """Yield some columns of the rows, a chunk at a time."""
        try:
            with fits.open(self.path, memmap=True) as file:
                data = file[self._place].data
                for start in range(0, self.rows, CHUNK_ROWS):
                    # slicing before asking for a field: astropy scales what was asked for, and only that
                    rows = data[start : start + CHUNK_ROWS]
                    yield {name: self._values(np.asarray(rows.field(name)), name) for name in names}
        except (OSError, ValueError, TypeError) as error:
            raise TableError([f"{self.path}: cannot be read to its end: {error}"]) from error

    def _values(self, found: NDArray[Any], name: str) -> Values:
        kind, null = self.columns[name].kind, self._nulls[name]
        if kind == "text":
            return text_values([str(text) for text in found.tolist()])
        if kind == "float":
            return Values(found.astype(np.float32 if found.dtype == np.float32 else np.float64))
        if kind == "bool":
            return Values(found.astype(np.bool_))
        missing = found == null if isinstance(null, int) else None
        return Values(found.astype(found.dtype.newbyteorder("=")), missing)


def _first_table(file: Any) -> tuple[int, Any]:
    tables = (n for n, hdu in enumerate(file) if isinstance(hdu, fits.BinTableHDU | fits.TableHDU))
    place = next(tables, None)
    if place is None:
        raise LookupError
    return place, file[place]


def _column(column: Any, number: int, hdu: Any) -> TableColumn:
    dtype = column.dtype
    single = dtype is not None and not dtype.shape and not column.format.startswith(("P", "Q"))
    kind = _KINDS.get(dtype.kind) if single else None
    if column.format == _LOGICAL:
        kind = "bool"
    return TableColumn(
        name=column.name,
        # whole numbers that are scaled by TSCAL become fractions
        kind="float" if kind == "int" and column.bscale not in (None, "", 1) else kind,
        type=str(column.format),
        unit=(column.unit or "").strip(),
        description=str(hdu.header.get(f"TCOMM{number}", "")),
    )
