"""A probability map of the sky: density, credible level and distance at a position, whatever its resolution there."""

import base64
import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.feature.light_curve import Floats
from ampeld.feature.skymap_distance import moments

Cells = NDArray[np.int64]

ORDER: Final = 29
"""The order at which cells of all sizes are ranges of numbers."""
DEG2_PER_SR: Final = (180 / math.pi) ** 2


class Distance(msgspec.Struct, frozen=True):
    """How far the source is along one line of sight."""

    mu: float
    """DISTMU of the ansatz of Singer et al. 2016 [Mpc]."""
    sigma: float
    """DISTSIGMA [Mpc], above 0."""
    norm: float
    """DISTNORM [Mpc^-2]."""

    def moments(self) -> tuple[float, float]:
        """Return mean and standard deviation [Mpc] of the distribution norm r^2 N(r; mu, sigma), r > 0."""
        return moments(self.mu, self.sigma)


class SkyMap:
    """Probability by cell of HEALPix, nested, of one order or of many.

    Parameters
    ----------
    prob : shape (n,)
        Probability of each cell, finite, 0 and above.
    number, order : shape (n,)
        Number of each cell within its order, and that order, 0 to 29; None: all cells of one order in theirs.
    layers
        ``DISTMU``, ``DISTSIGMA``, ``DISTNORM``, shape (n,), where the map has distances.
    header
        Of the file: ``DATE-OBS``, ``DISTMEAN`` …

    Raises
    ------
    ValueError
        If cells overlap, or the probabilities do not add up to one within a hundredth.
    """

    def __init__(
        self,
        prob: Floats,
        number: Cells | None = None,
        order: Cells | None = None,
        *,
        layers: Mapping[str, Floats],
        header: Mapping[str, Any],
    ) -> None:
        self.header = header
        self._first: Cells | None = None
        self._end: Cells | None = None
        self._order = round(math.log2(max(len(prob), 1) / 12) / 2)
        if number is not None and order is not None:
            shift = 2 * (ORDER - order)
            first = number << shift
            rank = np.argsort(first, kind="stable")
            self._first, self._end = first[rank], (first + (np.int64(1) << shift))[rank]
            prob, order = prob[rank], order[rank]
            layers = {name: column[rank] for name, column in layers.items()}
            if np.any(self._first[1:] < self._end[:-1]):
                raise ValueError("cells of the map overlap")
        elif len(prob) != 12 << 2 * self._order:
            raise ValueError(f"{len(prob)} cells are no whole sky of HEALPix")
        total = float(np.sum(prob))
        if not abs(total - 1) < 0.01:
            raise ValueError(f"its probabilities add up to {total:.4g}, not to 1: this is no map of a probability")
        self._prob = prob
        self._layers = layers
        self._area: float | Floats = _deg2(self._order) if order is None else _deg2(order.astype(np.float64))
        # by falling density, equal ones by their numbers
        rank = np.argsort(-(prob if isinstance(self._area, float) else prob / self._area), kind="stable")
        sums = np.cumsum(prob[rank])
        self.digest = base64.b64encode(hashlib.blake2b(sums.data, digest_size=7).digest()).decode()
        """AMPEL's hash of a map: 7 bytes of BLAKE2b of the cumulative sums, in base 64."""
        self._level = np.empty_like(sums)
        self._level[rank] = sums

    def area_within(self, level: float) -> float:
        """Return the area [deg2] of the most probable cells that hold a probability, the one that crosses it too."""
        inside = self._level < level
        if not inside.all():
            inside[np.argmin(np.where(inside, np.inf, self._level))] = True
        return float(np.sum(np.broadcast_to(self._area, inside.shape)[inside]))

    def at(self, ra: float, dec: float) -> int | None:
        """Return the cell of a position [deg, ICRS], as the other methods take it; None where the map has none."""
        from astropy_healpix.healpy import ang2pix  # noqa: PLC0415  astropy is imported by those who need it

        side = 1 << (self._order if self._first is None else ORDER)
        cell = int(ang2pix(side, ra, dec, nest=True, lonlat=True))
        if self._first is None or self._end is None:
            return cell
        row = int(np.searchsorted(self._first, cell, side="right")) - 1
        return row if row >= 0 and cell < self._end[row] else None

    def density(self, cell: int) -> float:
        """Return the probability per square degree of a cell."""
        area = self._area if isinstance(self._area, float) else float(self._area[cell])
        return float(self._prob[cell]) / area

    def level(self, cell: int) -> float:
        """Return the probability of all cells at least as dense, this one included: its credible level."""
        return float(self._level[cell])

    def distance(self, cell: int) -> Distance | None:
        """Return the distance along the line of sight; None where the map does not tell it."""
        if len(self._layers) < 3:
            return None
        mu, sigma, norm = (float(self._layers[name][cell]) for name in ("DISTMU", "DISTSIGMA", "DISTNORM"))
        if not (math.isfinite(mu) and math.isfinite(sigma) and math.isfinite(norm) and sigma > 0 and norm > 0):
            return None
        return Distance(mu, sigma, norm)


def _deg2(order: Any) -> Any:
    """Return the area of cells [deg2]."""
    return DEG2_PER_SR * math.pi / 3 * 0.25**order
