"""Tickets in MongoDB: documents of ``t2`` that wait to be measured, and who may say what came of it.

A lease is an owner, a token and an end by the server's clock. Whoever claims tickets writes its token into them; a
result is taken only while that token is there and the lease has not ended, so that of all who may have measured
a ticket exactly one is heard.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateMany, WriteConcern

from ampeld.flow.codes import NEW, RUNNING, WAITING
from ampeld.store.connection import Connection
from ampeld.store.documents import FeatureChange, FeatureKey
from ampeld.store.errors import storable, storing, translated
from ampeld.store.features_merge import OF_TICKETS, result_update, with_entries
from ampeld.store.packed import PackedPoint, read_points

Document = dict[str, Any]
Token = ObjectId
Expression = Any

_IS_DUE: Final = {"$expr": {"$lte": ["$retry_after", "$$NOW"]}}
"""A ticket without that field is due: what is missing comes before every time."""
_IS_HELD: Final = {"$expr": {"$gt": ["$lease.expires", "$$NOW"]}}
_IS_LET_GO: Final = {"$expr": {"$lte": ["$lease.expires", "$$NOW"]}}
_BY_ID: Final = "_id_"
"""Named, because a filter of more than the identity would be planned for each document."""
_AT_ONCE: Final = 100_000
"""Documents of one answer, which the server ends at 16 MiB: at first it would send a hundred and wait to be asked."""
_MOST_BYTES: Final = 8 << 20
"""Of results in one command, which may have 16 MiB."""
_GIVEN_BACK: Final[list[dict[str, Any]]] = [{"$set": {"code": {"$ifNull": ["$lease.code", NEW]}}}, {"$unset": "lease"}]
_TICKET: Final = {"stock": 1, "col": 1, "unit": 1, "config": 1, "link": 1, "channel": 1, "tag": 1, "jd": 1} | {
    "due": 1,
    "trials": 1,
    "waits": 1,
    "lease.code": 1,
}


class Group(msgspec.Struct, frozen=True):
    """Tickets that are served in turn with those of other groups."""

    unit: str
    config: int
    channel: str


class Ticket(msgspec.Struct, frozen=True):
    """A document that is to be measured, claimed."""

    id: str
    key: FeatureKey
    channel: tuple[str, ...]
    tag: tuple[str, ...]
    jd: float
    """Of the newest alert that asked."""
    code: int
    """Which it had before it was claimed."""
    due: int
    """How many of the points had their full body when it was last asked for."""
    trials: int
    """How often it has overrun, or ended its process."""
    waits: int
    """How often what it builds upon was not there."""


class Postponed(msgspec.Struct, frozen=True):
    """A ticket that waits again."""

    code: int
    retry_s: float
    """For how long at least."""
    trials: int
    waits: int
    meta: Mapping[str, Any] | None = None
    """An entry of provenance, where there is something to say."""


class Ending(msgspec.Struct, frozen=True):
    """What becomes of a claimed ticket."""

    id: str
    key: FeatureKey
    what: FeatureChange | Postponed


class Tickets:
    """The tickets of one database.

    Parameters
    ----------
    connection : Connection
        The database.
    owner : str
        Whose name the leases bear.
    """

    def __init__(self, connection: Connection, owner: str) -> None:
        self._features = connection["t2"]
        # A claim that is lost with its server was never made: the result finds no token.
        self._claims = self._features.with_options(write_concern=WriteConcern(w=1))
        self._states = connection["t1"]
        self._points = connection["t0"]
        self._owner = owner

    async def waiting(self, groups: Sequence[Group], most: int) -> list[list[str]]:
        """Return, for each of at least one group, the ids of its tickets that are due, newest alerts first."""
        first, *others = [_waiting(group, number, most) for number, group in enumerate(groups)]
        union = [{"$unionWith": {"coll": self._features.name, "pipeline": other}} for other in others]
        found: list[list[str]] = [[] for _ in groups]
        with translated():
            async for document in self._features.aggregate([*first, *union], batchSize=_AT_ONCE):
                found[document["group"]].append(document["_id"])
        return found

    async def claim(self, token: Token, ids: Sequence[str], lease_s: float) -> list[Ticket]:
        """Claim tickets by a new token; return those that nobody else had claimed before."""
        lease = {
            "owner": self._owner,
            "token": token,
            "expires": {"$add": ["$$NOW", int(lease_s * 1000)]},
            "code": "$code",
        }
        mine = {"_id": {"$in": list(ids)}}
        with translated():
            await self._claims.update_many(
                mine | {"code": {"$in": list(WAITING)}}, [{"$set": {"code": RUNNING, "lease": lease}}]
            )
            found = await self._features.find(mine | {"lease.token": token}, _TICKET, batch_size=_AT_ONCE).to_list(None)
        return [_ticket(document) for document in found]

    async def renew(self, token: Token, ids: Sequence[str], lease_s: float) -> None:
        """Let the leases of those of these tickets that have not ended last from now on."""
        mine = {"_id": {"$in": list(ids)}, "lease.token": token, **_IS_HELD}
        expires = {"$add": ["$$NOW", int(lease_s * 1000)]}
        with translated():
            await self._features.update_many(mine, [{"$set": {"lease.expires": expires}}])

    async def finish(self, token: Token, endings: Sequence[Ending]) -> int:
        """Write what became of tickets; return of how many it was refused, because the lease had ended.

        Raises
        ------
        UnstorableError
            If BSON cannot hold a body; it names the document.
        """
        # Most are first results: put into tickets that have nothing yet they cost a fourth of a merge.
        first = 0
        for some in _portions([ending for ending in endings if isinstance(ending.what, FeatureChange)]):
            first += await self._put(token, some)
        if first == len(endings):
            return 0
        return len(endings) - first - await self._merge(token, endings)

    async def _put(self, token: Token, results: Mapping[str, RawBSONDocument]) -> int:
        """Put results where there are none; return how many. All by one update: each of its own is planned anew."""
        empty = {"body": [], "full": {"$exists": False}}
        held = {"_id": {"$in": list(results)}, "lease.token": token, **_IS_HELD}
        with translated():
            done = await self._features.update_many(held | empty, _put_update(results), hint=_BY_ID)
        return int(done.matched_count)

    async def _merge(self, token: Token, endings: Sequence[Ending]) -> int:
        """Bring in what is held by the token; return how many that are.

        Each update is of one document, and yet of many by its word: for those of one the server keeps a record, so that
        the driver can repeat them, which costs as much as the update. Here the lease says what was written.
        """
        updates = [UpdateMany(_held(one, token), _ending_update(one.what), hint=_BY_ID) for one in endings]
        bodies = [{"_id": one.id, "body": one.what.body} for one in endings if isinstance(one.what, FeatureChange)]
        with storing(bodies):
            done = await self._features.bulk_write(updates, ordered=False)
        return int(done.matched_count)

    async def give_back(self, token: Token, ids: Sequence[str]) -> None:
        """Let tickets wait as they did before they were claimed."""
        with translated():
            await self._features.update_many({"_id": {"$in": list(ids)}, "lease.token": token}, _GIVEN_BACK)

    async def free_expired(self, units: Sequence[tuple[str, int]]) -> int:
        """Let tickets of these units wait again whose lease has ended, whoever had it; return how many."""
        if not units:
            return 0
        with translated():
            done = await self._features.update_many({**_of(units), "code": RUNNING, **_IS_LET_GO}, _GIVEN_BACK)
        return int(done.modified_count)

    async def find_states(self, states: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], Sequence[int]]:
        """Return the ids of the points of states, each given by stock and link."""
        wanted = {"stock": {"$in": list({s for s, _ in states})}, "link": {"$in": list({link for _, link in states})}}
        with translated():
            found = await self._states.find(wanted, {"stock": 1, "link": 1, "dps": 1}, batch_size=_AT_ONCE).to_list(
                None
            )
        # Plain numbers: the driver's own kind would be made plain for each message once more.
        return {(document["stock"], document["link"]): tuple(map(int, document["dps"])) for document in found}

    async def find_points(self, stocks: Sequence[int], fields: Sequence[str] | None) -> Mapping[int, PackedPoint]:
        """Return all points of objects, with these fields of their bodies (None: all), and without tags.

        By objects it costs half of what it does by points.
        """
        bodies = {"body": 1} if fields is None else {f"body.{name}": 1 for name in fields}
        with translated():
            found = self._points.find_raw_batches(
                {"stock": {"$in": list(stocks)}}, {"first.offset": 1, **bodies}, batch_size=_AT_ONCE
            )
            batches = [batch async for batch in found]
        return read_points(batches)

    async def is_any_due(self, units: Sequence[tuple[str, int]], *, within_s: float) -> bool:
        """Tell whether a ticket of these units (name and configuration) is due, or its lease has ended, by then."""
        if not units:
            return False
        then = {"$add": ["$$NOW", int(within_s * 1000)]}
        ways = [
            {"code": {"$in": list(WAITING)}, "$expr": {"$lte": ["$retry_after", then]}},
            {"code": RUNNING, "$expr": {"$lte": ["$lease.expires", then]}},
        ]
        with translated():
            found = await self._features.find_one({"$and": [_of(units), {"$or": ways}]}, {"_id": 1})
        return found is not None

    async def lengths(self) -> Mapping[str, tuple[int, float | None]]:
        """Return by unit how many tickets wait or are measured, and since when the oldest does [s since the epoch]."""
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"code": {"$in": [*WAITING, RUNNING]}}},
            {"$group": {"_id": "$unit", "n": {"$sum": 1}, "since": {"$min": {"$last": "$meta.ts"}}}},
        ]
        with translated():
            found = await self._features.aggregate(pipeline, hint="queue").to_list(None)
        return {document["_id"]: (document["n"], document["since"]) for document in found}


def new_token() -> Token:
    """Return a token that nobody else has."""
    return ObjectId()


def _of(units: Sequence[tuple[str, int]]) -> Document:
    return {"$or": [{"unit": unit, "config": config} for unit, config in units]}


def _waiting(group: Group, number: int, most: int) -> list[Document]:
    wanted = {"unit": group.unit, "config": group.config, "channel": group.channel, "code": {"$in": list(WAITING)}}
    return [
        {"$match": wanted | _IS_DUE},
        {"$sort": {"jd": -1}},
        {"$limit": most},
        {"$project": {"_id": 1, "group": {"$literal": number}}},
    ]


def _ticket(document: Mapping[str, Any]) -> Ticket:
    # Plain numbers, as in `Tickets.find_states`.
    stock, config, link = int(document["stock"]), int(document["config"]), int(document["link"])
    return Ticket(
        id=document["_id"],
        key=FeatureKey(stock, document["col"], document["unit"], config, link),
        channel=tuple(document["channel"]),
        tag=tuple(document["tag"]),
        jd=document["jd"],
        code=document["lease"]["code"],
        due=document.get("due") or 0,
        trials=document.get("trials") or 0,
        waits=document.get("waits") or 0,
    )


def _held(ending: Ending, token: Token) -> Document:
    return {"_id": ending.id, "lease.token": token, **_IS_HELD}


def _portions(results: Sequence[Ending]) -> Iterator[dict[str, RawBSONDocument]]:
    """Yield results by the ids of their tickets, as many at once as one command may bear.

    Raises
    ------
    UnstorableError
        If BSON cannot hold one; it names the document.
    """
    portion: dict[str, RawBSONDocument] = {}
    size = 0
    for ending in results:
        change = ending.what
        assert isinstance(change, FeatureChange)
        result = {
            "code": change.code,
            "full": change.full,
            "body": [] if change.body is None else [change.body],
            "meta": [] if change.meta is None else [change.meta],
        }
        data = storable(ending.id, result)
        if portion and size + len(data) > _MOST_BYTES:
            yield portion
            portion, size = {}, 0
        portion[ending.id] = RawBSONDocument(data)
        size += len(data)
    if portion:
        yield portion


def _put_update(results: Mapping[str, RawBSONDocument]) -> list[Document]:
    """Return the update that puts each result into its ticket, and does what `result_update` does to an empty one."""
    place = {"$indexOfArray": [{"$literal": list(results)}, "$_id"]}
    return [
        {"$set": {"result": {"$arrayElemAt": [{"$literal": list(results.values())}, place]}}},
        {
            "$set": {
                "code": {"$cond": [{"$gt": ["$due", "$result.full"]}, NEW, "$result.code"]},
                "full": "$result.full",
                "body": "$result.body",
                "meta": with_entries("$result.meta"),
            }
        },
        {"$unset": ["result", *OF_TICKETS]},
    ]


def _ending_update(what: FeatureChange | Postponed) -> list[Document]:
    if isinstance(what, FeatureChange):
        return result_update(what, leased=True)
    fields: dict[str, Expression] = {
        "code": what.code,
        "trials": what.trials,
        "waits": what.waits,
        "retry_after": {"$add": ["$$NOW", int(what.retry_s * 1000)]},
    }
    if what.meta is not None:
        fields["meta"] = with_entries([{"$literal": dict(what.meta)}])
    return [{"$set": fields}, {"$unset": "lease"}]
