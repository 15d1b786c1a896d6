"""LightCurveSummary: when an object was first and last detected, how deep the sky was before, and what it was last."""

import math
from typing import Any, ClassVar, Final

import numpy as np

from ampeld.feature.light_curve import FIELDS, Body, LightCurve
from ampeld.feature.reasons import NEGATIVE_FLUX, NO_DETECTION, NO_FIELD, NO_LIMIT, NOT_FINITE
from ampeld.feature.unit import Input, Measured, StateUnit, Undefined, Value

_COLS: Final = ("drb", "ra", "dec", "magpsf", "sgscore1", "distnr", "distpsnr1")
_LIMIT: Final = "last_significant_nondetection"


class LightCurveSummary(StateUnit):
    """The first and the last detection of either sign, and the last deep limit before the first: T2LightCurveSummary.

    First and last are by number for ZTF, as in AMPEL, which is by time but for exposures that were split; for LSST,
    whose numbers are hashes, they are by time. Forced photometry is no detection; a point of ZTF that has a candid is
    one, also without a magnitude.
    Without a detection there is nothing but ``num_detections``; without such a limit its three keys are absent.

    Parameters
    ----------
    cols
        Fields of the last detection that are copied under their own names; None where it has none. LSST has two of
        the usual ones: ``drb`` is its ``reliability``, ``magpsf`` the magnitude of its flux, if positive.
    limiting_magnitude
        A limit counts if it is deeper than this [mag].

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2LightCurveSummary.

    AMPEL: ``last_significant_nondetection_*`` is the earliest limit that counts, since limits are stored latest first;
    here: the latest. LSST's limits have no ``fid``: theirs is ``last_significant_nondetection_band``.
    """

    version: ClassVar[str] = "1"
    reads: ClassVar[tuple[str, ...]] = _COLS
    values: ClassVar[tuple[Value, ...]] = (
        Value("num_detections", "", "detections of either sign", "integer"),
        Value("first_detection", "d", "time of the first detection, JD"),
        Value("last_detection", "d", "time of the last detection, JD"),
        Value("ra_dis", "deg", "right ascension of the first detection, not a mean"),
        Value("dec_dis", "deg", "declination of the first detection, not a mean"),
        Value("drb", "", "deep real-bogus score (LSST: reliability) of the last detection, 0 to 1"),
        Value("ra", "deg", "right ascension of the last detection"),
        Value("dec", "deg", "declination of the last detection"),
        Value("magpsf", "mag", "difference magnitude of the last detection, AB; ZTF's of either sign"),
        Value("sgscore1", "", "how surely the nearest PS1 source is a star, 0 to 1; of the last detection"),
        Value("distnr", "pix", "distance of the nearest source in the reference image; of the last detection"),
        Value("distpsnr1", "arcsec", "distance of the nearest PS1 source; of the last detection"),
        Value(f"{_LIMIT}_jd", "d", "time of the latest deep limit before the first detection, in any band, JD"),
        Value(f"{_LIMIT}_fid", "", "its band: 1 g, 2 r, 3 i", "integer"),
        Value(f"{_LIMIT}_band", "", "its band, of LSST", "text"),
        Value(f"{_LIMIT}_diffmaglim", "mag", "its depth, 5 sigma, AB"),
    )

    cols: list[str] = list(_COLS)  # noqa: RUF012  read once, as the default of a parameter
    limiting_magnitude: float = 19.5

    def prepare(self) -> None:
        """Read what is to be copied."""
        self.reads = tuple(sorted(set(self.cols) - set(FIELDS["ztf"])))  # type: ignore[misc]  # of this configuration

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return the body."""
        # ZTF's photopoints are what has a candid, also one without a magnitude.
        found = light_curve.is_detection if light_curve.survey == "lsst" else ~light_curve.is_limit
        rows = np.flatnonzero(found)
        if not len(rows):
            return {"num_detections": 0, "undefined": {"first_detection": Undefined(NO_DETECTION)}}
        first, last = rows[0], rows[-1]
        if light_curve.survey != "lsst":
            number = light_curve.id[rows]
            first, last = rows[number.argmin()], rows[number.argmax()]
        early, late = light_curve.bodies[first], light_curve.bodies[last]
        began = float(light_curve.jd[first])
        body: dict[str, Any] = {
            "num_detections": len(rows),
            "first_detection": began,
            "ra_dis": _field(early, "ra"),
            "dec_dis": _field(early, "dec"),
            "last_detection": float(light_curve.jd[last]),
        }
        own = _of_lsst(light_curve, last) if light_curve.survey == "lsst" else {}
        body |= {name: own[name] if name in own else _field(late, name) for name in self.cols}
        return body | self._limit_before(light_curve, began)

    def _limit_before(self, light_curve: LightCurve, jd: float) -> dict[str, Any]:
        deep = light_curve.is_limit & (light_curve.jd < jd) & (light_curve.limit > self.limiting_magnitude)
        rows = np.flatnonzero(deep)
        if not len(rows):
            why = Undefined(NO_LIMIT, f"deeper than {self.limiting_magnitude} before the first detection")
            return {"undefined": {f"{_LIMIT}_jd": why}}
        row = rows[-1]
        band = {"band": str(light_curve.band[row])}
        if light_curve.survey != "lsst":
            band = {"fid": _field(light_curve.bodies[row], "fid")}
        found = {"jd": float(light_curve.jd[row]), **band, "diffmaglim": float(light_curve.limit[row])}
        return {f"{_LIMIT}_{name}": value for name, value in found.items()}


def _of_lsst(light_curve: LightCurve, row: int) -> dict[str, Any]:
    """Return what a detection of LSST has that ZTF calls by other names."""
    body, mag = light_curve.bodies[row], float(light_curve.mag[row])
    missing = _field(body, "psfFlux")
    negative = Undefined(NEGATIVE_FLUX) if not isinstance(missing, Undefined) else missing
    return {"drb": _field(body, "reliability"), "magpsf": mag if math.isfinite(mag) else negative}


def _field(body: Body, name: str) -> Any:
    value = body.get(name)
    if value is None:
        return Undefined(NO_FIELD, f"the detection has no {name}")
    return Undefined(NOT_FINITE) if isinstance(value, float) and not math.isfinite(value) else value
