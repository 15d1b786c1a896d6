"""Sums, extremes and medians of many short lists that lie behind one another in an array."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Mask
from ampeld.channel.elementwise import Cells

Offsets = NDArray[np.int64]
"""Shape (n + 1,): list ``i`` is ``values[offsets[i]:offsets[i + 1]]``."""


def owners(offsets: Offsets) -> NDArray[np.int64]:
    """Return for each element the number of the list that it lies in."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))


def keep(offsets: Offsets, mask: Mask) -> Offsets:
    """Return the offsets of the lists when only the elements under the mask are kept."""
    running = np.zeros(len(mask) + 1, dtype=np.int64)
    np.cumsum(mask, out=running[1:])
    return running[offsets]


def count(offsets: Offsets, mask: Mask) -> NDArray[np.int64]:
    """Return for each list how many of its elements are under the mask."""
    return np.diff(keep(offsets, mask))


def reduce(
    offsets: Offsets,
    cells: Cells,
    function: Callable[[NDArray[Any], Offsets], NDArray[Any]],
) -> Cells:
    """Reduce each list to one value, missing elements left out; nothing comes of a list without any.

    Parameters
    ----------
    function
        Called with the elements that are left and the offsets of the lists that are not empty.
    """
    present = ~cells.missing
    kept = keep(offsets, present)
    empty = kept[1:] == kept[:-1]
    inner = np.append(kept[:-1][~empty], kept[-1])
    if len(inner) == 1:
        values = np.zeros(len(empty), dtype=cells.values.dtype)
    else:
        reduced = function(cells.values[present], inner)
        values = np.zeros(len(empty), dtype=reduced.dtype)
        values[~empty] = reduced
    if values.dtype == object:
        values[empty] = None
    elif values.dtype.kind == "f":
        empty = empty | ~np.isfinite(values)
        values[empty] = np.nan
    return Cells(values, empty)


def first(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return the first of each list."""
    return np.asarray(values[offsets[:-1]])


def last(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return the last of each list."""
    return np.asarray(values[offsets[1:] - 1])


def lowest(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return the least of each list."""
    return np.minimum.reduceat(values, offsets[:-1])


def highest(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return the greatest of each list."""
    return np.maximum.reduceat(values, offsets[:-1])


def span(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return greatest less least of each list."""
    return np.asarray(highest(values, offsets) - lowest(values, offsets))


def total(values: NDArray[Any], offsets: Offsets) -> NDArray[Any]:
    """Return the sum of each list."""
    return np.add.reduceat(values, offsets[:-1])


def mean(values: NDArray[Any], offsets: Offsets) -> NDArray[np.float64]:
    """Return the arithmetic mean of each list."""
    return np.asarray(total(values.astype(np.float64), offsets) / np.diff(offsets))


def median(values: NDArray[Any], offsets: Offsets) -> NDArray[np.float64]:
    """Return the middle of each sorted list, the mean of the middle two where their number is even."""
    ordered = values[np.lexsort((values, owners(offsets)))].astype(np.float64)
    length = np.diff(offsets)
    low, high = offsets[:-1] + (length - 1) // 2, offsets[:-1] + length // 2
    return np.asarray((ordered[low] + ordered[high]) / 2)
