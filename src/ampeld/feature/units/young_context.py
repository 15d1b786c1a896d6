"""What surrounds a young transient: solar-system objects, its host, the Galaxy."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ampeld.feature.reasons import NO_DETECTION, NO_FIELD, NO_MATCH
from ampeld.feature.unit import Undefined
from ampeld.feature.units.eval_points import galactic_latitude

Body = Mapping[str, Any]
READS = (
    "ssdistnr",
    "ssObjectId",
    *(f"{name}{i}" for i in (1, 2, 3) for name in ("distpsnr", "sgscore")),
)
_NUMBER = (int, float)  # a tuple is tested in half the time of a union
GALAXY = 0.5
"""Sources of a lower star/galaxy score are taken for galaxies."""


def surroundings(bodies: Sequence[Body], sso_radius: float) -> dict[str, Any]:
    """Return what is known of the surroundings of the detections, given in the order of time.

    Parameters
    ----------
    bodies
        The survey's own fields of each.
    sso_radius
        How near a known solar-system object must be [arcsec].
    """
    return {**_moving(bodies, sso_radius), **_host(bodies), "gal_b": _latitude(bodies)}


def _moving(bodies: Sequence[Body], radius: float) -> dict[str, Any]:
    # ZTF gives a distance, -999 for nothing near; LSST the object's number, 0 or null for none.
    distances = [body["ssdistnr"] for body in bodies if "ssdistnr" in body]
    numbers = [body["ssObjectId"] for body in bodies if "ssObjectId" in body]
    if not distances and not numbers:
        why = Undefined(NO_FIELD if bodies else NO_DETECTION)
        return {"sso": why, "n_ssmatch": why}
    near = [d for d in distances if isinstance(d, _NUMBER) and 0 <= d <= radius]
    matches = len(near) + len([number for number in numbers if number])
    return {"sso": matches > 0, "n_ssmatch": matches}


def _host(bodies: Sequence[Body]) -> dict[str, Any]:
    newest = next((body for body in reversed(bodies) if "distpsnr1" in body), None)
    if newest is None:
        why = Undefined(NO_FIELD if bodies else NO_DETECTION)
        return {"host_sep": why, "sgscore": why}
    near = [(_number(newest.get(f"distpsnr{i}")), _number(newest.get(f"sgscore{i}"))) for i in (1, 2, 3)]
    # -999 stands for no source.
    score = near[0][1]
    galaxies = [d for d, s in near if d is not None and s is not None and d >= 0 and 0 <= s < GALAXY]
    return {
        "host_sep": min(galaxies) if galaxies else Undefined(NO_MATCH, "no galaxy among the three nearest"),
        "sgscore": score if score is not None and score >= 0 else Undefined(NO_MATCH),
    }


def _latitude(bodies: Sequence[Body]) -> float | Undefined:
    for body in reversed(bodies):
        ra, dec = _number(body.get("ra")), _number(body.get("dec"))
        if ra is not None and dec is not None:
            return galactic_latitude(ra, dec)
    return Undefined(NO_FIELD if bodies else NO_DETECTION)


def _number(value: Any) -> float | None:
    usable = isinstance(value, _NUMBER) and math.isfinite(value)
    return float(value) if usable else None
