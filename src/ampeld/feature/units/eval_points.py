"""Which points of a light curve an evaluation looks at, and the few numbers that all evaluations take from them."""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.point_filter import PointFilter, passes
from ampeld.feature.unit import Undefined

READS: Final = (
    "candid",
    "classtar",
    "distnr",
    "distpsnr1",
    "elong",
    "fwhm",
    "magdiff",
    "magfromlim",
    "magnr",
    "nbad",
    "scorr",
    "sgscore1",
    "sharpnr",
    "ssdistnr",
    "sumrat",
)
"""Fields of ZTF's points that evaluations read beyond those of every light curve; a point filter may name any."""

# The north Galactic pole in ICRS: the third axis of the frame of Reid & Brunthaler (2004, ApJ 616, 872), as astropy has
# it.
_POLE_X, _POLE_Y, _POLE_Z = -0.8676661375596587, -0.19807633727300075, 0.4559838136873016

SHARP: Final = PointFilter("sharpnr", ">=", -10.15)
ABOVE_LIMIT: Final = PointFilter("magfromlim", ">", 0)
PUBLIC: Final = PointFilter("programid", "==", 1)


def choose(curve: LightCurve, filters: Iterable[PointFilter]) -> LightCurve:
    """Return the detections, of either sign, that pass all filters."""
    detections = curve.detections
    filters = tuple(filters)
    kept = [passes(filters, body) for body in detections.bodies]
    chosen = np.array(kept, dtype=np.bool_) & np.isfinite(detections.mag)
    return detections.select(chosen)


def latest_limit(curve: LightCurve, depth_mag: float, before: float) -> LightCurve | None:
    """Return the latest upper limit of at least a depth before a time, as a light curve of one point."""
    limits = curve.limits
    deep = np.flatnonzero((limits.limit >= depth_mag) & (limits.jd < before))
    return limits.select(deep[-1:]) if len(deep) else None


def galactic_latitude(ra_deg: float, dec_deg: float) -> float:
    """Return the Galactic latitude [deg] of a direction [deg, ICRS].

    Notes
    -----
    Checked against astropy's ``SkyCoord.galactic`` to 1e-7 deg (to 1e-9 deg away from the poles).
    """
    ra, dec = math.radians(ra_deg), math.radians(dec_deg)
    along = math.cos(dec) * (_POLE_X * math.cos(ra) + _POLE_Y * math.sin(ra)) + _POLE_Z * math.sin(dec)
    return math.degrees(math.asin(max(-1.0, min(1.0, along))))


def median_of(curve: LightCurve, field: str) -> float | None:
    """Return the median of a field over the points that have it; None where none has."""
    values = curve.column(field)
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def or_undefined(value: float | None, reason: str, detail: str = "") -> float | Undefined:
    """Return the value, or why there is none."""
    return Undefined(reason, detail) if value is None else value


def nearest_known_mover(curve: LightCurve) -> float | None:
    """Return the smallest positive distance to a known solar-system object [arcsec]; None without any."""
    distances = curve.column("ssdistnr")
    near = distances[distances > 0]
    return float(near.min()) if len(near) else None


def star_score(curve: LightCurve, radius_arcsec: float) -> tuple[int, float | None]:
    """Return how many points have Pan-STARRS data, and the largest star score of the sources within a radius.

    Only the points that were alerts themselves have such data.
    """
    distance, score = curve.column("distpsnr1"), curve.column("sgscore1")
    known = np.isfinite(distance) & np.isfinite(score)
    near = score[known & (distance >= 0) & (distance < radius_arcsec)]  # -999: there is none
    return int(known.sum()), float(near.max()) if len(near) else None
