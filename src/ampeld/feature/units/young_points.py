"""The points that YoungTransient measures, by band and in plain lists: faster than arrays for the thirty of a state."""

import math
from collections.abc import Mapping, Sequence
from math import log10
from typing import Final

import msgspec

from ampeld.feature.light_curve import FLUX_LIMITS, LIMIT_SIGMA, ZERO_POINT_NJY, LightCurve

WAVELENGTH: Final = "ugrizy"
"""The bands from blue to red."""
_LEAST, _MOST = FLUX_LIMITS


class Points(msgspec.Struct):
    """Some points of one band in the order of time; of equal times there is one."""

    jd: list[float]
    flux: list[float]
    """[nJy], of either sign."""
    err: list[float]
    """[nJy]; NaN where there is none."""
    sure: bool = True
    """Whether all have an error."""

    @property
    def mag(self) -> list[float]:
        """Return the magnitudes; the fluxes are > 0."""
        return [ZERO_POINT_NJY - 2.5 * log10(flux) for flux in self.flux]

    def weighed(self) -> "Points":
        """Return those that have an error."""
        if self.sure:
            return self
        rows = [row for row in zip(self.jd, self.flux, self.err, strict=True) if not math.isnan(row[2])]
        return Points([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])

    def part(self, start: int, stop: int) -> "Points":
        """Return some neighbours."""
        return Points(self.jd[start:stop], self.flux[start:stop], self.err[start:stop], self.sure)

    @property
    def peak(self) -> int:
        """Return the position of the largest flux, the first of equals."""
        return self.flux.index(max(self.flux))


class Limit(msgspec.Struct, frozen=True):
    """A good upper limit."""

    jd: float
    band: str
    mag: float
    """Five sigma [mag AB]."""


class Chosen(msgspec.Struct, frozen=True):
    """What has been chosen of a light curve."""

    jd: list[float]
    """Times of the detections of either sign."""
    rows: list[int]
    """Their positions in the light curve that was chosen from."""
    counts: dict[str, int]
    """By band: detections of either sign."""
    positive: dict[str, Points]
    """By band, from blue to red: detections brighter than the reference image."""
    measured: dict[str, Points]
    """By band: everything with a flux and an error, forced photometry too."""
    limits: list[Limit]
    """In the order of time."""


class Choice(msgspec.Struct, frozen=True):
    """How it is chosen; as the parameters of the unit say."""

    min_reliability: float
    min_limit: float
    forced_sigma: float
    extinction: Mapping[str, float]


def choose(curve: LightCurve, choice: Choice) -> Chosen:
    """Return the points of a light curve that has one point by band and time."""
    bands = curve.band.tolist()
    extinctions = {band: choice.extinction.get(band, 0.0) for band in set(bands)}
    brighter = {band: 10 ** (0.4 * mag) for band, mag in extinctions.items()}
    columns = (curve.jd, curve.flux, curve.flux_err, curve.limit, curve.is_limit, curve.is_detection)
    rows = zip(bands, _reliable(curve, choice.min_reliability), *(column.tolist() for column in columns), strict=True)
    chosen = Chosen([], [], {}, {}, {}, [])
    measured, positive, limits, least_limit = chosen.measured, chosen.positive, chosen.limits, choice.min_limit
    for row, (band, reliable, jd, flux, err, limit, unseen, detection) in enumerate(rows):
        if not band:
            continue
        if unseen:
            # One that is not known, NaN, is not good either.
            if (mag := limit - extinctions[band]) >= least_limit:
                limits.append(Limit(jd, band, mag))
            continue
        value, sigma = flux * brighter[band], err * brighter[band]
        if not -_MOST < value < _MOST:
            continue
        sure = _LEAST < sigma < _MOST
        if sure:
            _add(measured, band, jd, value, sigma)
            faint = not detection and value < choice.forced_sigma * sigma
            if faint and (mag := magnitude(LIMIT_SIGMA * sigma)) >= least_limit:
                limits.append(Limit(jd, band, mag))
        if detection and reliable:
            chosen.jd.append(jd)
            chosen.rows.append(row)
            chosen.counts[band] = chosen.counts.get(band, 0) + 1
            if value > _LEAST:
                points = _add(positive, band, jd, value, sigma if sure else math.nan)
                points.sure &= sure
    return chosen


def sorted_bands(bands: Mapping[str, object]) -> list[str]:
    """Return bands from blue to red."""
    return sorted(bands, key=WAVELENGTH.find)


def magnitude(flux: float) -> float:
    """Return the magnitude [mag AB] of a flux > 0 [nJy]."""
    return ZERO_POINT_NJY - 2.5 * log10(flux)


def _reliable(curve: LightCurve, least: float) -> Sequence[bool]:
    if least <= 0:
        return [True] * len(curve)
    found: list[bool] = (curve.reliability >= least).tolist()
    return found


def _add(all_points: dict[str, Points], band: str, jd: float, flux: float, err: float) -> Points:
    points = all_points.get(band)
    if points is None:
        points = all_points[band] = Points([], [], [])
    points.jd.append(jd)
    points.flux.append(flux)
    points.err.append(err)
    return points
