"""A survey's calendar: which field is imaged when, in which band and how deep, the same for every object in it."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

EPOCH_JD = 2457754.5
"""2017-01-01: nights and processing numbers count from here."""

LOOK_BACK_DAYS = 100
"""How long before the first night the calendar begins."""

PIXEL_ARCSEC = 1.01
BANDS = {1: "g", 2: "r"}

_NIGHT_BEGINS = 0.13  # 03:10 UT, dusk at the observatory; the whole night lies in one UTC day
_NIGHT_LENGTH = 0.30
_REVISIT = 0.035  # 50 minutes between the two visits of a night
_DEC_STEP = 7.2
_FIRST_FIELD = 245
_QUADRANT_DEG = 0.85


def night_jd(day: date) -> float:
    """Return the Julian date of 0 h UTC of a day."""
    return (datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) / 86400 + 2440587.5


def galactic_latitude(ra: float, dec: float) -> float:
    """Return the galactic latitude [deg] of a position [deg]."""
    pole_ra, pole_dec = math.radians(192.85948), math.radians(27.12825)
    a, d = math.radians(ra), math.radians(dec)
    sine = math.sin(d) * math.sin(pole_dec) + math.cos(d) * math.cos(pole_dec) * math.cos(a - pole_ra)
    return math.degrees(math.asin(sine))


@dataclass(frozen=True)
class Field:
    """One pointing: its number, its centre [deg] and its turn in the night, 0 to 1."""

    number: int
    ra: float
    dec: float
    turn: float

    def place(self, rcid: int, dx: float, dy: float) -> tuple[float, float]:
        """Return the position [deg] at (dx, dy), each 0 to 1, of a readout quadrant."""
        column, row = rcid % 8 - 4 + dx, rcid // 8 - 4 + dy
        dec = self.dec + row * _QUADRANT_DEG
        return (self.ra + column * _QUADRANT_DEG / math.cos(math.radians(dec))) % 360, dec


@dataclass(frozen=True)
class Visits:
    """All visits to one field, by time; every array has the shape (n,)."""

    jd: NDArray[np.float64]
    fid: NDArray[np.int64]
    limit: NDArray[np.float64]
    """5 sigma limit [mag], to which a quadrant adds its own constant."""
    seeing: NDArray[np.float64]
    """Width of a star [arcsec]."""
    zero_point: NDArray[np.float64]
    night: NDArray[np.int64]
    """0 for the first simulated night, negative before it."""


class Survey:
    """The calendar of all fields that are up in the simulated nights.

    Parameters
    ----------
    seed
        Of the weather and of the order of fields.
    start
        The first simulated night, a UTC day.
    nights
        How many nights are simulated.
    """

    def __init__(self, seed: int, start: date, nights: int) -> None:
        self.seed = seed
        self.start = start
        self.nights = nights
        self._visits: dict[int, Visits] = {}

    def day(self, night: int) -> date:
        """Return the UTC day of a night."""
        return self.start + timedelta(days=night)

    @cached_property
    def fields(self) -> list[Field]:
        """Return the fields that are high at midnight: opposite to the Sun and off the Galactic plane."""
        midnight_ra = ((self.start - date(self.start.year, 3, 21)).days * 0.9856 + 180) % 360
        chosen = [
            (number, ra, dec)
            for number, ra, dec in _grid()
            if abs((ra - midnight_ra + 180) % 360 - 180) < 75 and abs(galactic_latitude(ra, dec)) > 15
        ]
        turns = np.random.default_rng([self.seed, 1]).permutation(len(chosen))
        return [Field(*field, turn=float(turn) / len(chosen)) for field, turn in zip(chosen, turns, strict=True)]

    @cached_property
    def quadrant_depth(self) -> NDArray[np.float64]:
        """Return what each of the 64 quadrants adds to a limit [mag]."""
        return np.random.default_rng([self.seed, 2]).normal(0, 0.08, 64)

    @cached_property
    def _weather(self) -> NDArray[np.float64]:
        """Return what each night of the calendar adds to a limit [mag]; NaN: closed. Simulated nights are open."""
        random = np.random.default_rng([self.seed, 3])
        nights = LOOK_BACK_DAYS + self.nights
        depth = random.normal(0, 0.2, nights)
        depth[:LOOK_BACK_DAYS][random.random(LOOK_BACK_DAYS) < 0.15] = np.nan
        return depth

    @cached_property
    def tonight(self) -> list[list[Field]]:
        """Return, for each simulated night, the fields that are visited."""
        return [
            [field for field in self.fields if (self.visits(field).night == night).any()]
            for night in range(self.nights)
        ]

    def visits(self, field: Field) -> Visits:
        """Return all visits to a field: every second or third night, once in g and once in r."""
        if field.number not in self._visits:
            self._visits[field.number] = self._plan(field)
        return self._visits[field.number]

    def _plan(self, field: Field) -> Visits:
        random = np.random.default_rng([self.seed, 4, field.number])
        cadence = int(random.integers(2, 4))
        nights = np.arange(-LOOK_BACK_DAYS, self.nights)
        open_ = np.isfinite(self._weather[nights + LOOK_BACK_DAYS])
        nights = nights[open_ & ((nights + random.integers(cadence)) % cadence == 0)]
        night = np.repeat(nights, 2)
        second = np.tile([0, 1], len(nights))
        begin = night_jd(self.start) + night + _NIGHT_BEGINS + _NIGHT_LENGTH * field.turn
        jd = np.round(begin + second * _REVISIT + random.uniform(0, 2e-4, len(night)), 7)
        red_first = np.repeat(random.integers(0, 2, len(nights)), 2)
        fid = 1 + (second + red_first) % 2
        seeing = np.clip(random.lognormal(math.log(2.0), 0.15, len(night)), 1.3, 3.6)
        depth = self._weather[night + LOOK_BACK_DAYS] - 2.0 * np.log10(seeing / 2.0)
        limit = 20.55 + depth + random.normal(0, 0.08, len(night))
        zero_point = np.where(fid == 1, 26.25, 26.15) + random.normal(0, 0.03, len(night))
        return Visits(jd, fid, np.clip(limit, 18.8, 21.3), seeing, zero_point, night)


def _grid() -> list[tuple[int, float, float]]:
    """Return (number, ra, dec) of fields that tile the northern sky in bands of declination."""
    fields = []
    number = _FIRST_FIELD
    for band in range(14):
        dec = -24.0 + band * _DEC_STEP
        columns = max(1, round(360 * math.cos(math.radians(dec)) / _DEC_STEP))
        for column in range(columns):
            fields.append((number, column * 360 / columns, dec))
            number += 1
    return fields
