"""A catalogue in memory, searched the slow way: every source against every position."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.sphere import separation_arcsec


class FakeCatalog:
    """Sources at some positions [deg] with further columns; None is missing."""

    def __init__(self, ra: list[float], dec: list[float], **columns: list[Any]) -> None:
        self._found = {"ra": ra, "dec": dec, **columns}
        self.searches: list[float] = []

    @property
    def columns(self) -> list[str]:
        return list(self._found)

    def cone(
        self, ra: NDArray[np.float64], dec: NDArray[np.float64], radius_arcsec: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        self.searches.append(radius_arcsec)
        own = np.array(self._found["ra"], dtype=float), np.array(self._found["dec"], dtype=float)
        offsets, rows, distances = [0], [], []
        for at_ra, at_dec in zip(ra, dec, strict=True):
            away = separation_arcsec(np.full(len(own[0]), at_ra), np.full(len(own[0]), at_dec), *own)
            near = sorted((float(d), row) for row, d in enumerate(away) if d <= radius_arcsec)
            distances += [d for d, _ in near]
            rows += [row for _, row in near]
            offsets.append(len(rows))
        return np.array(offsets), np.array(rows, dtype=np.int64), np.array(distances, dtype=float)

    def take(self, column: str, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        found = [self._found[column][row] for row in rows]
        missing = np.array([value is None for value in found], dtype=np.bool_)
        if any(isinstance(value, str) for value in self._found[column]):
            text = np.empty(len(found), dtype=object)
            text[:] = found
            return text, missing
        return np.array([np.nan if value is None else value for value in found], dtype=float), missing
