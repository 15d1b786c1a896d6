"""One measurement or upper limit, as alerts carry it: the unit of stored data."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

TIMELESS: Final = float("-inf")
"""The jd of what is stored beside the measurements and has no time of its own: an object's record."""


class Point(msgspec.Struct, frozen=True):
    """A point with its identity.

    ``id`` is, for ZTF, the candid of a detection (> 0) or the number computed for an upper limit (< 0);
    for LSST the hash of the body. ``rcid`` is None where the survey numbers no quadrants.
    ``full`` says that it is the alert's own point; its body always replaces one from a history.
    """

    id: int
    jd: float
    rcid: int | None
    programid: int
    tag: tuple[str, ...]
    body: Mapping[str, Any]
    full: bool


class Head(msgspec.Struct, frozen=True):
    """A point without its body: what must be known of it before anything is decoded.

    ``index`` is what the table that it comes from asks for its body by; the rest is that of `Point`.
    """

    id: int
    jd: float
    rcid: int | None
    programid: int
    tag: tuple[str, ...]
    full: bool
    index: int


class KnownPoint(msgspec.Struct, frozen=True):
    """What the union of an object's history needs to know of a point.

    ``since`` is the lowest jd of the accepted alerts of this object that carried the point.
    """

    id: int
    jd: float
    rcid: int | None
    programid: int
    since: float
