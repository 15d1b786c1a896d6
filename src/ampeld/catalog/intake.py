"""From a table's chunks to rows with a cell: units converted, positions checked, bad rows counted."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.catalog.choice import Choice, Taken
from ampeld.catalog.errors import TableError
from ampeld.catalog.healpix import cells
from ampeld.catalog.meta import INDEX
from ampeld.catalog.table import Table, Values

MISSING = ".missing"
"""What follows a column's name in the name of the field that says where it is missing."""

_MOST_TEXT = 1024
_BIGGEST = np.iinfo(np.int64).max

Fields = dict[str, NDArray[Any]]


class Intake:
    """The rows of one table.

    Parameters
    ----------
    table
        The table.
    choice
        What is taken of it.
    """

    def __init__(self, table: Table, choice: Choice) -> None:
        self._table = table
        self._choice = choice
        self.rows = 0
        """How many were read so far."""
        self.bad = 0
        """How many of them have no position on the sky."""
        self.first_bad = ""
        """Where the first of these is, and what is wrong."""

    def __iter__(self) -> Iterator[Fields]:
        """Yield the rows that have a position, a chunk at a time."""
        taken = (self._choice.ra, self._choice.dec, *self._choice.columns)
        names = list(dict.fromkeys(one.source for one in taken))
        for chunk in self._table.chunks(names):
            ra, dec = (_scaled(one, chunk[one.source]) for one in taken[:2])
            good = (ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90)  # false for NaN
            self._count_bad(ra, dec, good)
            self.rows += len(ra)
            fields = {"ra": np.mod(ra[good], 360.0), "dec": dec[good]}
            fields[INDEX] = cells(fields["ra"], fields["dec"])
            for one in taken[2:]:
                fields |= self._further(one, chunk[one.source], good)
            yield fields

    def _count_bad(self, ra: NDArray[np.float64], dec: NDArray[np.float64], good: NDArray[np.bool_]) -> None:
        bad = np.flatnonzero(~good)
        if bad.size and not self.bad:
            row = int(bad[0])
            self.first_bad = f"row {self.rows + row + 1}: ra {ra[row]}, dec {dec[row]} [deg]"
        self.bad += bad.size

    def _further(self, taken: Taken, values: Values, good: NDArray[np.bool_]) -> Fields:
        if taken.kind == "float":
            return {taken.name: _scaled(taken, values)[good] if taken.factor != 1.0 else _floats(values)[good]}
        found = values.values[good]
        if taken.kind == "text" and found.dtype.itemsize > _MOST_TEXT:
            size = f"texts of {found.dtype.itemsize} bytes, and {_MOST_TEXT} is the most"
            raise TableError([f"{self._table.path}: column {taken.source!r} has {size}: leave it out with --columns"])
        if found.dtype.kind == "u":
            if found.size and found.max() > _BIGGEST:
                raise TableError([f"{self._table.path}: column {taken.source!r} has numbers above {_BIGGEST}"])
            found = found.astype(np.int64)
        missing = np.zeros(len(found), dtype=np.bool_) if values.missing is None else values.missing[good]
        return {taken.name: found, taken.name + MISSING: missing}


def _floats(values: Values) -> NDArray[Any]:
    """Return values as floats of their own precision, NaN where missing."""
    found = values.values if values.values.dtype.kind == "f" else values.values.astype(np.float64)
    if values.missing is None:
        return found
    return np.where(values.missing, np.nan, found)


def _scaled(taken: Taken, values: Values) -> NDArray[np.float64]:
    return _floats(values).astype(np.float64) * taken.factor
