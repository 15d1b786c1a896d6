"""A light curve: the points of one state as arrays in the order of time, in the same words for every survey."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ampeld.feature.position import mean_position

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Texts = NDArray[np.object_]
Body = Mapping[str, Any]

ZERO_POINT_NJY: Final = 31.4
"""The magnitude of 1 nJy [mag AB]: -2.5 log10(1e-9 / 3631) to four digits of a millimagnitude is 31.4."""
MAG_OF_FLUX_ERR: Final = 2.5 / math.log(10)
"""Magnitude error by relative flux error."""
FLUX_LIMITS: Final = 1e-60, 1e60
"""Beyond which neither fluxes nor their errors are measured: their squares, or inverses of these, are no numbers."""
LIMIT_SIGMA: Final = 5.0
"""How many sigma of the background ZTF's ``diffmaglim`` stands for."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ztf": (
        *("jd", "fid", "rcid", "programid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos", "ra", "dec"),
        *("rb", "drb"),
    ),
    "lsst": (
        *("midpointMjdTai", "band", "psfFlux", "psfFluxErr", "ra", "dec", "reliability", "snr"),
        *("diaForcedSourceId", "diaNoise"),
    ),
}
"""By survey: the fields of the points' bodies that a light curve is made of."""

_NEGATIVE: Final = frozenset(("f", "0", 0, False))
"""What ``isdiffpos`` says of a point that is fainter than the reference image; all else is brighter, as for AMPEL."""
ZTF_BANDS: Final[Mapping[int, str]] = {1: "g", 2: "r", 3: "i"}
"""By ``fid``."""
_NAN: Final = math.nan
_NUMBER: Final = (int, float)  # a tuple is tested in half the time of a union


