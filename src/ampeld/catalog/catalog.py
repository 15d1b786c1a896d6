"""A catalogue on disk, opened: its columns are mapped into memory, and only what is looked at is ever read."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.catalog.cone import Rows, search
from ampeld.catalog.errors import CatalogError
from ampeld.catalog.healpix import Degrees
from ampeld.catalog.meta import INDEX, CatalogMeta, ColumnMeta, read_meta

_KINDS = {"float": "f", "int": "i", "bool": "b", "text": "S"}
_TRIES = 3


class Catalog:
    """A catalogue to search in; read-only, and the same whatever is imported under its name meanwhile.

    Parameters
    ----------
    directory
        Where ``meta.json`` lies.

    Raises
    ------
    CatalogError
        If it cannot be read, or its columns are not as it says.
    """

    def __init__(self, directory: Path) -> None:
        self.meta, self._arrays, self._missing = _open(directory)
        self.directory = directory
        self._columns = {column.name: column for column in self.meta.columns}
        self._index = self._arrays.pop(INDEX)

    def __len__(self) -> int:
        return self.meta.rows

    def __repr__(self) -> str:
        return f"<Catalog {self.meta.name!r} of {len(self)} sources>"

    @property
    def columns(self) -> Collection[str]:
        """Return the names of the columns, ``ra`` and ``dec`` among them."""
        return self._columns.keys()

    @property
    def index(self) -> NDArray[np.int64]:
        """Return the cell of order 29 of each row, ascending."""
        return self._index

    def cone(
        self, ra: Degrees, dec: Degrees, radius_arcsec: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Degrees]:
        """Return for each position the sources within the radius, nearest first.

        Parameters
        ----------
        ra, dec : shape (n,)
            Right ascension and declination [deg, ICRS], finite.
        radius_arcsec
            The radius [arcsec], 0 < radius <= 36000 (10 degrees); it belongs to the cone.

        Returns
        -------
        tuple of offsets, rows, distances
            Position ``i`` has the sources ``rows[offsets[i]:offsets[i + 1]]`` at these distances [arcsec].

        Raises
        ------
        ValueError
            If the radius is out of range or a position is not finite.
        """
        return search(self._index, (self._arrays["ra"], self._arrays["dec"]), (ra, dec), radius_arcsec)

    def take(self, column: str, rows: Rows) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return a column's values for some rows (float64, int64, or object for text), and where they are missing.

        Truth values are 0 and 1.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        kind = self._columns[column].kind
        found = self._arrays[column][rows]
        if kind == "float":
            values = found.astype(np.float64)
            return values, ~np.isfinite(values)
        absent = self._missing.get(column)
        missing = np.zeros(len(found), dtype=np.bool_) if absent is None else absent[rows]
        if kind != "text":
            return found.astype(np.int64), missing
        text = np.empty(len(found), dtype=object)
        text[:] = [None if gone else raw.decode() for raw, gone in zip(found.tolist(), missing.tolist(), strict=True)]
        return text, missing

    def array(self, column: str) -> NDArray[Any]:
        """Return a whole column as it lies on disk; raises KeyError if there is none."""
        return self._arrays[column]


def _open(directory: Path) -> tuple[CatalogMeta, dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    """Map a catalogue's columns; begin again where an import has put others in their place meanwhile."""
    reason = ""
    for _ in range(_TRIES):
        meta = read_meta(directory)
        try:
            return meta, *_map(directory / meta.data, meta)
        except FileNotFoundError as error:
            reason = f"{error.filename}: is missing: import the catalogue again"
    raise CatalogError(reason)


def _map(data: Path, meta: CatalogMeta) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    index = ColumnMeta(name=INDEX, kind="int")
    arrays = {
        column.name: _array(data / f"{column.name}.npy", column.kind, meta.rows) for column in (*meta.columns, index)
    }
    missing = {
        column.name: _array(data / f"{column.name}.missing.npy", "bool", meta.rows)
        for column in meta.columns
        if column.missing and column.kind != "float"
    }
    for needed in ("ra", "dec"):
        if needed not in arrays:
            raise CatalogError(f"{data}: has no column {needed!r}")
    return arrays, missing


def _array(path: Path, kind: str, rows: int) -> NDArray[Any]:
    try:
        # a view as a plain array: numpy's own class for mapped ones makes every operation slower
        array: NDArray[Any] = np.load(path, mmap_mode="r" if rows else None, allow_pickle=False).view(np.ndarray)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path}: is no column of a catalogue: {error}") from error
    if array.shape != (rows,) or array.dtype.kind != _KINDS[kind]:
        raise CatalogError(f"{path}: has {array.dtype} of shape {array.shape} where {rows} rows of {kind} are expected")
    return array
