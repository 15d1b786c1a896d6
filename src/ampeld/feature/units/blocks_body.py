"""The values that are stored of one filter's blocks, under AMPEL's keys."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ampeld.feature.light_curve import Flags
from ampeld.feature.reasons import NOT_PEAKED
from ampeld.feature.unit import Undefined
from ampeld.feature.units.blocks_levels import Baseline, runs
from ampeld.feature.units.blocks_peak import peak_values, ratio
from ampeld.feature.units.blocks_points import BlockPoints
from ampeld.feature.units.blocks_segments import Block

OUTLIER_SIGMA: Final = 5.0
_NO_EXCESS: Final = (
    "mag_edge_excess",
    "max_mag_excess_region",
    "max_jd_excess_region",
    "max_sigma_excess_region",
    "sigma_from_baseline_excess",
    "nu_of_excess_blocks",
    "significance_of_fluctuation",
    "max_baye_block_timescale",
    "description",
)
_EMPTY: Final = (
    *_NO_EXCESS,
    "jd_baseline_regions",
    "mag_edge_baseline",
    "nu_of_excess_regions",
    "nu_of_baseline_regions",
    "baseline",
    "baseline_sigma",
    "baseline_rms",
    "jd_outlier",
    "sigma_from_baseline",
    "max_mag",
    "significance",
    "strength_peak",
)
_LISTS: Final = ("significance_after_peak", "strength_after_peak")


class Levels(NamedTuple):
    """Blocks with their levels."""

    points: BlockPoints
    blocks: Sequence[Block]
    baseline: Baseline
    excess: Sequence[bool]
    """By block."""
    up: float
    """1 where bright is high (flux), -1 where it is low (magnitudes)."""


def empty_body(why: Undefined) -> dict[str, Any]:
    """Return the body of a filter without blocks."""
    nothing: dict[str, Any] = dict.fromkeys(_EMPTY, why)
    return nothing | {
        **{key: [] for key in _LISTS},
        "jd_excess_regions": [],
        "significance_of_variability_excess": [None, None],
    }


def body_of(levels: Levels, *, numbers: bool) -> dict[str, Any]:
    """Return the body of a filter.

    Parameters
    ----------
    levels
        Blocks, at least one, and the baseline.
    numbers
        Whether a lone point of one exposure that rises above 5 sigma is an outlier.
    """
    points, blocks, baseline, excess, up = levels
    sigma = [_sigma(block, baseline, up) for block in blocks]
    lone = _lone(levels, sigma) if numbers else [False] * len(blocks)
    regions = runs([high and not out for high, out in zip(excess, lone, strict=True)])
    kept = np.ones(len(points.jd), dtype=np.bool_)
    for block, out in zip(blocks, lone, strict=True):
        if out:
            kept[block.points] = False
    body: dict[str, Any] = {
        "sigma_from_baseline": sigma,
        "baseline": baseline.value,
        "baseline_sigma": baseline.error,
        "baseline_rms": baseline.rms,
        "max_mag": up * float(np.max(up * points.value[kept])),
        "nu_of_excess_regions": len(regions),
        **_baseline_regions(levels, lone),
    }
    if any(excess):
        outliers = [_span(points, [block]) for block, out in zip(blocks, lone, strict=True) if out]
        body["jd_outlier"] = outliers or None
    rms = baseline.rms
    if regions:
        peak = max((i for region in regions for i in region), key=lambda i: up * blocks[i].value)
        home = next(region for region in regions if peak in region)
        rms = _scatter_outside(points, kept, (blocks[home[0]].first, blocks[home[-1]].last))
        body |= _excess_regions(levels, regions, sigma)
        body |= peak_values(points, kept, [blocks[i] for i in home], blocks=blocks, up=up)
        body["max_baye_block_timescale"] = float(points.jd[blocks[peak].last] - points.jd[blocks[peak].first])
    else:
        body |= dict.fromkeys(_NO_EXCESS, Undefined(NOT_PEAKED, "no block rises above the baseline"))
        body |= {key: [] for key in _LISTS}
        body |= {"jd_excess_regions": [], "significance_of_variability_excess": [None, None]}
    body["significance"] = rms / baseline.error
    body["strength_peak"] = ratio(up * (body["max_mag"] - baseline.value), rms)
    return body


def _sigma(block: Block, baseline: Baseline, up: float) -> float:
    above = up * (block.value - baseline.value) + 0.0  # no minus zero
    return above / float(np.hypot(baseline.error, block.error))


def _lone(levels: Levels, sigma: Sequence[float]) -> list[bool]:
    """Return which blocks are outliers: an excess by itself, of one point that was made of one exposure."""
    alone = {region[0] for region in runs(levels.excess) if len(region) == 1}
    return [
        i in alone and block.size == 1 and levels.points.number[block.first] == 1 and sigma[i] > OUTLIER_SIGMA
        for i, block in enumerate(levels.blocks)
    ]


def _scatter_outside(points: BlockPoints, kept: Flags, inside: tuple[int, int]) -> float:
    outside = kept & ((points.jd < points.jd[inside[0]]) | (points.jd > points.jd[inside[1]]))
    return float(np.std(points.value[outside])) if outside.any() else 0.0


def _excess_regions(levels: Levels, regions: Sequence[Sequence[int]], sigma: Sequence[float]) -> dict[str, Any]:
    points, blocks, up = levels.points, levels.blocks, levels.up
    spans = [_span(points, [blocks[i] for i in region]) for region in regions]
    brightest = [_brightest(points, span, up) for span in spans]
    return {
        "nu_of_excess_blocks": [len(region) for region in regions],
        "jd_excess_regions": spans,
        "mag_edge_excess": [_edge(points, blocks[region[-1]]) for region in regions],
        "max_mag_excess_region": [float(points.value[i]) for i in brightest],
        "max_jd_excess_region": [float(points.jd[i]) for i in brightest],
        "max_sigma_excess_region": [max(sigma[i] for i in region) for region in regions],
        "sigma_from_baseline_excess": [sigma[i] for i in regions[-1]],
        "description": [2 if len(region) > 1 else 1 if blocks[region[0]].size > 1 else 0 for region in regions],
    }


def _baseline_regions(levels: Levels, lone: Sequence[bool]) -> dict[str, Any]:
    blocks = levels.blocks
    found = []
    for region in runs([not high or out for high, out in zip(levels.excess, lone, strict=True)]):
        own = [i for i in region if not lone[i]]
        if own:
            found.append([blocks[own[0]], blocks[own[-1]]])
    return {
        "nu_of_baseline_regions": len(found),
        "jd_baseline_regions": [_span(levels.points, region) for region in found],
        "mag_edge_baseline": [_edge(levels.points, region[-1]) for region in found],
    }


def _span(points: BlockPoints, region: Sequence[Block]) -> list[float]:
    return [float(points.jd[region[0].first]), float(points.jd[region[-1].last])]


def _edge(points: BlockPoints, block: Block) -> float:
    # of several points at the last time the first, as everywhere
    return float(points.value[np.searchsorted(points.jd, points.jd[block.last])])


def _brightest(points: BlockPoints, span: Sequence[float], up: float) -> int:
    inside = np.flatnonzero((points.jd >= span[0]) & (points.jd <= span[1]))
    return int(inside[np.argmax(up * points.value[inside])])
