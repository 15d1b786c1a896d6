"""Cone search: for each of many positions, the sources within a radius, nearest first."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.sphere import separation_arcsec
from ampeld.catalog.cover import cover
from ampeld.catalog.healpix import Cells, Degrees

MAX_RADIUS_ARCSEC: Final = 36_000.0
"""10 degrees."""

_AT_ONCE = 1 << 18  # sources that are looked at in one go: some 16 MB

Rows = NDArray[np.int64]


def search(
    index: Cells, sources: tuple[Degrees, Degrees], positions: tuple[Degrees, Degrees], radius_arcsec: float
) -> tuple[NDArray[np.int64], Rows, Degrees]:
    """Return the sources near each position.

    Parameters
    ----------
    index : shape (N,)
        The cell of order 29 of each source, ascending.
    sources : two arrays of shape (N,)
        Right ascension and declination of the sources [deg].
    positions : two arrays of shape (n,)
        Those of the positions [deg], finite.
    radius_arcsec
        The radius [arcsec], 0 < radius <= `MAX_RADIUS_ARCSEC`; it belongs to the cone.

    Returns
    -------
    tuple of offsets, rows, distances
        Position ``i`` has the sources ``rows[offsets[i]:offsets[i + 1]]`` at these distances [arcsec], ascending.

    Raises
    ------
    ValueError
        If the radius is out of range or a position is not finite.
    """
    check_radius(radius_arcsec)
    ra, dec = positions
    if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
        raise ValueError("a position to search at is not finite")
    owner, first, end = cover(ra, dec, radius_arcsec)
    low, high = _bounds(index, first, end)
    parts = [
        _look(sources, positions, radius_arcsec, (owner[part], low[part], high[part])) for part in _parts(high - low)
    ]
    owners, rows, distances = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((rows, distances, owners))
    offsets = np.zeros(len(ra) + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=len(ra)), out=offsets[1:])
    return offsets, rows[order], distances[order]


def check_radius(radius_arcsec: float) -> None:
    """Raise ValueError if a radius cannot be searched."""
    if not 0 < radius_arcsec <= MAX_RADIUS_ARCSEC:
        raise ValueError(f"a radius of {radius_arcsec} arcsec cannot be searched: above 0 and up to 10 degrees (36000)")


def _bounds(index: Cells, first: Cells, end: Cells) -> tuple[Rows, Rows]:
    """Return the rows that each range of cells has."""
    # in ascending order, so that one look-up warms the cache for the next
    order = np.argsort(first)
    low, high = np.empty_like(order), np.empty_like(order)
    low[order] = np.searchsorted(index, first[order])
    high[order] = np.searchsorted(index, end[order])
    return low, high


def _parts(lengths: Rows) -> list[slice]:
    """Return slices of the ranges that have `_AT_ONCE` sources each, or a single longer range."""
    total = np.cumsum(lengths)
    if not len(total) or total[-1] <= _AT_ONCE:
        return [slice(0, len(lengths))]
    steps = np.unique(total // _AT_ONCE, return_index=True)[1].tolist()
    return [slice(a, b) for a, b in zip(steps, [*steps[1:], len(lengths)], strict=True)]


def _look(
    sources: tuple[Degrees, Degrees],
    positions: tuple[Degrees, Degrees],
    radius_arcsec: float,
    ranges: tuple[Rows, Rows, Rows],
) -> tuple[Rows, Rows, Degrees]:
    """Return owner, row and distance of each source in the ranges that lies within the radius."""
    owner, low, high = ranges
    lengths = high - low
    ends = np.cumsum(lengths)
    owners = np.repeat(owner, lengths)
    rows = np.repeat(low - (ends - lengths), lengths) + np.arange(len(owners))
    (ra, dec), (at_ra, at_dec) = sources, positions
    distances = separation_arcsec(at_ra[owners], at_dec[owners], ra[rows], dec[rows])
    near = distances <= radius_arcsec
    return owners[near], rows[near], distances[near]
