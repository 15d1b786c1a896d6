"""From a decoded alert to the points that are stored, as AMPEL shapes them."""

import math
from collections.abc import Mapping
from typing import Any, Final

from ampeld.alert.identity import upper_limit_id
from ampeld.alert.point import Point
from ampeld.errors import PoisonError

UNSTORED: Final = frozenset(("candid", "programpi"))
_RIGHTS: Final[Mapping[int, tuple[str, ...]]] = {
    0: ("ZTF_PRIV", "ZTF_PUB"),
    1: ("ZTF_PUB",),
    2: ("ZTF_PRIV",),
    3: ("ZTF_PRIV", "ZTF_PUB"),
}
_BANDS: Final[Mapping[int, tuple[str, ...]]] = {1: ("ZTF_G",), 2: ("ZTF_R",), 3: ("ZTF_I",)}
_LARGEST_ID: Final = 2**63 - 1


def shape(packet: Mapping[str, Any]) -> list[Point]:
    """Return the points of an alert: its candidate, then its history in its order; forced photometry never.

    A number that occurs twice gives one point: the candidate's, else the first.

    Raises
    ------
    PoisonError
        If a point's number does not fit 64 bits or has the wrong sign.
    """
    points = {packet["candidate"]["candid"]: _detection(packet["candidate"], full=True)}
    for record in packet.get("prv_candidates") or ():
        if record.get("candid") is not None:
            points.setdefault(record["candid"], _detection(record, full=False))
        elif is_limit(record):
            limit = _limit(record)
            points.setdefault(limit.id, limit)
    return list(points.values())


def is_limit(record: Mapping[str, Any]) -> bool:
    """Tell whether a record of the history is an upper limit that counts: no candid, a limit of at least 0."""
    limit = record.get("diffmaglim")
    return record.get("candid") is None and limit is not None and 0 <= limit < math.inf


def limit_id(record: Mapping[str, Any]) -> int:
    """Return the number of an upper limit.

    Raises
    ------
    PoisonError
        If it has neither rcid nor pid, lies before 2017, or its number does not fit 64 bits.
    """
    rcid = _rcid(record)
    if rcid is None:
        raise PoisonError("an upper limit with neither rcid nor pid")
    number = upper_limit_id(record["jd"], rcid, record["diffmaglim"])
    if not -_LARGEST_ID <= number < 0:
        raise PoisonError("an upper limit whose number does not fit: wrong jd, rcid or diffmaglim")
    return number


def finite(value: Any) -> Any:
    """Return a decoded value with None for every NaN and infinity in it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        # Most values are finite numbers: they are passed without a call.
        return {
            name: inner if isinstance(inner, float) and math.isfinite(inner) else finite(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return value


def _rcid(record: Mapping[str, Any]) -> int | None:
    rcid: int | None = record.get("rcid")
    pid: int | None = record.get("pid")
    return rcid if rcid is not None or pid is None else pid % 10000 // 100


def tags_of(programid: int, fid: int) -> tuple[str, ...]:
    """Return the tags of a point of this programme and filter."""
    return tuple(sorted(("ZTF", *_RIGHTS.get(programid, ()), *_BANDS.get(fid, ()))))


def _tags(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tags_of(record["programid"], record["fid"])


def _detection(record: Mapping[str, Any], *, full: bool) -> Point:
    candid = record["candid"]
    if not 0 < candid <= _LARGEST_ID:
        raise PoisonError("a candid that is not between 1 and 2^63 - 1")
    body = finite({name: value for name, value in record.items() if name not in UNSTORED})
    return Point(candid, record["jd"], _rcid(record), record["programid"], _tags(record), body, full)


def _limit(record: Mapping[str, Any]) -> Point:
    rcid = _rcid(record)
    body = {
        "jd": record["jd"],
        "diffmaglim": record["diffmaglim"],
        "rcid": rcid,
        "fid": record["fid"],
        "programid": record["programid"],
    }
    return Point(limit_id(record), record["jd"], rcid, record["programid"], _tags(record), body, full=False)
