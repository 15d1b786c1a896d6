"""HEALPix cells in the nested scheme at order 29, where a position is one whole number.

The sphere is twelve square faces; a cell is a square of a face, its number the face and the interleaved bits of its
x (to the north-east) and y (to the north-west). Cells of a lower order are ranges of numbers of order 29.
"""

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]
Cells = NDArray[np.int64]

ORDER = 29
SIDE = 1 << ORDER
"""Cells along the side of a face."""
_LAST = float(SIDE - 1)

# Bits spread from b to 2b, step by step: (shift, mask after it).
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def cells(ra: Degrees, dec: Degrees) -> Cells:
    """Return the cell of order 29 of each position.

    Parameters
    ----------
    ra, dec : shape (n,)
        Right ascension [deg], any number of turns, and declination [deg], -90 to 90; finite.

    Notes
    -----
    Gorski et al. 2005 (ApJ 622, 759), in the plane of Calabretta & Roukema 2007 (MNRAS 381, 865). Checked against
    astropy-healpix: the same cell, or its neighbour where a position lies on the edge to within rounding.
    """
    face, x, y = places(ra, dec)
    return join(face, x, y)


def places(ra: Degrees, dec: Degrees) -> tuple[Cells, Cells, Cells]:
    """Return face, x and y of the cell of order 29 of each position."""
    turn = np.mod(ra, 360.0) / 90.0
    turn[turn >= 4.0] = 0.0  # what rounding makes of a tiny negative angle
    height = 0.75 * np.sin(np.radians(dec))
    polar = np.abs(height) > 0.5
    # The equatorial belt: the plane turned by 45 degrees, so that faces are unit squares.
    up, down = turn + height + 0.5, turn - height + 0.5
    column, row = np.floor(up), np.floor(down)
    face = np.where(column == row, 4 + np.mod(column, 4), np.where(column > row, np.mod(row, 4), 8 + np.mod(column, 4)))
    x, y = up - column, 1 - (down - row)
    if polar.any():
        quarter = np.floor(turn[polar])
        within = turn[polar] - quarter
        # sqrt(3 (1 - |sin dec|)) without its loss of precision at the pole
        width = np.sqrt(6.0) * np.sin(np.radians(90.0 - np.abs(dec[polar])) / 2)
        east, west = within * width, (1 - within) * width
        north = dec[polar] > 0
        face[polar] = np.where(north, quarter, 8 + quarter)
        x[polar] = np.where(north, 1 - west, east)
        y[polar] = np.where(north, 1 - east, west)
    whole = [np.clip(np.floor(axis * SIDE), 0.0, _LAST).astype(np.int64) for axis in (x, y)]
    return face.astype(np.int64), whole[0], whole[1]


def join(face: Cells, x: Cells, y: Cells, order: int = ORDER) -> Cells:
    """Return the numbers of cells of an order from their face, x and y."""
    return np.asarray((face << (2 * order)) | _spread(x) | (_spread(y) << 1))


def centres(number: Cells, order: int) -> tuple[Degrees, Degrees]:
    """Return the positions of the centres of cells.

    Returns
    -------
    tuple of arrays of the shape of ``number``
        Right ascension and declination [deg].
    """
    face = number >> (2 * order)
    inner = number & ((1 << (2 * order)) - 1)
    x, y = ((_gather(part) + 0.5) / (1 << order) for part in (inner, inner >> 1))
    quarter = face & 3
    height = (x + y - 1) / 2 + (1 - (face >> 2)) / 2
    turn = quarter + np.where(face >> 2 == 1, 0.0, 0.5) + (x - y) / 2
    polar = np.abs(height) > 0.5
    width = np.where(polar, 2 * (1 - np.abs(height)), 1.0)
    middle = quarter + 0.5
    ra = 90.0 * np.where(polar, middle + (turn - middle) / width, turn)
    belt = np.degrees(np.arcsin(np.clip(height / 0.75, -1.0, 1.0)))
    cap = 90.0 - np.degrees(2 * np.arcsin(width / np.sqrt(6.0)))
    return np.mod(ra, 360.0), np.where(polar, np.copysign(cap, height), belt)


def _spread(bits: Cells) -> Cells:
    for shift, mask in _SPREAD:
        bits = (bits | (bits << shift)) & mask
    return bits


def _gather(bits: Cells) -> Cells:
    bits = bits & _SPREAD[-1][1]
    for (shift, _), (_, mask) in zip(reversed(_SPREAD), [*reversed(_SPREAD[:-1]), (0, 0x7FFFFFFF)], strict=True):
        bits = (bits | (bits >> shift)) & mask
    return bits
