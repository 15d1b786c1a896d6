"""One simulated object: where it is, what stands beside it, and its one series of visits that every alert quotes."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ampeld.demo.shapes import SHAPES, SUPERNOVAE, Kind, Times, flux_of, nucleus, supernova, variable
from ampeld.demo.survey import EPOCH_JD, Field, Survey, Visits

HISTORY_DAYS = 30.0
_SIGNIFICANT = 5.0
_NAMES = 26**7


@dataclass(frozen=True)
class Neighbour:
    """What the catalogues have near the object."""

    distance: float
    """Of the nearest PS1 source [arcsec]."""
    star_score: float
    """1 for a star, 0 for a galaxy."""
    mag: float
    """Of that source, r [mag]."""


@dataclass(frozen=True, eq=False)
class SimulatedObject:
    """An object with all its visits; every array has one entry per visit, by time."""

    number: int
    name: str
    kind: Kind
    field: Field
    rcid: int
    ra: float
    dec: float
    neighbour: Neighbour
    visits: Visits
    flux: Times
    """Measured difference flux, 1 at 25 mag."""
    error: Times
    """Its standard error."""
    detected: NDArray[np.bool_]
    limit: Times
    """5 sigma limit of its quadrant [mag]."""
    archive: tuple[int, float]
    """Detections before the calendar begins, and the Julian date of the first (0 if none)."""
    seed: tuple[int, ...]

    @property
    def is_transient(self) -> bool:
        """Tell whether it is an injected transient that a channel should find."""
        return self.kind in SUPERNOVAE

    @cached_property
    def magnitude(self) -> Times:
        """Return the measured magnitudes [mag], of the absolute flux."""
        return np.asarray(25.0 - 2.5 * np.log10(np.maximum(np.abs(self.flux), 1e-9)))

    @cached_property
    def magnitude_error(self) -> Times:
        """Return their standard errors [mag]."""
        return np.asarray(1.0857 * self.error / np.maximum(np.abs(self.flux), 1e-9))

    @cached_property
    def pid(self) -> list[int]:
        """Return the processing numbers: night, fraction of the day, quadrant, and 15 as in real ones."""
        return [int((jd - EPOCH_JD) * 1e5 + 1e-3) * 10_000 + self.rcid * 100 + 15 for jd in self.visits.jd.tolist()]

    def alerts(self) -> list[int]:
        """Return the visits of the simulated nights at which it is detected."""
        return [int(index) for index in np.flatnonzero(self.detected & (self.visits.night >= 0))]

    def history(self, visit: int) -> range:
        """Return the visits that an alert at this visit quotes: the 30 days before it."""
        jd = self.visits.jd
        return range(int(np.searchsorted(jd, jd[visit] - HISTORY_DAYS)), visit)


def make_object(survey: Survey, number: int, kind: Kind) -> SimulatedObject | None:
    """Return an object that is detected in a simulated night, or None if a good many draws gave none.

    Parameters
    ----------
    survey
        The calendar.
    number
        Position in the population: with the survey's seed it decides everything about the object.
    kind
        What it is.
    """
    for attempt in range(40):
        made = _draw(survey, number, kind, attempt)
        if made is not None and made.alerts():
            return made
    return None


def _draw(survey: Survey, number: int, kind: Kind, attempt: int) -> SimulatedObject | None:
    seed = (survey.seed, 5, number, attempt)
    random = np.random.default_rng(seed)
    night = int(random.integers(survey.nights))
    fields = survey.tonight[night]
    if not fields:
        return None
    field = fields[int(random.integers(len(fields)))]
    rcid = int(random.integers(64))
    ra, dec = field.place(rcid, *random.uniform(0.05, 0.95, 2))
    visits = survey.visits(field)
    limit = visits.limit + survey.quadrant_depth[rcid]
    neighbour = _neighbour(kind, random)
    tonight = int(np.flatnonzero(visits.night == night)[random.integers(2)])
    error = flux_of(limit) / _SIGNIFICANT
    true = _true_flux(kind, random, visits, tonight, neighbour)
    flux = true + random.normal(0, 1, len(true)) * error * 0.9
    error = np.hypot(error, 0.015 * np.abs(true))
    detected = np.abs(flux) >= _SIGNIFICANT * error
    if kind in ("asteroid", "bogus"):
        detected &= true != 0  # noise alone makes no alert here
    elif kind in SUPERNOVAE:
        detected &= (flux > 0) & (true > 0)
    archive = _archive(kind, random, visits, neighbour)
    name = _name(survey, number, archive[1] or float(visits.jd[np.argmax(detected)]))
    return SimulatedObject(
        number, name, kind, field, rcid, ra, dec, neighbour, visits, flux, error, detected, limit, archive, seed
    )


def _true_flux(kind: Kind, random: np.random.Generator, visits: Visits, tonight: int, neighbour: Neighbour) -> Times:
    jd, fid = visits.jd, visits.fid
    if kind in SHAPES:
        age_tonight = random.uniform(*SHAPES[kind].fresh_d)
        peak = float(random.triangular(17.3, 19.6, 20.5))
        return supernova(kind, jd - jd[tonight] + age_tonight, fid, peak, float(random.normal(1.0, 0.07)))
    if kind == "variable":
        return variable(jd, fid, random, neighbour.mag)
    if kind == "agn":
        return nucleus(jd, fid, random, neighbour.mag)
    once = np.zeros(len(jd))
    seen = np.arange(len(jd)) == tonight
    if kind == "bogus":
        seen |= random.random(len(jd)) < random.choice([0.0, 0.0, 0.15])  # some come again: bad subtractions
    mags = np.minimum(random.triangular(16.0, 19.8, 20.6, len(jd)), visits.limit - 0.3)
    once[seen] = flux_of(mags[seen])
    if kind == "bogus":
        once *= random.choice([1.0, 1.0, -1.0])
    return once


def _neighbour(kind: Kind, random: np.random.Generator) -> Neighbour:
    match kind:
        case "variable":
            return Neighbour(random.uniform(0.02, 0.5), random.uniform(0.93, 1.0), random.triangular(14.5, 17.5, 19.5))
        case "agn":
            return Neighbour(random.uniform(0.02, 0.35), random.uniform(0.01, 0.6), random.triangular(16.0, 18.0, 20.0))
        case "sn_ia" | "sn_ii" | "fast":
            distance = min(12.0, math.exp(random.normal(math.log(2.5), 0.6)))
            return Neighbour(max(0.6, distance), random.uniform(0.01, 0.2), random.uniform(16.5, 20.5))
        case _:
            return Neighbour(random.uniform(2.0, 20.0), float(random.choice([0.02, 0.5, 0.98])), random.uniform(17, 22))


def _archive(kind: Kind, random: np.random.Generator, visits: Visits, neighbour: Neighbour) -> tuple[int, float]:
    # Some flare up for the first time: they are what a filter for supernovae takes by mistake.
    if kind not in ("variable", "agn") or random.random() < 0.12:
        return 0, 0.0
    first = float(np.round(visits.jd[0] - random.uniform(200, 2200), 7))
    return int(random.integers(10, 100) * max(0.2, (20 - neighbour.mag) / 2)), first


def _name(survey: Survey, number: int, first_jd: float) -> str:
    year = 2000 + int((first_jd - 2451544.5) // 365.2425)
    # A multiplier without a common divisor with 26 visits every name once: unique, yet in no visible order.
    code = (number * 2_654_435_761 + survey.seed * 97_777_777 + 1_234_567_891) % _NAMES
    letters = ""
    for _ in range(7):
        code, digit = divmod(code, 26)
        letters = chr(97 + digit) + letters
    return f"ZTF{year - 2000:02d}{letters}"
