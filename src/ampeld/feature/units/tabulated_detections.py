"""What a flux table's significant rows tell by themselves: first, last and brightest, purity and gaps."""

from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np

from ampeld.feature.light_curve import Flags
from ampeld.feature.reasons import EQUAL_TIMES, NEGATIVE_FLUX, NO_LIMIT, TOO_FEW_POINTS
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined

BITS: Final = {
    "lsstu": 1,
    "lsstg": 2,
    "lsstr": 4,
    "lssti": 8,
    "lsstz": 16,
    "lssty": 32,
    "ztfg": 64,
    "ztfr": 128,
    "ztfi": 256,
}
"""By band: what it adds to a sum that stands for several."""


def in_bands(table: FluxTable, bands: Collection[str]) -> Flags:
    """Return which rows are of these bands."""
    return np.array([band in bands for band in table.band.tolist()], dtype=np.bool_)


def significant(table: FluxTable, sigma: float) -> Flags:
    """Return which rows differ from zero, to either side, by more than so many errors."""
    return np.abs(table.flux) > sigma * table.fluxerr


def at_most(table: FluxTable, detected: Flags, most: int) -> FluxTable:
    """Return the table up to its last allowed detection."""
    where = np.flatnonzero(detected)
    return table if len(where) <= most else table.select(np.arange(where[most - 1] + 1))


def summarise(table: FluxTable, deep: Flags, detected: Flags, max_tgap: float) -> Iterator[tuple[str, Any]]:
    """Yield what the detections tell.

    Parameters
    ----------
    table
        All rows.
    deep
        Which are of the significant bands.
    detected
        Which of these are detections; at least one.
    max_tgap
        [d].
    """
    rows = table.select(detected)
    start, end = float(rows.time[0]), float(rows.time[-1])
    brightest = int(np.argmax(rows.flux))
    yield "ndet", len(rows)
    yield "frac_pos", float(np.mean(rows.flux > 0))
    yield "jd_det", start
    yield "jd_last", end
    yield "t_lc", end - start
    before = table.time[deep & (table.time < start)]
    yield "t_predetect", start - float(before.max()) if len(before) else Undefined(NO_LIMIT, "no earlier point")
    mag = rows.mag
    for key, row in (("mag_det", 0), ("mag_last", -1), ("mag_min", brightest)):
        yield key, float(mag[row]) if rows.flux[row] > 0 else Undefined(NEGATIVE_FLUX)
    yield "band_det_id", BITS[rows.band[0]]
    yield "band_last_id", BITS[rows.band[-1]]
    yield "jd_min", float(rows.time[brightest])
    within = (table.time >= start) & (table.time <= end)
    yield "bool_pure", not bool((deep & ~detected & within).any())
    gaps = np.diff(table.time)
    if gaps.any():
        yield "bool_hasgaps", bool(gaps.max() > max_tgap)
    else:
        yield "bool_hasgaps", Undefined(EQUAL_TIMES if len(gaps) else TOO_FEW_POINTS)


def colours(
    table: FluxTable, jd: float, cadence: float, pairs: Collection[tuple[str, str]], suffix: str
) -> Iterator[tuple[str, Any]]:
    """Yield the bands that have a row about a time, and the colours of those that have a positive mean there."""
    near = table.select(np.abs(table.time - jd) <= cadence / 2)
    yield f"{suffix}_bands", sum(BITS[band] for band in near.bands)
    means = {}
    for band, rows in near.by_band():
        weights = (rows.fluxerr.min() / rows.fluxerr) ** 2
        means[band] = float(np.average(rows.flux, weights=weights))
    for one, other in pairs:
        if one in means and other in means:
            both = means[one] > 0 and means[other] > 0
            value = -2.5 * float(np.log10(means[one] / means[other])) if both else Undefined(NEGATIVE_FLUX)
            yield f"{one}-{other}_{suffix}", value
