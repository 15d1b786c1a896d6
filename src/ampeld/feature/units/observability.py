"""When an object can be observed from where, in the nights to come."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Literal

import msgspec
import numpy as np

from ampeld.feature.light_curve import Floats, LightCurve
from ampeld.feature.reasons import NO_DETECTION, NO_FIELD, NO_INPUT, OUT_OF_LIMITS
from ampeld.feature.unit import Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.sky_astropy import offline
from ampeld.feature.units.sky_night import (
    Constraints,
    Night,
    Position,
    Steps,
    first_noon,
    grid,
    night_of,
    sun_altitude,
    visible_steps,
)

_UNIX: Final = 2440587.5
_EARLIEST, _LATEST = 2415020.5, 2488069.5
"""1900 and 2100 [JD]: beyond, the positions of sun and moon are not worth a table."""
_MOST_NIGHTS: Final = 30


class Observatory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site."""

    pos: Position
    constraints: Constraints = Constraints()


class Observability(StateUnit):
    """When an object can be observed from each of some sites; AMPEL's T2Observability.

    It is visible while the sun is low, the airmass small and the moon far, all strictly; times are those of a grid of
    whole steps since midnight in UTC. Sun and moon by astropy, without refraction; nothing is downloaded.

    Parameters
    ----------
    observatories
        By name: ``pos`` with ``lat``, ``long`` (deg, east is positive), ``alt`` (m); ``constraints`` with
        ``airmass_th`` (2), ``sun_alt_th`` (-12 deg), ``min_moon_dist`` (30 deg).
    date
        The first night is the one that is not over at this time: JD in UTC, or a text such as ``2026-11-23`` or
        ``2026-11-23T18:00:00``; None: the time of the newest point.
    nights
        How many, 1 to 30.
    dt_min
        Step of the grid [min], 1 to 60.
    position
        Of which detections: ``brightest``, ``mean`` (on the sphere) or ``latest``.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2Observability.

    AMPEL: the unit never works, its log line raises; here: what its text promises.
    AMPEL: days in UTC, which cut the night of most sites in two, of which only the third would be kept; here: nights
    from sunset to sunrise at the site.
    AMPEL: "now", which cannot be repeated; here: a time that is given, or that of the newest point.
    """

    slow: ClassVar[bool] = True
    values: ClassVar[tuple[Value, ...]] = (
        Value("{site}.{night}.start", "", "first time at which it is visible [UTC]; None: never", "text"),
        Value("{site}.{night}.end", "", "last time at which it is visible [UTC]", "text"),
        Value("{site}.{night}.sunset", "", "when the sun's upper limb sets [UTC]", "text"),
        Value("{site}.{night}.sunrise", "", "when it rises [UTC]", "text"),
        Value("{site}.{night}.hours", "h", "how long it is visible"),
        Value("{site}.{night}.min_airmass", "", "least airmass while it is visible"),
        Value("{site}.{night}.min_moon_dist", "deg", "least distance of the moon while it is visible"),
    )

    observatories: dict[str, Observatory]
    date: float | str | None = None
    nights: int = 3
    dt_min: float = 5.0
    position: Literal["brightest", "mean", "latest"] = "brightest"

    def prepare(self) -> None:
        """Look at sites and times."""
        if not self.observatories:
            raise ValueError("observatories: none is named")
        for name, site in self.observatories.items():
            if not (-90 <= site.pos.lat <= 90 and -360 <= site.pos.long <= 360 and -500 <= site.pos.alt <= 1e4):
                raise ValueError(f"observatories: {name}: lat -90 to 90, long -180 to 180 (deg), alt -500 to 10000 (m)")
        if not 1 <= self.nights <= _MOST_NIGHTS:
            raise ValueError(f"nights: {self.nights}: 1 to {_MOST_NIGHTS}")
        if not 1 <= self.dt_min <= 60:
            raise ValueError(f"dt_min: {self.dt_min} min: 1 to 60")
        self._jd = _jd_of(self.date)
        self._sites: dict[str, Any] = {}

    def open(self, resources: Resources) -> None:  # noqa: ARG002  it needs none but astropy's own tables
        """Make the sites, before the first measurement: astropy takes seconds to import."""
        from astropy.coordinates import EarthLocation  # noqa: PLC0415  see above

        with offline():
            for name, site in self.observatories.items():
                pos = site.pos
                self._sites[name] = EarthLocation.from_geodetic(pos.long, pos.lat, pos.alt)

    def measure(self, light_curve: LightCurve, *_: Input) -> Measured:
        """Return by site and night when the object can be observed."""
        if not self._sites:
            return Undefined(NO_INPUT, "the unit has not been opened")
        if len(light_curve.detections) == 0:
            return Undefined(NO_DETECTION)
        position = light_curve.position(self.position)
        if position is None or abs(position[1]) > 90:
            return Undefined(NO_FIELD, "no detection has a position")
        jd = float(light_curve.jd[-1]) if self._jd is None else self._jd
        if not _EARLIEST < jd < _LATEST:
            return Undefined(OUT_OF_LIMITS, f"JD {jd:.1f} is before 1900 or after 2100")
        with offline():
            return {name: self._from(name, position, jd) for name in self.observatories}

    def _from(self, name: str, position: tuple[float, float], jd: float) -> dict[str, Any]:
        site, limits = self._sites[name], self.observatories[name].constraints
        noon = first_noon(jd, self.observatories[name].pos.long)
        nights: list[tuple[Any, Floats, Night]] = []
        for day in range(self.nights + 1):
            times = grid(noon + day, noon + day + 1, self.dt_min)
            sun = sun_altitude(site, times)
            night = night_of(sun, times.jd)
            if day > 0 or night.sunrise is None or night.sunrise > jd:
                nights.append((times, sun, night))
            if len(nights) == self.nights:
                break
        body = {}
        for number, (times, sun, night) in enumerate(nights, start=1):
            inside = times[night.steps]
            steps = visible_steps(position, site, inside, sun=sun[night.steps], limits=limits)
            body[f"night{number}"] = self._in_night(inside, night, steps)
        return body

    def _in_night(self, times: Any, night: Night, steps: Steps) -> dict[str, Any]:
        visible = np.flatnonzero(steps.visible)
        never = Undefined(OUT_OF_LIMITS, _why_never(steps))
        polar = Undefined(OUT_OF_LIMITS, "the sun does not cross the horizon")
        return {
            "start": times[visible[0]].iso if len(visible) else never,
            "end": times[visible[-1]].iso if len(visible) else never,
            "sunset": polar if night.sunset is None else _text(night.sunset),
            "sunrise": polar if night.sunrise is None else _text(night.sunrise),
            "hours": len(visible) * self.dt_min / 60,
            "min_airmass": float(steps.airmass[visible].min()) if len(visible) else never,
            "min_moon_dist": float(steps.moon[visible].min()) if len(visible) else never,
        }


def _why_never(steps: Steps) -> str:
    if not steps.dark.any():
        return "the sun stays too high"
    return "the airmass stays too large" if np.isnan(steps.moon).all() else "the moon stays too near"


def _text(jd: float) -> str:
    """Return a time to the second, which is more than refraction allows, as astropy writes it."""
    return f"{datetime.fromtimestamp(round((jd - _UNIX) * 86400), UTC):%Y-%m-%d %H:%M:%S}.000"


def _jd_of(date: float | str | None) -> float | None:
    if date is None or isinstance(date, float):
        return date
    try:
        given = datetime.fromisoformat(date)
    except ValueError as error:
        raise ValueError(f"date: {date!r} is neither a JD nor a text such as 2026-11-23T18:00:00") from error
    aware = given if given.tzinfo else given.replace(tzinfo=UTC)
    return _UNIX + aware.timestamp() / 86400
