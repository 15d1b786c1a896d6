"""The updates that merge results and tickets into ``t2`` documents that exist, whoever comes first.

``full`` is how many of the points had their full body when a result was measured. It only grows: a result with a
larger one replaces the newest body, one with a smaller or equal one changes nothing, and where there is none (a ticket
that was never measured, a document that was reset) the result is appended. Everything is decided by the update itself,
because two daemons may write at once.
"""

from collections.abc import Mapping
from typing import Any

from ampeld.flow.codes import NEW, RUNNING, WAITING
from ampeld.store.documents import FeatureChange
from ampeld.store.encode import META_KEPT
from ampeld.store.merge import union

Expression = Any
Update = list[dict[str, Any]]

_NEVER = -1
_FULL = {"$ifNull": ["$full", _NEVER]}
_DUE = {"$ifNull": ["$due", _NEVER]}
_BODY: Expression = {"$ifNull": ["$body", []]}
_IS_WAITING = {"$in": ["$code", list(WAITING)]}
_IS_RUNNING = {"$eq": ["$code", RUNNING]}
_IS_DONE = {"$not": [{"$in": ["$code", [*WAITING, RUNNING]]}]}
_FAILED = {"$and": [_IS_DONE, {"$lt": ["$code", 0]}]}
_GONE = "$$REMOVE"
OF_TICKETS = ("lease", "retry_after", "trials", "waits")
"""The fields of a document only while it is a ticket."""


def feature_update(change: FeatureChange) -> Update:
    """Return the update that applies a change to a document that exists."""
    if change.code is None:
        return [{"$set": _askers(change)}]
    if change.code in WAITING:
        return _ticket_update(change)
    return result_update(change)


def result_update(change: FeatureChange, *, leased: bool = False) -> Update:
    """Return the update that puts a result into a document.

    Parameters
    ----------
    change
        A result.
    leased
        Whether the writer holds the lease of the ticket, by which it has to filter: then the lease ends here whatever
        the result is worth, and the ticket waits again if meanwhile fuller bodies were asked for than it has seen.
    """
    grows = {"$gt": [change.full, _FULL]}
    overtaken = {"$gt": [_DUE, change.full]}
    still = {"$and": [overtaken, {"$or": [_IS_WAITING, _IS_RUNNING]}]}
    fields: dict[str, Expression] = {
        **_askers(change),
        "full": _if(grows, change.full, "$full"),
        "meta": _if(grows, _with_entry(change.meta), "$meta"),
    }
    if change.body is not None:
        fields["body"] = _if(grows, _with_body(change.body), _BODY)
    if leased:
        fields["code"] = _if(overtaken, NEW, change.code)
        ends: Expression = True
    else:
        ends = {"$and": [grows, {"$not": [still]}]}
        fields["code"] = _if(ends, change.code, "$code")
    return [{"$set": fields | {name: _if(ends, _GONE, f"${name}") for name in OF_TICKETS}}]


def _ticket_update(change: FeatureChange) -> Update:
    """Return the update that asks for a measurement.

    What waits is asked for once, for the newest alert. What is being measured from bodies that may be older than those
    asked for is given up, so that its result is refused. What was measured from fewer full bodies waits again.
    """
    more = {"$gt": [change.full, _DUE]}
    behind = {"$and": [_IS_DONE, {"$gt": [change.full, _FULL]}]}
    older = {"$and": [_IS_RUNNING, more]}
    opens = {"$or": [behind, older]}
    waits = {"$or": [opens, _IS_WAITING, _IS_RUNNING]}
    fields: dict[str, Expression] = {
        **_askers(change),
        "code": _if(opens, change.code, "$code"),
        "due": _if({"$and": [waits, more]}, change.full, "$due"),
        "jd": _if({"$and": [waits, {"$gt": [change.jd, "$jd"]}]}, change.jd, "$jd"),
        # What failed has no body that the next could replace.
        "full": _if({"$and": [behind, _FAILED]}, _GONE, "$full"),
        "meta": _if(opens, _with_entry(change.meta), "$meta"),
    }
    return [{"$set": fields | {name: _if(opens, _GONE, f"${name}") for name in OF_TICKETS}}]


def _askers(change: FeatureChange) -> dict[str, Expression]:
    return {"channel": union("channel", change.channel), "tag": union("tag", change.tag)}


def _if(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    return {"$cond": [condition, then, otherwise]}


def _with_body(body: Mapping[str, Any]) -> Expression:
    """Return the bodies with this one: in the place of the newest, unless that was measured for itself."""
    keeps = {"$or": [{"$eq": [_FULL, _NEVER]}, _FAILED, {"$lt": [{"$size": _BODY}, 1]}]}
    rest = _if({"$gt": [{"$size": _BODY}, 1]}, {"$slice": [_BODY, {"$subtract": [{"$size": _BODY}, 1]}]}, [])
    return {"$concatArrays": [_if(keeps, _BODY, rest), [{"$literal": dict(body)}]]}


def _with_entry(entry: Mapping[str, Any] | None) -> Expression:
    return with_entries([] if entry is None else [{"$literal": dict(entry)}])


def with_entries(entries: Expression) -> Expression:
    """Return a document's entries of provenance with these behind them: the newest that there is room for."""
    return {"$slice": [{"$concatArrays": [{"$ifNull": ["$meta", []]}, entries]}, -META_KEPT]}