class LightCurve:
    """Points of one object in the order of time; of equal times, in the order of their numbers.

    Arrays have shape (n,), n >= 0, and are not to be written to.

    Parameters
    ----------
    survey
        ``ztf`` or ``lsst``.
    points
        (id, jd, body) of each point, in any order. What has no time is no point of it: LSST's record of the object
        becomes `record`.
    """

    def __init__(self, survey: str, points: Iterable[tuple[int, float, Body]]) -> None:
        given = list(points)
        ordered = sorted((p for p in given if math.isfinite(p[1])), key=_TIME_AND_NUMBER)
        self.record: Body | None = None
        """The survey's own fields of the object, where the state has such a record (LSST's ``diaObject``)."""
        if len(ordered) < len(given):
            self.record = next((body for _, jd, body in given if jd == -math.inf), None)
        self.survey = survey
        self.bodies: Sequence[Body] = [body for _, _, body in ordered]
        """The survey's own fields of each point."""
        self.id: Numbers = np.array([number for number, _, _ in ordered], dtype=np.int64)
        self.jd: Floats = np.array([jd for _, jd, _ in ordered], dtype=np.float64)
        """[JD, UTC]."""
        self.derived: dict[Any, Any] = {}
        """What has been made of it and is worth keeping for the next unit, by a key of whoever makes it."""
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
        if self.survey != "lsst":
            return np.zeros(len(self), dtype=np.bool_)
        return np.array(["diaForcedSourceId" in b for b in self.bodies], dtype=np.bool_)

    @cached_property
    def is_limit(self) -> Flags:
        """Return which points are upper limits: neither detected nor forced, nor photopoints that lack a magnitude."""
        if self.survey == "lsst":
            return ~(self.is_detection | self.forced)
        limits = ~self.is_detection
        for row in np.flatnonzero(limits & (self.id > 0)).tolist():  # a photopoint has a candid and says where it is
            limits[row] = "ra" not in self.bodies[row]
        return limits

    @cached_property
    def positive(self) -> Flags:
        """Return which points are brighter than the reference image; limits are not."""
        if self.survey == "lsst":
            return self.flux > 0
        return np.array([b.get("isdiffpos") not in _NEGATIVE for b in self.bodies], dtype=np.bool_) & ~self.is_limit

    @cached_property
    def band(self) -> Texts:
        """Return the band of each point: g, r, i … ; empty where it is not known."""
        if self.survey == "lsst":
            names = [b.get("band") or "" for b in self.bodies]
        else:
            names = [ZTF_BANDS.get(b.get("fid", 0), "") for b in self.bodies]
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
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                return np.where(self.flux > 0, MAG_OF_FLUX_ERR * self.flux_err / self.flux, _NAN)
        return self.column("sigmapsf")

    @cached_property
    def flux(self) -> Floats:
        """Return the difference flux with its sign [nJy]; NaN for a limit."""
        if self.survey == "lsst":
            return self.column("psfFlux")
        return np.where(self.is_detection, np.where(self.positive, self._size, -self._size), _NAN)

    @cached_property
    def flux_err(self) -> Floats:
        """Return the error of ``flux`` [nJy]; for a limit that of the background, a fifth of the limiting flux."""
        if self.survey == "lsst":
            return np.where(self.is_limit, self.column("diaNoise"), self.column("psfFluxErr"))
        with np.errstate(over="ignore", invalid="ignore"):
            measured = self._size * self.column("sigmapsf") / MAG_OF_FLUX_ERR
        return np.where(self.is_detection, measured, self._size / LIMIT_SIGMA)

    @cached_property
    def _size(self) -> Floats:
        # One power for both: that of ten is half the time of a light curve's fluxes and their errors.
        mag = np.where(self.is_detection, self.column("magpsf"), self.column("diffmaglim"))
        # A magnitude beyond -700 has no flux that fits: it becomes infinite, which no table takes.
        with np.errstate(over="ignore"):
            return np.asarray(10 ** (-0.4 * (mag - ZERO_POINT_NJY)))

    @cached_property
    def limit(self) -> Floats:
        """Return the limiting magnitude of each point's image, 5 sigma [mag AB]; NaN where it is not known.

        ZTF states it of every point, LSST's limits state the noise (``diaNoise``), its detections neither.
        """
        if self.survey == "lsst":
            with np.errstate(invalid="ignore", divide="ignore"):
                return ZERO_POINT_NJY - 2.5 * np.log10(LIMIT_SIGMA * self.column("diaNoise"))
        return self.column("diffmaglim")

    @cached_property
    def reliability(self) -> Floats:
        """Return how surely each detection is real, 0 to 1: ZTF's ``rb``, LSST's ``reliability``; NaN if unknown.

        LSST's is not among the fields that stored points keep (AMPEL's selection, which their numbers are made of).
        """
        return self.column("reliability" if self.survey == "lsst" else "rb")

    def column(self, name: str) -> Floats:
        """Return a field of the survey's own as numbers; NaN where it is missing, null or no number."""
        if name not in self._cache:
            found = [value if isinstance(value := b.get(name), _NUMBER) else _NAN for b in self.bodies]
            self._cache[name] = np.array(found, dtype=np.float64)
        return self._cache[name]

    def select(self, chosen: Flags | Numbers) -> "LightCurve":
        """Return the light curve of some of the points: by a mask, or by their positions in rising order."""
        where = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        part = LightCurve.__new__(LightCurve)
        part.survey = self.survey
        part.record = self.record
        part.bodies = [self.bodies[i] for i in where.tolist()]
        part.id = self.id[where]
        part.jd = self.jd[where]
        part.derived = {}
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

    @cached_property
    def forced_only(self) -> "LightCurve":
        """Return the forced photometry."""
        return self.select(self.forced)

    def in_band(self, band: str) -> "LightCurve":
        """Return the points of one band."""
        return self.select(self.band == band)

    def between(self, first_jd: float, last_jd: float) -> "LightCurve":
        """Return the points of a time [JD], both ends included."""
        return self.select((self.jd >= first_jd) & (self.jd <= last_jd))

    def of_sign(self, *, positive: bool) -> "LightCurve":
        """Return what is measured, detections and forced photometry, of one sign; limits have none."""
        return self.select((self.positive == positive) & np.isfinite(self.flux))

    def of_quality(self, name: str, least: float = -math.inf, most: float = math.inf) -> "LightCurve":
        """Return the points whose field lies in a range, ends included; without a number there, a point is dropped.

        Parameters
        ----------
        name
            A field of the survey's own (``drb``, ``snr``), or ``reliability`` for either survey's.
        least, most
            The range.
        """
        values = self.reliability if name == "reliability" else self.column(name)
        return self.select((values >= least) & (values <= most))

    def deduplicated(self) -> "LightCurve":
        """Return the light curve with one point by band and time.

        A detection stays before the forced photometry of the same image, and that before a limit; of equals the one
        with the smallest number.
        """
        # Most have no equal times, and a comparison of neighbours is a tenth of the work.
        if not (self.jd[1:] == self.jd[:-1]).any():
            return self
        rank = np.where(self.is_detection, 0, np.where(self.forced, 1, 2)).tolist()
        best: dict[tuple[float, str], int] = {}
        for row, key in enumerate(zip(self.jd.tolist(), self.band.tolist(), strict=True)):
            if rank[row] < rank[best.setdefault(key, row)]:
                best[key] = row
        return self.select(np.array(sorted(best.values()), dtype=np.int64))

    @property
    def bands(self) -> list[str]:
        """Return the bands that have points, sorted by name."""
        return sorted(set(self.band.tolist()) - {""})

    def brightest(self) -> int | None:
        """Return the position of the detection with the largest flux of either sign, the earliest of equals."""
        size = np.where(self.is_detection, np.abs(self.flux), _NAN)
        return int(np.nanargmax(size)) if np.isfinite(size).any() else None

    def nearest(self, jd: float) -> int | None:
        """Return the position of the point nearest in time [JD], the earlier of equals."""
        return int(np.argmin(np.abs(self.jd - jd))) if len(self) else None

    def position(self, which: Literal["mean", "brightest", "latest"] = "mean") -> tuple[float, float] | None:
        """Return right ascension and declination of the detections [deg]; None if none has them.

        ``mean`` is that of the unit vectors, right across ra 0 and at the poles; the others are single measurements.
        """
        known = self.is_detection & np.isfinite(self.column("ra")) & np.isfinite(self.column("dec"))
        if which == "mean":
            return mean_position(self.column("ra")[known], self.column("dec")[known])
        part = self.select(known)
        row = part.brightest() if which == "brightest" else len(part) - 1
        return None if row is None or row < 0 else (float(part.column("ra")[row]), float(part.column("dec")[row]))


_COLUMNS: Final = frozenset(
    name for name, value in vars(LightCurve).items() if isinstance(value, cached_property)
) - frozenset(("detections", "limits", "forced_only"))

_TIME_AND_NUMBER: Final = itemgetter(1, 0)
