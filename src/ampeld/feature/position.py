"""The mean of positions on the sphere: right across right ascension 0 and at the poles, where plain means are not."""

import math

import numpy as np
from numpy.typing import NDArray


def mean_position(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the direction of the mean of the unit vectors.

    Parameters
    ----------
    ra, dec : shape (n,), n >= 0
        Right ascensions and declinations [deg], finite.

    Returns
    -------
    tuple of float, or None
        Right ascension [deg], 0 to below 360, and declination [deg]; None if there are no positions, or if they cancel.
    """
    across, up = np.radians(ra), np.radians(dec)
    level = np.cos(up)
    x, y, z = float((level * np.cos(across)).sum()), float((level * np.sin(across)).sum()), float(np.sin(up).sum())
    if math.hypot(x, y, z) <= 1e-9 * len(ra):
        return None
    # Twice: a hair below 0 comes out as 360.0 itself.
    return math.degrees(math.atan2(y, x)) % 360.0 % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))
