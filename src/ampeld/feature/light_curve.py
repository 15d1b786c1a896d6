"""A light curve: the points of one state as arrays in the order of time, in the same words for every survey."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Texts = NDArray[np.object_]
Body = Mapping[str, Any]

ZERO_POINT_NJY: Final = 31.4
"""The magnitude of 1 nJy [mag AB]: -2.5 log10(1e-9 / 3631) to four digits of a millimagnitude is 31.4."""
MAG_OF_FLUX_ERR: Final = 2.5 / math.log(10)
"""Magnitude error by relative flux error."""
LIMIT_SIGMA: Final = 5.0
"""How many sigma of the background ZTF's ``diffmaglim`` stands for."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ztf": (
        "jd",
        "fid",
        "rcid",
        "programid",
        "magpsf",
        "sigmapsf",
        "diffmaglim",
        "isdiffpos",
        "ra",
        "dec",
        "rb",
        "drb",
    ),
    "lsst": ("midpointMjdTai", "band", "psfFlux", "psfFluxErr", "ra", "dec", "reliability", "snr", "diaForcedSourceId"),
}
"""By survey: the fields of the points' bodies that a light curve is made of."""

_POSITIVE: Final = frozenset(("t", "1", 1, True))
_ZTF_BANDS: Final = {1: "g", 2: "r", 3: "i"}
_NAN: Final = math.nan


class LightCurve:
    """Points of one object in the order of time; of equal times, in the order of their numbers.

    Arrays have shape (n,), n >= 0, and are not to be written to.

    Parameters
    ----------
    survey
        ``ztf`` or ``lsst``.
    points
        (id, jd, body) of each point, in any order; those without a time (an object's record) are passed over.
    """

    def __init__(self, survey: str, points: Iterable[tuple[int, float, Body]]) -> None:
        ordered = sorted((p for p in points if math.isfinite(p[1])), key=lambda point: (point[1], point[0]))
        self.survey = survey
        self.bodies: Sequence[Body] = [body for _, _, body in ordered]
        """The survey's own fields of each point."""
        self.id: Numbers = np.array([number for number, _, _ in ordered], dtype=np.int64)
        self.jd: Floats = np.array([jd for _, jd, _ in ordered], dtype=np.float64)
        """[JD, UTC]."""
        self._cache: dict[str, Floats] = {}

    def __len__(self) -> int:
        return len(self.bodies)

    @cached_property
    def is_detection(self) -> Flags:
        """Return which points are detections of the survey's own pipeline, of either sign."""
        if self.survey == "lsst":
            return np.array(["psfFlux" in b and "diaForcedSourceId" not in b for b in self.bodies], dtype=np.bool_)
        return np.array([b.get("magpsf") is not None for b in self.bodies], dtype=np.bool_)

    @cached_property
    def forced(self) -> Flags:
        """Return which points are forced photometry."""
        return np.array(["diaForcedSourceId" in b for b in self.bodies], dtype=np.bool_)

    @cached_property
    def is_limit(self) -> Flags:
        """Return which points are upper limits: neither detected nor forced."""
        return ~(self.is_detection | self.forced)

    @cached_property
    def positive(self) -> Flags:
        """Return which points are brighter than the reference image."""
        if self.survey == "lsst":
            return self.flux > 0
        return np.array([b.get("isdiffpos") in _POSITIVE for b in self.bodies], dtype=np.bool_)

    @cached_property
    def band(self) -> Texts:
        """Return the band of each point: g, r, i … ; empty where it is not known."""
        if self.survey == "lsst":
            names = [b.get("band") or "" for b in self.bodies]
        else:
            names = [_ZTF_BANDS.get(b.get("fid", 0), "") for b in self.bodies]
        return np.array(names, dtype=np.object_)

    @cached_property
    def mag(self) -> Floats:
        """Return the difference magnitude [mag AB]: ZTF's negative subtractions have one, limits have none (NaN)."""
        if self.survey == "lsst":
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.where(self.flux > 0, ZERO_POINT_NJY - 2.5 * np.log10(self.flux), _NAN)
        return self.column("magpsf")

    @cached_property
    def mag_err(self) -> Floats:
        """Return the error of ``mag`` [mag]; NaN where that is."""
        if self.survey == "lsst":
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.where(self.flux > 0, MAG_OF_FLUX_ERR * self.flux_err / self.flux, _NAN)
        return self.column("sigmapsf")

    @cached_property
    def flux(self) -> Floats:
        """Return the difference flux with its sign [nJy]; NaN for a limit."""
        if self.survey == "lsst":
            return self.column("psfFlux")
        size = 10 ** (-0.4 * (self.column("magpsf") - ZERO_POINT_NJY))
        return np.where(self.positive, size, -size)

    @cached_property
    def flux_err(self) -> Floats:
        """Return the error of ``flux`` [nJy]; for a limit that of the background, a fifth of the limiting flux."""
        if self.survey == "lsst":
            return self.column("psfFluxErr")
        measured = np.abs(self.flux) * self.column("sigmapsf") / MAG_OF_FLUX_ERR
        background = 10 ** (-0.4 * (self.limit - ZERO_POINT_NJY)) / LIMIT_SIGMA
        return np.where(self.is_detection, measured, background)

    @cached_property
    def limit(self) -> Floats:
        """Return the limiting magnitude of each point's image, 5 sigma [mag AB]; NaN where it is not known."""
        return self.column("diffmaglim")

    @cached_property
    def reliability(self) -> Floats:
        """Return how surely each detection is real, 0 to 1: ZTF's ``rb``, LSST's ``reliability``; NaN if unknown."""
        return self.column("reliability" if self.survey == "lsst" else "rb")

    def column(self, name: str) -> Floats:
        """Return a field of the survey's own as numbers; NaN where it is missing, null or no number."""
        if name not in self._cache:
            self._cache[name] = np.array([_number(b.get(name)) for b in self.bodies], dtype=np.float64)
        return self._cache[name]

    def select(self, chosen: Flags | Numbers) -> "LightCurve":
        """Return the light curve of some of the points: by a mask, or by their positions in rising order."""
        where = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        part = LightCurve.__new__(LightCurve)
        part.survey = self.survey
        part.bodies = [self.bodies[i] for i in where.tolist()]
        part.id = self.id[where]
        part.jd = self.jd[where]
        part._cache = {}  # noqa: SLF001  our own kind
        # What has been computed is cut out, not computed anew.
        for name, value in self.__dict__.items():
            if name in _COLUMNS:
                part.__dict__[name] = value[where]
        return part

    @cached_property
    def detections(self) -> "LightCurve":
        """Return the detections, of either sign."""
        return self.select(self.is_detection)

    @cached_property
    def limits(self) -> "LightCurve":
        """Return the upper limits."""
        return self.select(self.is_limit)

    def in_band(self, band: str) -> "LightCurve":
        """Return the points of one band."""
        return self.select(self.band == band)


_COLUMNS: Final = frozenset(name for name, value in vars(LightCurve).items() if isinstance(value, cached_property)) - {
    "detections",
    "limits",
}


def _number(value: Any) -> float:
    if value is None or isinstance(value, str):
        return _NAN
    return float(value)
