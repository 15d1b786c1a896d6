"""What waits to be measured, what was and what failed, by unit; what is to be measured anew, and what not at all."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ampeld.flow.codes import NEW, PENDING_DEPENDENCY, RERUN_REQUESTED, RUNNING, WAITING
from ampeld.store.connection import Connection
from ampeld.store.errors import translated
from ampeld.store.features_merge import with_entries

Document = dict[str, Any]

_LAST = {"$arrayElemAt": ["$meta", -1]}
_NO_LONGER = ("full", "due", "lease", "retry_after", "trials", "waits")
"""What a document that is reset says no more: the next result is appended, and whoever measures it now is refused."""

_UNMEASURED: Document = {
    "body.0": {"$exists": False},
    "$or": [
        {"code": {"$in": [NEW, PENDING_DEPENDENCY]}},
        {"code": RUNNING, "$expr": {"$lte": ["$lease.expires", "$$NOW"]}},
    ],
}
"""Tickets that nobody measures, or has ever measured. A lease without an end comes before every time."""


class Chosen(msgspec.Struct, frozen=True):
    """Which documents of ``t2`` are meant; None: whatever."""

    unit: str | None = None
    config: int | None = None
    channel: str | None = None
    stock: int | None = None
    code: int | None = None
    before: float | None = None
    """Measured, or asked for, before this time [s since the epoch]."""
    after: float | None = None
    """At this time or later."""

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is said."""
        return all(value is None for value in msgspec.structs.asdict(self).values())

    def query(self) -> Document:
        """Return the query of the documents that are meant."""
        given = {name: getattr(self, name) for name in ("unit", "config", "channel", "stock", "code")}
        query: Document = {name: value for name, value in given.items() if value is not None}
        when = {"$gte": self.after, "$lt": self.before}
        times = [{test: ["$$last.ts", bound]} for test, bound in when.items() if bound is not None]
        if times:
            known = {"$eq": [{"$type": "$$last.ts"}, "double"]}
            query["$expr"] = {"$let": {"vars": {"last": _LAST}, "in": {"$and": [known, *times]}}}
        return query


class Count(msgspec.Struct, frozen=True):
    """How many documents of a unit have a code."""

    unit: str
    code: int
    documents: int


class UnitStatus(msgspec.Struct, frozen=True):
    """How it stands with one unit."""

    unit: str
    codes: Mapping[int, int]
    """By code: how many documents."""
    put_off: int
    """Of those that wait: how many wait for the time of their next trial."""
    oldest: float | None
    """When the oldest of those that wait was asked for, or last tried [s since the epoch]."""
    recent: int
    """Measured within the window."""
    recent_failed: int
    """Failed within the window."""
    ms: float | None
    """Mean time of a measurement within the window [ms]."""

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return sum(self.codes.get(code, 0) for code in WAITING)

    @property
    def running(self) -> int:
        """Return how many are being measured."""
        return self.codes.get(RUNNING, 0)

    @property
    def measured(self) -> int:
        """Return how many have a result."""
        return sum(number for code, number in self.codes.items() if code >= 0)

    @property
    def failed(self) -> Mapping[int, int]:
        """Return by code how many failed for good."""
        return {code: n for code, n in self.codes.items() if code < 0 and code != RUNNING and code not in WAITING}


class FeatureQueue:
    """The collection ``t2`` as an operator sees it.

    Parameters
    ----------
    connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._features = connection["t2"]

    async def count(self, chosen: Chosen, *, unmeasured: bool = False) -> list[Count]:
        """Return how many documents are meant, by unit and code.

        Parameters
        ----------
        chosen
            Which.
        unmeasured
            Whether only those of them are that `drop` deletes.
        """
        query = _unmeasured(chosen) if unmeasured else chosen.query()
        group = {"_id": {"unit": "$unit", "code": "$code"}, "n": {"$sum": 1}}
        with translated():
            found = await self._features.aggregate([{"$match": query}, {"$group": group}]).to_list(None)
        counts = [Count(one["_id"]["unit"], one["_id"]["code"], one["n"]) for one in found]
        return sorted(counts, key=lambda one: (one.unit, -one.code))

    async def reset(self, chosen: Chosen, *, hard: bool) -> int:
        """Let documents be measured anew, and return how many.

        Parameters
        ----------
        chosen
            Which.
        hard
            Whether their bodies go: the code becomes NEW; else they stay, and the next result is appended:
            the code becomes RERUN_REQUESTED.
        """
        fields: Document = {"code": NEW, "body": []} if hard else {"code": RERUN_REQUESTED}
        asked = {"ts": {"$divide": [{"$toLong": "$$NOW"}, 1000]}, "code": fields["code"]}
        update: list[Document] = [{"$set": fields | {"meta": with_entries([asked])}}, {"$unset": list(_NO_LONGER)}]
        with translated():
            done = await self._features.update_many(chosen.query(), update)
        return int(done.matched_count)

    async def drop(self, chosen: Chosen) -> int:
        """Delete tickets that wait and were never measured, and return how many.

        What has a body, has failed, or is being measured under a lease that lasts is left as it is.
        """
        with translated():
            done = await self._features.delete_many(_unmeasured(chosen))
        return int(done.deleted_count)

    async def status(self, *, now: float, window_s: float) -> list[UnitStatus]:
        """Return how it stands with every unit, by name.

        Parameters
        ----------
        now
            [s since the epoch].
        window_s
            What counts as recent [s].
        """
        is_recent: Document = {"$gte": ["$last.ts", now - window_s]}
        is_done = {"$not": [{"$in": ["$code", [*WAITING, RUNNING]]}]}
        group = {
            "_id": {"unit": "$unit", "code": "$code"},
            "n": {"$sum": 1},
            "put_off": {"$sum": {"$cond": [{"$gt": ["$retry_after", "$$NOW"]}, 1, 0]}},
            "oldest": {"$min": "$last.ts"},
            "recent": {"$sum": {"$cond": [{"$and": [is_recent, is_done]}, 1, 0]}},
            "ms": {"$sum": {"$cond": [{"$and": [is_recent, is_done]}, {"$ifNull": ["$last.ms", 0]}, 0]}},
        }
        kept = {"unit": 1, "code": 1, "retry_after": 1, "last": _LAST}
        with translated():
            found = await self._features.aggregate([{"$project": kept}, {"$group": group}]).to_list(None)
        units: dict[str, list[Document]] = {}
        for one in found:
            units.setdefault(one["_id"]["unit"], []).append(one)
        return [_status(unit, units[unit]) for unit in sorted(units)]


def _unmeasured(chosen: Chosen) -> Document:
    return {"$and": [chosen.query(), _UNMEASURED]}


def _status(unit: str, groups: list[Document]) -> UnitStatus:
    waiting = [one for one in groups if one["_id"]["code"] in WAITING]
    recent = sum(one["recent"] for one in groups)
    return UnitStatus(
        unit=unit,
        codes={one["_id"]["code"]: one["n"] for one in groups},
        put_off=sum(one["put_off"] for one in waiting),
        oldest=min((one["oldest"] for one in waiting if one["oldest"] is not None), default=None),
        recent=recent,
        recent_failed=sum(one["recent"] for one in groups if one["_id"]["code"] < 0),
        ms=sum(one["ms"] for one in groups) / recent if recent else None,
    )
