"""What happens around the brightest block of an excess: fluctuations before it and after it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ampeld.feature.light_curve import Flags
from ampeld.feature.reasons import NO_ERROR
from ampeld.feature.unit import Undefined
from ampeld.feature.units.blocks_points import BlockPoints
from ampeld.feature.units.blocks_segments import Block


def peak_values(
    points: BlockPoints, kept: Flags, region: Sequence[Block], *, blocks: Sequence[Block], up: float
) -> dict[str, Any]:
    """Return the values of the region that holds the brightest block.

    Parameters
    ----------
    points
        All of them.
    kept
        Which are no outliers.
    region
        Its blocks.
    blocks
        All of them: their errors together are what fluctuations are compared with.
    up
        1 where bright is high, -1 where it is low.
    """
    level = [up * block.value for block in region]
    top = max(range(len(level)), key=level.__getitem__)
    noise = math.sqrt(sum(block.error**2 for block in blocks))
    drops = [level[top] - one for one in level]
    peaks = [i for i in _local_peaks(level) if i != top]
    after = [i for i in range(len(level)) if i > top]
    body: dict[str, Any] = {
        "significance_of_fluctuation": _in_noise([drops[i] for i in peaks if i > top], noise),
        "significance_of_fluctuation_before": _in_noise([drops[i] for i in peaks if i < top], noise),
        "significance_of_variability_excess": [_in_noise(drops[:top], noise), _in_noise(drops[top + 1 :], noise)],
        "significance_after_peak": [],
        "strength_after_peak": [],
    }
    if len(after) >= 2:
        inside = kept & (points.jd >= points.jd[region[after[0]].first])
        inside &= points.jd <= points.jd[region[after[-1]].last]
        rms = float(np.std(points.value[inside]))
        # rms by variance, as AMPEL has it: of the inverse of the values' unit
        body["significance_after_peak"] = [ratio(1.0, rms)]
        body["strength_after_peak"] = [ratio(drops[after[0]], rms)]
    return body


def ratio(one: float, other: float) -> float | Undefined:
    """Return a quotient, or why there is none."""
    if other > 0 and math.isfinite(found := one / other):
        return found
    return Undefined(NO_ERROR, "the points do not scatter")


def _in_noise(drops: Sequence[float], noise: float) -> list[float] | Undefined:
    if drops and not noise > 0:
        return Undefined(NO_ERROR, "no block scatters")
    return [drop / noise for drop in drops]


def _local_peaks(level: Sequence[float]) -> list[int]:
    """Return the blocks that are higher than both neighbours; beyond the ends it is as low as anywhere."""
    low = min(level)
    padded = [low, *level, low]
    return [i for i in range(len(level)) if padded[i] < padded[i + 1] > padded[i + 2]]
