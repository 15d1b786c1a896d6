"""New points as BSON, assembled from bytes: what the points of an alert share is encoded once for all of them.

A pass-all channel writes tens of points for each new object, and encoding every one from a dictionary would take most
of the time that the daemon has for an alert.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import bson
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument

from ampeld.store.documents import PointDocument
from ampeld.store.encode import encode_point
from ampeld.store.errors import UnstorableError

_INT32, _INT64 = b"\x10", b"\x12"  # the types as bson.encode chooses them
_BODY = b"\x03body\x00"
_SIZE = 4

raw_body = RawBSONDocument
"""Makes the body of a point from its BSON: a mapping that is decoded only where somebody looks into it."""


def plain_body(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a point decoded."""
    return bson.decode(body.raw) if isinstance(body, RawBSONDocument) else body


def assemble_points(points: Sequence[PointDocument]) -> list[RawBSONDocument]:
    """Return the documents of new points: those of `ampeld.store.encode.encode_point`, encoded.

    Raises
    ------
    UnstorableError
        If BSON cannot hold one; it names the point.
    """
    shared: dict[tuple[object, ...], bytes] = {}
    return [_assemble(point, shared) for point in points]


def _assemble(point: PointDocument, shared: dict[tuple[object, ...], bytes]) -> RawBSONDocument:
    # The provenance counts by identity: it is kept by the points themselves meanwhile.
    key = (id(point.meta), point.stock, point.channel, point.tag, point.since, id(point.first))
    try:
        rest = shared.get(key)
        if rest is None:
            rest = shared[key] = _rest_of(point)
        body = point.body.raw if isinstance(point.body, RawBSONDocument) else bson.encode(point.body)
        number = _number(point.id)
    except (InvalidDocument, OverflowError, UnicodeEncodeError) as error:
        raise UnstorableError(f"BSON cannot hold it ({type(error).__name__})", point.id) from error
    kind = number[:1]
    inner = b"".join((kind, b"_id\x00", number[1:], kind, b"id\x00", number[1:], rest, _BODY, body, b"\x00"))
    return RawBSONDocument(struct.pack("<i", len(inner) + _SIZE) + inner)


def _rest_of(point: PointDocument) -> bytes:
    """Return the elements of a document without its numbers and its body."""
    document: Mapping[str, Any] = encode_point(point)
    return bson.encode({name: value for name, value in document.items() if name not in {"_id", "id", "body"}})[_SIZE:-1]


def _number(value: int) -> bytes:
    """Return a number with its type before it."""
    if -(1 << 31) <= value < 1 << 31:
        return _INT32 + struct.pack("<i", value)
    try:
        return _INT64 + struct.pack("<q", value)
    except struct.error as error:
        raise OverflowError(str(value)) from error
