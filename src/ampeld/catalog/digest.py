"""The digests of columns, taken while their rows go by in order."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from ampeld.catalog.intake import MISSING
from ampeld.catalog.meta import ColumnMeta


class Digester:
    """The xxh3-128 of each field, and how many rows lack it."""

    def __init__(self) -> None:
        self._hashes: dict[str, xxhash.xxh3_128] = {}
        self._gaps: dict[str, int] = {}

    def update(self, part: Mapping[str, NDArray[Any]]) -> None:
        """Take the next rows of all fields."""
        for name, values in part.items():
            self._hashes.setdefault(name, xxhash.xxh3_128()).update(raw(values))
            if name.endswith(MISSING):
                self._gaps[name] = self._gaps.get(name, 0) + int(np.count_nonzero(values))

    def gaps(self, name: str) -> int:
        """Return how many rows lack a column, as far as a field says so."""
        return self._gaps.get(name + MISSING, 0)

    def finish(self, columns: Sequence[ColumnMeta]) -> list[ColumnMeta]:
        """Return the columns with their digests and how many rows lack them."""
        return [msgspec.structs.replace(one, digest=self._of(one.name), missing=self.gaps(one.name)) for one in columns]

    def _of(self, name: str) -> str:
        digest = self._hashes[name].hexdigest()
        return f"{digest}-{self._hashes[name + MISSING].hexdigest()}" if self.gaps(name) else digest


def raw(values: NDArray[Any]) -> memoryview:
    """Return the bytes of an array's values."""
    return np.ascontiguousarray(values).view(np.uint8).data
