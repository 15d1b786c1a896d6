"""The nights of an observatory and when a position can be observed in them; call all of it within `offline`."""

import math
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from ampeld.feature.light_curve import Flags, Floats

SUNSET_DEG: Final = -0.8333
"""Altitude of the sun's centre when its upper limb sets: refraction of 34' and a radius of 16'."""
_EARTH: Final = 6378.136 / 100
"""Radius of the Earth in units of an atmosphere of 100 km."""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an observatory is."""

    lat: float
    """[deg], north is positive."""
    long: float
    """[deg], east is positive."""
    alt: float = 0.0
    """[m]"""


class Constraints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it can observe: everything strictly within these."""

    airmass_th: float = 2.0
    sun_alt_th: float = -12.0
    """The sun is lower than this [deg]."""
    min_moon_dist: float = 30.0
    """The moon is farther than this [deg]."""


class Night(NamedTuple):
    """One night, from sunset to sunrise."""

    steps: slice
    """Of the grid: those with the sun below the horizon."""
    sunset: float | None
    """[JD, UTC]; None if the sun does not set or rise between two noons."""
    sunrise: float | None


class Steps(NamedTuple):
    """What holds at each step of a grid, shape (n,)."""

    dark: Flags
    airmass: Floats
    """Infinite where it is not dark."""
    moon: Floats
    """Distance of the moon [deg]; NaN where it is not dark or the airmass is too large."""
    visible: Flags


def airmass(zenith: Floats, altitude_m: float) -> Floats:
    """Return the airmass through a homogeneous spherical atmosphere.

    Parameters
    ----------
    zenith : any shape
        Distance from the zenith [rad].
    altitude_m
        Of the observatory [m].

    Notes
    -----
    AMPEL's formula: sqrt((r + y)^2 cos^2 z + 2 r (1 - y) - y^2 + 1) - (r + y) cos z, in units of 100 km.
    """
    y = altitude_m / 1e5
    across = (_EARTH + y) * np.cos(zenith)
    return np.asarray(np.sqrt(across * across + 2 * _EARTH * (1 - y) - y * y + 1) - across)


def first_noon(jd: float, longitude: float) -> float:
    """Return the mean solar noon of a longitude [deg] before a time [JD, UTC]."""
    turn = longitude / 360
    return math.floor(jd + turn) - turn


def grid(start: float, end: float, step_min: float) -> Any:
    """Return astropy's times from start to end [JD, UTC], at whole steps since midnight in UTC."""
    from astropy.time import Time  # noqa: PLC0415  for those who ask about the sky

    midnight = math.floor(start - 0.5) + 0.5
    first = math.ceil((start - midnight) * 1440 / step_min - 1e-6)
    last = math.ceil((end - midnight) * 1440 / step_min - 1e-6)
    return Time(midnight, np.arange(first, last) * step_min / 1440, format="jd", scale="utc")


def sun_altitude(site: Any, times: Any) -> Floats:
    """Return the altitude of the sun's centre [deg] above an astropy EarthLocation."""
    from astropy.coordinates import AltAz, get_sun  # noqa: PLC0415  as above

    return np.asarray(get_sun(times).transform_to(AltAz(obstime=times, location=site)).alt.deg)


def night_of(sun: Floats, jd: Floats) -> Night:
    """Return the night between two noons.

    Parameters
    ----------
    sun, jd : shape (n,)
        Altitude of the sun [deg] and time [JD, UTC], from noon to noon.
    """
    low = int(np.argmin(sun))
    if sun[low] >= SUNSET_DEG:
        return Night(slice(low, low), None, None)
    up = np.flatnonzero(sun >= SUNSET_DEG)
    before, after = up[up < low], up[up > low]
    first = int(before[-1]) + 1 if len(before) else 0
    end = int(after[0]) if len(after) else len(sun)
    return Night(
        slice(first, end),
        _crossing(sun, jd, first - 1) if len(before) else None,
        _crossing(sun, jd, end - 1) if len(after) else None,
    )


def _crossing(sun: Floats, jd: Floats, i: int) -> float:
    part = (SUNSET_DEG - sun[i]) / (sun[i + 1] - sun[i])
    return float(jd[i] + part * (jd[i + 1] - jd[i]))


def visible_steps(position: tuple[float, float], site: Any, times: Any, *, sun: Floats, limits: Constraints) -> Steps:
    """Return when a position can be observed.

    Parameters
    ----------
    position
        Right ascension and declination [deg, ICRS].
    site
        An astropy EarthLocation.
    times
        Of astropy, shape (n,).
    sun : shape (n,)
        Its altitude at these times [deg].
    limits
        What must hold.
    """
    from astropy.coordinates import AltAz, SkyCoord, get_body  # noqa: PLC0415  as above

    dark = sun < limits.sun_alt_th
    masses, moon = np.full(len(sun), np.inf), np.full(len(sun), np.nan)
    target = SkyCoord(*position, unit="deg")
    if dark.any():
        at_dark = target.transform_to(AltAz(obstime=times[dark], location=site))
        masses[dark] = airmass(np.radians(90 - at_dark.alt.deg), float(site.height.to_value("m")))
    high = masses < limits.airmass_th
    if high.any():
        # the moon takes most of the time: it is asked for where it matters alone
        frame = AltAz(obstime=times[high], location=site)
        away = get_body("moon", times[high], site).transform_to(frame).separation(target.transform_to(frame))
        moon[high] = away.deg
    return Steps(dark, masses, moon, high & (np.nan_to_num(moon, nan=-1.0) > limits.min_moon_dist))
