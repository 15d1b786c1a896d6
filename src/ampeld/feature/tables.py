"""The flux table: detections as signed fluxes about one zero point, which most of AMPEL's units measure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ampeld.feature.light_curve import (
    FLUX_LIMITS,
    MAG_OF_FLUX_ERR,
    ZERO_POINT_NJY,
    Flags,
    Floats,
    LightCurve,
    Numbers,
    Texts,
)

ZERO_POINT: Final = 25.0
"""The magnitude of flux 1 [mag AB]."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "ztf": {band: f"ztf{band}" for band in "gri"},
    "lsst": {band: f"lsst{band}" for band in "ugrizy"},
}
SPECTRUM: Final = tuple(_NAMES["lsst"].values()), tuple(_NAMES["ztf"].values())
"""The names of the bands of LSST and of ZTF, from blue to red."""


@dataclass(frozen=True, slots=True, eq=False)
class FluxTable:
    """Rows of one light curve, in the order of time; of equal times, in the order of their numbers.

    Parameters
    ----------
    time : shape (n,), n >= 0
        [JD, UTC].
    flux : shape (n,)
        Difference flux with its sign; 1 is the magnitude ``zp``. Finite.
    fluxerr : shape (n,)
        Its error, finite and > 0.
    band : shape (n,)
        ``ztfg``, ``ztfr``, ``ztfi``; ``lsstu`` to ``lssty``.
    zp : float
        [mag AB].
    """

    time: Floats
    flux: Floats
    fluxerr: Floats
    band: Texts
    zp: float = ZERO_POINT

    def __len__(self) -> int:
        return len(self.time)

    @property
    def bands(self) -> list[str]:
        """Return the names of the bands that have rows, sorted."""
        return sorted(set(self.band.tolist()))

    @property
    def mag(self) -> Floats:
        """Return the magnitude [mag AB]; NaN for a flux that has none, zero or negative."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.flux > 0, self.zp - 2.5 * np.log10(self.flux), math.nan)

    @property
    def mag_err(self) -> Floats:
        """Return the error of ``mag`` [mag]; NaN where that is."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return np.where(self.flux > 0, MAG_OF_FLUX_ERR * self.fluxerr / self.flux, math.nan)

    def select(self, chosen: Flags | Numbers) -> "FluxTable":
        """Return some of the rows: by a mask, or by their positions."""
        return FluxTable(self.time[chosen], self.flux[chosen], self.fluxerr[chosen], self.band[chosen], self.zp)

    def in_band(self, name: str) -> "FluxTable":
        """Return the rows of one band."""
        return self.select(self.band == name)

    def by_band(self) -> Iterator[tuple[str, "FluxTable"]]:
        """Yield each band that has rows with its rows, sorted by name."""
        return ((name, self.in_band(name)) for name in self.bands)

    def deduplicated(self) -> "FluxTable":
        """Return the table with one row by band and time: the first, whose point has the smallest number."""
        # Most tables have none of these, and a comparison of neighbours is a tenth of the work.
        if not (self.time[1:] == self.time[:-1]).any():
            return self
        first: dict[tuple[float, str], int] = {}
        for row, key in enumerate(zip(self.time.tolist(), self.band.tolist(), strict=True)):
            first.setdefault(key, row)
        return self.select(np.array(list(first.values()), dtype=np.int64))


def flux_table(
    curve: LightCurve,
    *,
    reject_outlier_sigma: float = 1e30,
    flux_max: float = 1e30,
    zp: float = ZERO_POINT,
    forced: bool = True,
) -> FluxTable:
    """Return the flux table of a light curve.

    Limits do not enter, nor do points without flux, band or error (one of zero is none), nor those whose flux or error
    lies beyond `FLUX_LIMITS`, which is no light: its square would be no number.
    Of ZTF's points of equal time and quadrant the one with the largest number stays, the later reduction; of LSST's
    of equal time and band a detection stays before the forced photometry of the same image.

    Parameters
    ----------
    curve
        Of either survey.
    reject_outlier_sigma
        Rows with ``abs(flux)``/fluxerr at or above this are left out; 0 switches it off.
    flux_max
        So are rows with abs(flux) at or above this; 0 switches it off.
    zp
        The magnitude of flux 1 [mag AB].
    forced
        Whether forced photometry (LSST) has rows.

    Notes
    -----
    AMPEL's ``ZTFT2Tabulator`` (Ampel-ZTF 930f7d6), except that there negative subtractions lose their sign, and that a
    cut of 0 removes every row.
    """
    key = ("flux_table", reject_outlier_sigma, flux_max, zp, forced)
    if (found := curve.derived.get(key)) is None:
        found = curve.derived[key] = _cut(_table(curve, zp, forced=forced), reject_outlier_sigma, flux_max)
    assert isinstance(found, FluxTable)
    return found


def _table(curve: LightCurve, zp: float, *, forced: bool) -> FluxTable:
    if curve.survey == "lsst":
        scale = 10 ** (-0.4 * (ZERO_POINT_NJY - zp))
        flux, fluxerr = curve.flux * scale, curve.flux_err * scale
    else:
        # As AMPEL writes it: by another way the last digits would differ, and more of them of what is fitted. What
        # overflows is no flux, and has no row.
        with np.errstate(over="ignore", invalid="ignore"):
            size = 10 ** (-(curve.mag - zp) / 2.5)
            fluxerr = size * (curve.mag_err / 2.5 * math.log(10))
        flux = np.where(curve.positive, size, -size)
    names = _NAMES.get(curve.survey, {})
    band = np.array([names.get(band, "") for band in curve.band.tolist()], dtype=np.object_)
    least, most = FLUX_LIMITS
    usable = (np.abs(flux) < most) & (fluxerr > least) & (fluxerr < most) & (band != "")
    if not forced:
        usable &= curve.is_detection
    rows = _one_each(curve, np.flatnonzero(usable))
    return FluxTable(curve.jd[rows], flux[rows], fluxerr[rows], band[rows], zp)


def _one_each(curve: LightCurve, rows: Numbers) -> Numbers:
    time = curve.jd[rows]
    if not (time[1:] == time[:-1]).any():
        return rows
    lsst = curve.survey == "lsst"
    kept: dict[tuple[float, object], int] = {}
    for row in rows.tolist():
        jd, body = float(curve.jd[row]), curve.bodies[row]
        if lsst:
            before = kept.setdefault((jd, curve.band[row]), row)
            if curve.is_detection[row] and not curve.is_detection[before]:
                kept[jd, curve.band[row]] = row
        else:
            # In the order of time those of equal times stand in the order of their numbers: the last is the largest.
            # A point that names no quadrant was measured once: it stands for itself.
            quadrant = body.get("rcid")
            kept[jd, ("point", row) if quadrant is None else quadrant] = row
    return np.array(sorted(kept.values()), dtype=np.int64)


def _cut(table: FluxTable, reject_outlier_sigma: float, flux_max: float) -> FluxTable:
    size = np.abs(table.flux)
    kept = (size < (flux_max or math.inf)) & (size < (reject_outlier_sigma or math.inf) * table.fluxerr)
    return table if kept.all() else table.select(kept)
