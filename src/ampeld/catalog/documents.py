"""The rows of a catalogue as documents, and where in a collection of them a cone lies."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.sphere import separation_arcsec
from ampeld.catalog.cone import check_radius
from ampeld.catalog.cover import cover
from ampeld.catalog.intake import MISSING
from ampeld.catalog.meta import INDEX

Document = dict[str, Any]


def documents(part: Mapping[str, NDArray[Any]]) -> Iterator[Document]:
    """Yield one document for each row; what a row lacks is not in it.

    Parameters
    ----------
    part
        Fields of some rows, as `ampeld.catalog.gather.Gathered.slices` yields them.
    """
    names = [name for name in part if not name.endswith(MISSING)]
    columns = [_plain(part[name], part.get(name + MISSING)) for name in names]
    for row in zip(*columns, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def ranges(ra: float, dec: float, radius_arcsec: float) -> list[tuple[int, int]]:
    """Return the ranges of `INDEX` that hold everything within a radius of a position: first, and after the last.

    Raises
    ------
    ValueError
        If the radius cannot be searched.
    """
    check_radius(radius_arcsec)
    _, first, end = cover(np.array([ra]), np.array([dec]), radius_arcsec)
    return list(zip(first.tolist(), end.tolist(), strict=True))


def nearest_first(found: list[Document], ra: float, dec: float, radius_arcsec: float) -> list[tuple[float, Document]]:
    """Return those of the documents that lie within the radius, each with its distance [arcsec]."""
    if not found:
        return []
    there = [np.array([document[axis] for document in found]) for axis in ("ra", "dec")]
    away = separation_arcsec(np.full(len(found), ra), np.full(len(found), dec), *there)
    near = [(distance, one) for distance, one in zip(away.tolist(), found, strict=True) if distance <= radius_arcsec]
    return sorted(near, key=lambda pair: (pair[0], pair[1][INDEX]))


def _plain(values: NDArray[Any], missing: NDArray[np.bool_] | None) -> list[Any]:
    plain: list[Any] = values.tolist()
    if values.dtype.kind == "f":
        return [None if value != value else value for value in plain]  # noqa: PLR0124  true of NaN only
    if values.dtype.kind == "S":
        plain = [value.decode() for value in plain]
    if missing is None:
        return plain
    return [None if gone else value for value, gone in zip(plain, missing.tolist(), strict=True)]
