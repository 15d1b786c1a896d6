"""Bayesian blocks: where a light curve changes its level, and each level between."""

import math
from typing import Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.units.blocks_points import BlockPoints, DataType

FALSE_ALARM: Final = 0.05
"""Probability of a change point in noise, for the prior of Scargle et al."""


class Block(NamedTuple):
    """Points between two change points."""

    first: int
    """Position of its first point."""
    last: int
    """Of its last."""
    value: float
    """Mean of its points, not weighted."""
    error: float
    """Of that mean, or the scatter about it, as the type of data has it."""

    @property
    def points(self) -> slice:
        """Return where its points are."""
        return slice(self.first, self.last + 1)

    @property
    def size(self) -> int:
        """Return how many it has."""
        return self.last + 1 - self.first


def prior_of(data_type: DataType, n: int) -> float:
    """Return the log prior of each change point for n points.

    Notes
    -----
    WISE: 1.32 + 0.577 log10 n, from simulations (Scargle et al. 2013, section 3.3, for point measurements).
    ZTF's forced photometry: 10 log10 n, as AMPEL has it. All others: 4 - ln(73.53 p0 n^-0.478), Scargle et al. 2013
    (ApJ 764, 167), eq. 21 as astropy corrects it, with p0 = 0.05.
    """
    if data_type == "wise":
        return 1.32 + 0.577 * math.log10(n)
    if data_type in ("ztf_fp", "ztf_fp_noisy"):
        return 10 * math.log10(n)
    return 4 - math.log(73.53 * FALSE_ALARM * n**-0.478)


def edges_of(points: BlockPoints, prior: float) -> Floats:
    """Return the times of the first point, the change points and the last point [JD].

    Of points at one time the first counts.
    """
    from astropy.stats import bayesian_blocks  # noqa: PLC0415  a second to import, for those who want blocks

    times, first = np.unique(points.jd, return_index=True)
    if len(times) == 1:
        return np.array([times[0], times[0]])
    value, error = points.value[first], points.error[first]
    edges: Floats = bayesian_blocks(times, value, sigma=error, ncp_prior=prior, fitness="measures")
    return edges


def blocks_of(points: BlockPoints, edges: Floats, *, scatter: bool) -> list[Block]:
    """Return the blocks between the edges, both of which belong to a block.

    Parameters
    ----------
    points
        At least one.
    edges
        As `edges_of` has them.
    scatter
        Whether the error of a block is its scatter about the mean (0 for one point) or the error of the mean.
    """
    first = np.searchsorted(points.jd, edges[:-1], side="left").tolist()
    end = np.searchsorted(points.jd, edges[1:], side="right").tolist()
    blocks = []
    for low, high in zip(first, end, strict=True):
        value, error = points.value[low:high], points.error[low:high]
        spread = float(np.std(value)) if scatter else error_of_mean(error)
        blocks.append(Block(low, high - 1, float(np.mean(value)), spread))
    return blocks


def error_of_mean(error: Floats) -> float:
    """Return the error of a mean that is not weighted."""
    return math.sqrt(float(np.sum(error * error))) / len(error)
