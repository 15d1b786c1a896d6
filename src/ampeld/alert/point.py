"""One measurement or upper limit, as alerts carry it: the unit of stored data."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Point(msgspec.Struct, frozen=True):
    """A point with its identity.

    ``id`` is the candid of a detection (> 0) or the number computed for an upper limit (< 0).
    ``full`` says that the body comes from ``candidate``, which always replaces one from a history.
    """

    id: int
    jd: float
    rcid: int | None
    programid: int
    tag: tuple[str, ...]
    body: Mapping[str, Any]
    full: bool


class KnownPoint(msgspec.Struct, frozen=True):
    """What the union of an object's history needs to know of a point.

    ``since`` is the lowest jd of the accepted alerts of this object that carried the point.
    """

    id: int
    jd: float
    rcid: int | None
    programid: int
    since: float
