"""Which ranges of cells a cone can touch, for many cones at once."""

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.sphere import ARCSEC_PER_RADIAN, separation_arcsec
from ampeld.catalog.healpix import ORDER, SIDE, Cells, Degrees, centres, join, places

_STEEPEST = 1.46
"""Faces along which x or y grows per radian, at most: sqrt(3/2 + 6/pi^2) = 1.4519, at the poles."""
_ROUNDING = 16
"""Cells of order 29 by which rounding may misplace a position: 6 mas."""
_REACH = 1.07
"""Radians from the centre of a cell to its furthest corner, at most, times the cells along the side of a face."""

# What lies beyond the edges of a face, to the north-east, south-west, north-west and south-east of it, by its belt (the
# northern cap, the equator, the southern cap). The belt is the same where the edge ends at a pole.
_QUARTERS_ON = np.array([[1, 0, -1, 1], [0, -1, -1, 0], [1, -1, 0, 1]])
_BELTS_ON = np.array([[0, 1, 0, 1], [-1, 1, -1, 1], [-1, 0, -1, 0]])
_START = 3  # all 768 cells of this order are looked at in one go, which costs as much as one level


def cover(ra: Degrees, dec: Degrees, radius_arcsec: float) -> tuple[NDArray[np.int64], Cells, Cells]:
    """Return ranges of cells of order 29 that hold everything within a radius of each position, and some more.

    Parameters
    ----------
    ra, dec : shape (n,)
        Positions [deg], finite.
    radius_arcsec
        The radius [arcsec], up to some tens of degrees.

    Returns
    -------
    tuple of arrays of shape (m,)
        Which position a range belongs to (ascending), its first cell, and the cell after its last one. The ranges of
        a position do not overlap.
    """
    radius = radius_arcsec / ARCSEC_PER_RADIAN
    reach = int(np.ceil(_STEEPEST * radius * SIDE)) + _ROUNDING
    # the highest order at which the cone's box has no more than two cells along a side
    order = max(0, ORDER - (2 * reach).bit_length())
    owner, face, column, row = _box(*places(ra, dec), reach=reach, order=order)
    side = 1 << order
    corner = _outside(column, side) & _outside(row, side)
    if corner.any():  # where three or four faces meet
        special = np.unique(owner[corner])
        kept = ~np.isin(owner, special)
        owner, face, column, row = owner[kept], face[kept], column[kept], row[kept]
    else:
        special = owner[:0]
    cell = join(*_step_over(face, column, row, side), order)
    if special.size:
        lost, more = _descend(ra[special], dec[special], radius + 2.0 * _ROUNDING / SIDE, order)
        owner, cell = np.concatenate((owner, special[lost])), np.concatenate((cell, more))
        sorting = np.argsort(owner, kind="stable")
        owner, cell = owner[sorting], cell[sorting]
    shift = 2 * (ORDER - order)
    return owner, cell << shift, (cell + 1) << shift


def _box(face: Cells, x: Cells, y: Cells, *, reach: int, order: int) -> tuple[Cells, Cells, Cells, Cells]:
    """Return owner, face, column and row of the one, two or four cells that a box round each position touches.

    Columns and rows may be -1 or one too large: beyond an edge of the face.
    """
    shift = ORDER - order
    left, right = (x - reach) >> shift, (x + reach) >> shift
    low, high = (y - reach) >> shift, (y + reach) >> shift
    columns = np.stack((left, right, left, right), axis=1)
    rows = np.stack((low, low, high, high), axis=1)
    wide, tall = left != right, low != high
    needed = np.stack((np.ones_like(wide), wide, tall, wide & tall), axis=1)
    owner = np.nonzero(needed)[0]
    return owner, face[owner], columns[needed], rows[needed]


def _outside(coordinate: Cells, side: int) -> NDArray[np.bool_]:
    return (coordinate < 0) | (coordinate >= side)


def _step_over(face: Cells, column: Cells, row: Cells, side: int) -> tuple[Cells, Cells, Cells]:
    """Return face, column and row of cells, those beyond one edge of their face in the face that lies there.

    Across an edge that ends at a pole, columns and rows change their parts; across any other one they go on counting.
    """
    beyond = np.flatnonzero(_outside(column, side) | _outside(row, side))
    if not beyond.size:
        return face, column, row
    face, column, row = face.copy(), column.copy(), row.copy()
    belt, quarter, x, y = face[beyond] >> 2, face[beyond] & 3, column[beyond], row[beyond]
    edge = np.select([x >= side, x < 0, y >= side], [0, 1, 2], 3)
    belts = _BELTS_ON[belt, edge]
    face[beyond] = 4 * (belt + belts) + ((quarter + _QUARTERS_ON[belt, edge]) & 3)
    polar = belts == 0
    last = np.where(belt == 0, side - 1, 0)
    column[beyond] = np.where(polar, np.where(edge < 2, y, last), x & (side - 1))
    row[beyond] = np.where(polar, np.where(edge < 2, last, x), y & (side - 1))
    return face, column, row


def _descend(ra: Degrees, dec: Degrees, radius: float, order: int) -> tuple[NDArray[np.int64], Cells]:
    """Return the cells near each position from large ones down, for cones that cross the edge of a face."""
    start = min(order, _START)
    number = 12 << (2 * start)
    owner = np.repeat(np.arange(len(ra)), number)
    cell = np.tile(np.arange(number), len(ra))
    for level in range(start, order + 1):
        if level > start:
            owner = np.repeat(owner, 4)
            cell = (np.repeat(cell, 4) << 2) + np.tile(np.arange(4), len(cell))
        centre_ra, centre_dec = centres(cell, level)
        away = separation_arcsec(ra[owner], dec[owner], centre_ra, centre_dec) / ARCSEC_PER_RADIAN
        near = away <= radius + _REACH / (1 << level)
        owner, cell = owner[near], cell[near]
    return owner, cell
