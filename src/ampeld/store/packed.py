"""Points as they leave the store for another process: their bodies packed, so that nobody between reads them."""

from collections.abc import Iterable

import bson
import msgspec

from ampeld.flow.plain import plain
from ampeld.store.documents import StoredBody
from ampeld.store.encode import jd_of, time_of

Row = tuple[int, bool, float | None, float | None, bytes]
"""A point: its number; whether an alert has brought it as its own; ``jd``; ``midpointMjdTai``; body as MessagePack."""

_encoder = msgspec.msgpack.Encoder(enc_hook=plain)


class PackedPoint(msgspec.Struct, frozen=True, gc=False):
    """What is measured of a stored point."""

    jd: float
    """[JD, UTC]; `ampeld.store.encode.TIMELESS` for an object's record."""
    full: bool
    """Whether the body is that of an alert's own point."""
    body: bytes
    """As MessagePack."""
    tag: tuple[str, ...] = ()


def pack_point(held: StoredBody) -> PackedPoint:
    """Return a point whose body is known."""
    return PackedPoint(jd_of(held.body), held.full, _encoder.encode(held.body), held.tag)


def read_points(batches: Iterable[bytes]) -> dict[int, PackedPoint]:
    """Return points by their numbers.

    Parameters
    ----------
    batches
        Answers of the server: documents of ``t0`` with ``_id``, ``body``, and ``first`` where they have it, in BSON.
    """
    return {
        number: PackedPoint(time_of(jd, mjd_tai), full, body)
        for batch in batches
        for number, full, jd, mjd_tai, body in _rows(batch)
    }


def rows_by_driver(batch: bytes) -> list[Row]:
    """Return the points of one answer, each made of Python values before it is packed."""
    rows = []
    for document in bson.decode_all(batch):
        body = document.get("body", {})
        times = body.get("jd"), body.get("midpointMjdTai")
        rows.append((document["_id"], "first" in document, *times, _encoder.encode(body)))
    return rows


try:
    from ampeld.store.repacking import repack
except ImportError:  # the kernel is not there, as `ampeld.alert.decode` says
    repack = rows_by_driver


def _rows(batch: bytes) -> list[Row]:
    try:
        return repack(batch)
    except ValueError:  # of a kind that alerts do not have
        return rows_by_driver(batch)
