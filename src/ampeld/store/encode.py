"""Documents as MongoDB holds them: from and to the typed values, with AMPEL's field names."""

from collections.abc import Mapping, Sequence
from typing import Any

from ampeld.alert.point import TIMELESS, KnownPoint
from ampeld.alert.survey import LSST, PUBLIC
from ampeld.flow.record import Coordinates
from ampeld.store.documents import (
    ObjectDocument,
    ObjectState,
    PointChange,
    PointDocument,
    StateChange,
    StoredPoint,
)

META_KEPT = 20
"""Entries of provenance that a point or a state keeps, the newest by jd."""

POINT_FIELDS = {"stock": 1, "channel": 1, "since": 1, "first": 1} | {
    f"body.{name}": 1 for name in ("jd", "midpointMjdTai", "rcid", "pid", "programid")
}
"""What `decode_point` needs of a point's document."""


def encode_point(point: PointDocument) -> dict[str, Any]:
    """Return the document of a new point."""
    document: dict[str, Any] = {
        "_id": point.id,
        "id": point.id,
        "stock": [point.stock],
        "channel": list(point.channel),
        "tag": list(point.tag),
        "body": point.body,
        "since": {str(point.stock): point.since},
        "meta": newest([point.meta]),
    }
    if point.first is not None:
        document["first"] = point.first
    return document


def change_of(point: PointDocument) -> PointChange:
    """Return what a new point adds to the one that turned out to exist: only a full body replaces a body."""
    return PointChange(
        id=point.id,
        stock=point.stock,
        channel=point.channel,
        since=point.since,
        body=point.body if point.first is not None else None,
        first=point.first,
        tag=point.tag,
        meta=point.meta,
    )


def decode_point(document: Mapping[str, Any], stock: int) -> StoredPoint:
    """Return a point of one object from its document, which may lack all but `POINT_FIELDS`."""
    body = document["body"]
    known = KnownPoint(
        id=document["_id"],
        jd=jd_of(body),
        rcid=rcid_of(body),
        programid=body.get("programid", PUBLIC),
        since=document["since"][str(stock)],
    )
    return StoredPoint(known, frozenset(document["channel"]), decode_first(document))


def jd_of(body: Mapping[str, Any]) -> float:
    """Return when a point was measured [JD, UTC], from ZTF's or LSST's time; `TIMELESS` for an object's record."""
    return time_of(body.get("jd"), body.get("midpointMjdTai"))


def time_of(jd: float | None, mjd_tai: float | None) -> float:
    """Return when a point was measured [JD, UTC], of its times the one that it has; `TIMELESS` where it has none."""
    if jd is None and mjd_tai is not None:
        jd = LSST.jd_of(mjd_tai)
    return TIMELESS if jd is None else jd


def rcid_of(body: Mapping[str, Any]) -> int | None:
    """Return the readout channel of a point; the processing identifier contains it where the field is missing."""
    rcid: int | None = body.get("rcid")
    pid: int | None = body.get("pid")
    return (pid % 10000) // 100 if rcid is None and pid is not None else rcid


def decode_first(document: Mapping[str, Any]) -> Coordinates | None:
    """Return the coordinates that first brought a point as ``candidate``."""
    first = document.get("first")
    return None if first is None else Coordinates(first["topic"], first["partition"], first["offset"])


def encode_object(document: ObjectDocument) -> dict[str, Any]:
    """Return the ``stock`` document of an object."""
    return {
        "_id": document.id,
        "name": list(document.name),
        "tag": list(document.tag),
        "channel": list(document.channel),
        "state": {
            channel: {"link": state.link, "alert": state.alert, "jd": state.jd}
            | ({} if state.group is None else {"group": state.group})
            for channel, state in document.state.items()
        },
        "known": dict(document.known),
        "ts": {channel: dict(times) for channel, times in document.ts.items()},
        "journal": [dict(entry) for entry in document.journal],
        "rev": document.rev,
    }


def decode_object(document: Mapping[str, Any]) -> ObjectDocument:
    """Return an object from its ``stock`` document."""
    return ObjectDocument(
        id=document["_id"],
        name=tuple(document["name"]),
        tag=tuple(document["tag"]),
        channel=tuple(document["channel"]),
        state={
            channel: ObjectState(state["link"], state["alert"], state["jd"], state.get("group"))
            for channel, state in document["state"].items()
        },
        known=document["known"],
        ts=document["ts"],
        journal=tuple(document["journal"]),
        rev=document["rev"],
    )


def encode_state(change: StateChange) -> dict[str, Any]:
    """Return the ``t1`` document of a new state."""
    return {
        "stock": change.stock,
        "link": change.link,
        "dps": list(change.dps),
        "channel": list(change.channel),
        "tag": list(change.tag),
        "code": 0,
        "meta": newest(change.meta),
    }


def newest(meta: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the provenance that is kept: the newest entries by jd, in rising order."""
    entries = [dict(entry) for entry in meta if entry]
    return sorted(entries, key=lambda entry: (entry["jd"], entry["alert"], entry["channel"]))[-META_KEPT:]
