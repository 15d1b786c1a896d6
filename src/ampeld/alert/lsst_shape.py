"""From a decoded LSST alert to the points that are stored, with AMPEL's numbers and tags."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from ampeld.alert.identity import body_id
from ampeld.alert.point import TIMELESS, Point
from ampeld.alert.shape import finite

TAI_UTC_S: Final = 37
"""TAI - UTC [s] since 2017-01-01; the survey began in 2025, and no further leap second has been announced."""

PUBLIC: Final = 1
DETECTION: Final = "LSST_DP"
FORCED: Final = "LSST_FP"
OBJECT: Final = "LSST_OBJ"
LIMIT: Final = "LSST_ND"

_JD_OF_MJD_0: Final = 2400000.5
_LATE_D: Final = TAI_UTC_S / 86400

NUMBERED: Final[Mapping[str, tuple[str, ...] | None]] = {
    DETECTION: (
        "band",
        "dec",
        "diaSourceId",
        "isNegative",
        "midpointMjdTai",
        "psfFlux",
        "psfFluxErr",
        "ra",
        "snr",
        "visit",
    ),
    FORCED: ("band", "dec", "diaForcedSourceId", "midpointMjdTai", "psfFlux", "psfFluxErr", "ra", "visit"),
    OBJECT: ("dec", "decErr", "diaObjectId", "nDiaSources", "ra", "raErr", "ra_dec_Cov", "radecMjdTai"),
    LIMIT: None,
}
"""What AMPEL keeps of each record, in order, and hashes to its number (Ampel-LSST, FieldSelection); of a limit all."""

KEPT: Final[Mapping[str, tuple[str, ...] | None]] = {
    **NUMBERED,
    DETECTION: (*(NUMBERED[DETECTION] or ()), "reliability"),
}
"""What is stored of each record: how surely a detection is real, too, which AMPEL's selection leaves out."""

TAGS: Final[Mapping[str, str]] = {
    "diaSource": DETECTION,
    "prvDiaSources": DETECTION,
    "prvDiaForcedSources": FORCED,
    "prvDiaNondetectionLimits": LIMIT,
    "diaObject": OBJECT,
}
"""What the records of the packet are as points."""

_FLAT: Final = (DETECTION, FORCED)  # every field that is kept has a type that is checked


def jd_of(mjd_tai: Any) -> Any:
    """Return the Julian date [d, UTC] of a Modified Julian Date [d, TAI], of a number or an array."""
    return mjd_tai - _LATE_D + _JD_OF_MJD_0


def object_of(number: int | None) -> str:
    """Return the name of an object: its number in decimal; empty for None."""
    return "" if number is None else str(number)


def stock_of(name: str) -> int:
    """Return the number of the object with this name, 0 where it has none.

    Raises
    ------
    ValueError
        If that is not the name of an LSST object: its number in decimal, as it is written.
    """
    if not name:
        return 0
    # isdecimal and int take other scripts' digits and leading zeros, which would give an object two names.
    if not (name.isascii() and name.isdecimal()) or name[0] == "0" or int(name) >= 1 << 63:
        raise ValueError("not the name of an LSST object: its diaObjectId, from 1 to 2^63 - 1")
    return int(name)


def name_of(stock: int) -> str:
    """Return the name of the object with this number, empty for 0."""
    return str(stock) if stock else ""


def shape(packet: Mapping[str, Any]) -> list[Point]:
    """Return the points of an alert: its source, earlier sources, forced sources, limits, and the object's record.

    A number that occurs twice gives one point, the first. A forced source with the number of a source is left out:
    it is the same measurement. An alert without an object has none that could be stored.
    """
    if packet.get("diaObject") is None:
        return []
    points: dict[int, Point] = {}
    for point in _points(packet):
        points.setdefault(point.id, point)
    return list(points.values())


def _points(packet: Mapping[str, Any]) -> Iterator[Point]:
    own = packet["diaSource"]
    sources = packet.get("prvDiaSources") or ()
    yield make_point(own, DETECTION, full=True)
    for record in sources:
        yield make_point(record, DETECTION)
    seen = {own["diaSourceId"], *(record["diaSourceId"] for record in sources)}
    for record in packet.get("prvDiaForcedSources") or ():
        if record["diaForcedSourceId"] not in seen:
            yield make_point(record, FORCED)
    for record in packet.get("prvDiaNondetectionLimits") or ():
        yield make_point(record, LIMIT)
    yield make_point(packet["diaObject"], OBJECT)


def make_point(record: Mapping[str, Any], tag: str, *, full: bool = False) -> Point:
    """Return the point of one record.

    Parameters
    ----------
    record
        As decoded.
    tag
        What it is: `DETECTION`, `FORCED`, `LIMIT` or `OBJECT`.
    full
        Whether it is the alert's own source.
    """
    kept, numbered = KEPT[tag], NUMBERED[tag]
    body = dict(record) if kept is None else {name: record[name] for name in kept if name in record}
    return Point(
        id=body_id(body if numbered == kept else {name: body[name] for name in numbered or () if name in body}),
        jd=TIMELESS if tag == OBJECT else jd_of(record["midpointMjdTai"]),
        rcid=None,
        programid=PUBLIC,
        tag=_tags(tag, body.get("band")),
        body=_flat_finite(body) if tag in _FLAT else finite(body),
        full=full,
    )


@lru_cache
def _tags(tag: str, band: str | None) -> tuple[str, ...]:
    return ("LSST", tag) if band is None else tuple(sorted(("LSST", tag, f"LSST_{band.upper()}")))


def _flat_finite(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `finite` does of a body without dictionaries and lists, in a third of the time."""
    return {
        name: None if value.__class__ is float and not math.isfinite(value) else value for name, value in body.items()
    }
