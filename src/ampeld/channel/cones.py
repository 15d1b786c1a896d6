"""Circles on the sky of any radius each, and which of many positions lie in one of them."""

import csv

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.sphere import separation_arcsec
from ampeld.channel.condition import Mask
from ampeld.channel.textfile import TextFile
from ampeld.names import did_you_mean

Degrees = NDArray[np.float64]

_COLUMNS = ("ra", "dec", "radius", "name")
_MOST_RADIUS = 648_000.0  # the whole sky


class Cones:
    """Circles on the sky.

    Parameters
    ----------
    ra, dec : shape (m,)
        Their centres [deg].
    radius : shape (m,)
        Their radii [arcsec]; the edge belongs to the circle.
    """

    def __init__(self, ra: Degrees, dec: Degrees, radius: Degrees) -> None:
        # those of like radius together, each group by declination: one wide circle must not make all searches wide
        octave = np.ceil(np.log2(radius))
        self._groups = []
        for one in np.unique(octave).tolist():
            members = np.flatnonzero(octave == one)
            members = members[np.argsort(dec[members], kind="stable")]
            self._groups.append((ra[members], dec[members], radius[members]))

    def contain(self, ra: Degrees, dec: Degrees) -> Mask:
        """Return which positions [deg] lie in one of the circles."""
        inside = np.zeros(len(ra), dtype=np.bool_)
        for group_ra, group_dec, radius in self._groups:
            # declinations never differ by more than the distance; the margin is for rounding
            band = float(radius.max()) / 3600 * (1 + 1e-9) + 1e-9
            low = np.searchsorted(group_dec, dec - band)
            lengths = np.searchsorted(group_dec, dec + band, side="right") - low
            owner = np.repeat(np.arange(len(ra)), lengths)
            which = np.repeat(low - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(owner))
            away = separation_arcsec(ra[owner], dec[owner], group_ra[which], group_dec[which])
            inside[owner[away <= radius[which]]] = True
        return inside


def read_cones(file: TextFile, radius_arcsec: float) -> Cones:
    """Return the circles of a CSV file with the columns ``ra,dec`` [deg], perhaps ``radius`` [arcsec] and ``name``.

    Parameters
    ----------
    file
        Its text.
    radius_arcsec
        The radius of the circles where the file has none [arcsec].

    Raises
    ------
    ValueError
        With the line that is wrong.
    """
    lines = list(file.lines())
    if not lines:
        raise ValueError(f"{file.file}: is empty")
    rows = list(csv.reader([text for _, text in lines], skipinitialspace=True))
    header = [name.strip() for name in rows[0]]
    for name in header:
        if name not in _COLUMNS:
            raise ValueError(f"{file.file}:{lines[0][0]}: no column is named {name!r}{did_you_mean(name, _COLUMNS)}")
    for name in ("ra", "dec"):
        if name not in header:
            raise ValueError(f"{file.file}:{lines[0][0]}: has no column {name!r}: the first line is ra,dec,radius")
    found = []
    for (number, _), row in zip(lines[1:], rows[1:], strict=True):
        try:
            found.append(_circle(dict(zip(header, row, strict=True)), radius_arcsec))
        except ValueError as error:
            raise ValueError(f"{file.file}:{number}: {error}") from error
    if not found:
        raise ValueError(f"{file.file}: has no line below its first")
    ra, dec, radius = np.array(found, dtype=np.float64).T.copy()
    return Cones(ra, dec, radius)


def _circle(row: dict[str, str], radius_arcsec: float) -> tuple[float, float, float]:
    ra, dec = float(row["ra"]), float(row["dec"])
    text = row.get("radius", "").strip()
    radius = float(text) if text else radius_arcsec
    if not 0 <= ra <= 360:
        raise ValueError(f"ra is {ra}: 0 to 360 degrees")
    if not -90 <= dec <= 90:
        raise ValueError(f"dec is {dec}: -90 to 90 degrees")
    if not 0 < radius <= _MOST_RADIUS:
        raise ValueError(f"radius is {radius}: above 0 and up to {_MOST_RADIUS:.0f} arcsec")
    return ra, dec, radius
