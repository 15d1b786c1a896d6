"""Which blocks are the baseline and which rise above it, and the runs that they make."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ampeld.feature.units.blocks_points import BlockPoints
from ampeld.feature.units.blocks_segments import Block, error_of_mean

LEAST_POINTS = 5
"""Of a block of fluxes that can be the baseline by itself."""


class Baseline(NamedTuple):
    """The level without a transient."""

    value: float
    error: float
    rms: float


class Rules(NamedTuple):
    """How levels are told."""

    rej_sigma: float
    flux: bool
    wise: bool


def settle_levels(points: BlockPoints, blocks: Sequence[Block], rules: Rules) -> tuple[Baseline, list[bool]]:
    """Return the baseline, and for each block whether it is an excess, to either side.

    Parameters
    ----------
    points
        All points.
    blocks
        At least one.
    rules
        WISE's baseline grows block by block, from the lowest value on; ZTF's is tested against as it was at first.
    """
    start, own = _start(points, blocks, rules)
    if rules.wise:
        return _grown(points, blocks, rules, (start, own))
    limit = rules.rej_sigma * start.error
    for i, block in enumerate(blocks):
        low = block.value - block.error <= start.value + limit
        if abs(block.value - start.value) <= limit and low:
            own.add(i)
    return _baseline_of(points, blocks, own), [i not in own for i in range(len(blocks))]


def _start(points: BlockPoints, blocks: Sequence[Block], rules: Rules) -> tuple[Baseline, set[int]]:
    faint = sorted(range(len(blocks)), key=lambda i: blocks[i].value if rules.flux else -blocks[i].value)
    if rules.flux and not rules.wise:
        first = next((i for i in faint if blocks[i].size >= LEAST_POINTS), faint[0])
        return Baseline(blocks[first].value, blocks[first].error, 0.0), {first}
    own = set(faint[:2] if blocks[faint[0]].size == 1 else faint[:1])
    if rules.flux:
        return _baseline_of(points, blocks, own), own
    value = np.array([blocks[i].value for i in sorted(own)])
    error = np.array([blocks[i].error for i in sorted(own)])
    return Baseline(float(np.mean(value)), error_of_mean(error), 0.0), own


def _grown(
    points: BlockPoints, blocks: Sequence[Block], rules: Rules, start: tuple[Baseline, set[int]]
) -> tuple[Baseline, list[bool]]:
    baseline, own = start
    for i in sorted(range(len(blocks)), key=lambda i: blocks[i].value):
        away = abs(baseline.value - blocks[i].value)
        if i not in own and away <= rules.rej_sigma * float(np.hypot(baseline.error, blocks[i].error)):
            own.add(i)
        baseline = _baseline_of(points, blocks, own)
    return baseline, [i not in own for i in range(len(blocks))]


def _baseline_of(points: BlockPoints, blocks: Sequence[Block], own: set[int]) -> Baseline:
    value = np.concatenate([points.value[blocks[i].points] for i in sorted(own)])
    error = np.concatenate([points.error[blocks[i].points] for i in sorted(own)])
    return Baseline(float(np.mean(value)), error_of_mean(error), float(np.std(value)))


def runs(marked: Sequence[bool]) -> list[list[int]]:
    """Return the positions of neighbours that are marked, run by run."""
    found: list[list[int]] = []
    for i, mark in enumerate(marked):
        if mark and i and marked[i - 1]:
            found[-1].append(i)
        elif mark:
            found.append([i])
    return found
