"""The updates that merge into a document that exists: each one atomic, repeatable and in any order.

They are aggregation pipelines, because a guard ("only if absent") and the change it guards must be one step
when two daemons write at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from ampeld.store.documents import PointChange, StateChange
from ampeld.store.encode import META_KEPT

Expression = Any


def _constant(expression: Mapping[str, Any]) -> Expression:
    """Return an expression that is encoded here and now, and not anew in each of thousands of updates."""
    return RawBSONDocument(bson.encode(expression))


def _held(field: str) -> dict[str, Any]:
    return {"$ifNull": [f"${field}", []]}


def _absent(value: Expression, held: Expression) -> dict[str, Any]:
    return {"$not": [{"$in": [value, held]}]}


_LISTS = ("stock", "channel", "tag", "cuts")
_HELD = {field: _constant(_held(field)) for field in (*_LISTS, "meta")}
_LACKED = {field: _constant(_absent("$$this", _held(field))) for field in _LISTS}
_KEYS = {"$map": {"input": _held("meta"), "as": "held", "in": {"alert": "$$held.alert", "channel": "$$held.channel"}}}
_LACKED_ENTRY = _constant(_absent({"alert": "$$this.alert", "channel": "$$this.channel"}, _KEYS))


def union(field: str, values: Sequence[Any]) -> Expression:
    """Return the list of a field with the values that it lacks appended."""
    new = {"$filter": {"input": {"$literal": list(values)}, "cond": _LACKED[field]}}
    return {"$concatArrays": [_HELD[field], new]}


def with_provenance(entries: Sequence[Mapping[str, Any]]) -> Expression:
    """Return ``meta`` with the entries whose (alert, channel) it lacks, bounded to the newest by jd."""
    new = {"$filter": {"input": {"$literal": list(entries)}, "cond": _LACKED_ENTRY}}
    # A total order: what falls off the end must not depend on the order of arrival.
    every = {"$concatArrays": [_HELD["meta"], new]}
    return {"$slice": [{"$sortArray": {"input": every, "sortBy": {"jd": 1, "alert": 1, "channel": 1}}}, -META_KEPT]}


def point_update(change: PointChange) -> list[dict[str, Any]]:
    """Return the update that applies a change to a point."""
    since = f"since.{change.stock}"
    fields: dict[str, Expression] = {
        "stock": union("stock", [change.stock]),
        "channel": union("channel", change.channel),
        "tag": union("tag", change.tag),
        since: {"$min": [f"${since}", change.since]},
    }
    if change.meta:
        fields["meta"] = with_provenance([change.meta])
    if change.body is not None:
        fields["body"] = {"$literal": change.body}
    if change.first is not None:
        fields["first"] = {"$ifNull": ["$first", {"$literal": dict(change.first)}]}
    # `$set` merges an embedded document into the one that is there: a body is replaced whole only behind `$unset`.
    stages: list[dict[str, Any]] = [{"$set": fields}]
    return [{"$unset": "body"}, *stages] if change.body is not None else stages


def state_update(change: StateChange) -> list[dict[str, Any]]:
    """Return the update that adds channels and provenance to a state."""
    fields = {"channel": union("channel", change.channel), "tag": union("tag", change.tag)}
    return [{"$set": fields | ({"meta": with_provenance(change.meta)} if change.meta else {})}]


def cuts_update(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the update that gives the names without a number the next ones."""
    return [{"$set": {"cuts": union("cuts", names)}}]
