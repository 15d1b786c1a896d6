"""Deletes objects that no channel keeps any longer, while daemons may meet them again at any moment.

An object is marked first, by compare-and-swap on its revision: from then on daemons wait for it, as for a server that
does not answer. Then its documents go, its own the last. A mark has an end: whoever lost its process in the midst of a
deletion holds nobody up for longer, and the next purge finishes what it finds marked.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from pymongo import DeleteOne, UpdateOne

from ampeld.store.connection import Connection
from ampeld.store.dossier import Document
from ampeld.store.errors import translated

MARK_S: Final = 30.0
"""For how long daemons wait for an object that is being deleted."""
SAFE_S: Final = 15.0
"""So long after a mark the last deletion may begin: a call to the server may take its time, too."""


class Expired(msgspec.Struct, frozen=True):
    """An object that may go."""

    stock: int
    name: str
    rev: int
    updated: float
    """When a channel last accepted it [s since the epoch]."""
    channel: tuple[str, ...]


class Purger:
    """Finds, marks and deletes objects.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def expired(self, before: Mapping[str, float]) -> AsyncIterator[Expired]:
        """Yield the objects that no channel keeps.

        Parameters
        ----------
        before
            By channel: what it accepted last before this time [s since the epoch] it keeps no longer. A channel that is
            not named here keeps everything.
        """
        if not before:
            return
        wanted = {"$or": [{"ts.any.upd": {"$lt": max(before.values())}}, {"purging": {"$exists": True}}]}
        fields = {"name": 1, "rev": 1, "channel": 1, "ts": 1, "purging": 1}
        with translated():
            async for found in self._connection["stock"].find(wanted, fields).sort("_id", 1):
                if "purging" in found or all(_gone(found, channel, before) for channel in found["channel"]):
                    yield Expired(
                        stock=found["_id"],
                        name=str(found["name"][0]),
                        rev=found["rev"],
                        updated=found["ts"]["any"]["upd"],
                        channel=tuple(found["channel"]),
                    )

    async def mark(self, expired: Expired, run: str, until: float) -> Document | None:
        """Mark an object and return its document as it was; None where somebody has changed it meanwhile.

        Parameters
        ----------
        expired
            The object.
        run
            Who marks it.
        until
            The server's time of now and `MARK_S` [s since the epoch].
        """
        with translated():
            found: Document | None = await self._connection["stock"].find_one_and_update(
                {"_id": expired.stock, "rev": expired.rev},
                {"$set": {"purging": {"run": run, "until": until}}, "$inc": {"rev": 1}},
            )
            if found is None:
                return None
            # So that the ledger, whose blocks may be younger, does not take the object for lost.
            gone = {"$max": {"at": datetime.fromtimestamp(until - MARK_S, UTC)}}
            await self._connection["purged"].update_one({"_id": expired.stock}, gone, upsert=True)
        found.pop("purging", None)
        return found

    async def delete(self, document: Document) -> bool:
        """Delete what belongs to a marked object, within `SAFE_S` after its mark.

        Parameters
        ----------
        document
            As it was before the mark.

        Returns
        -------
        bool
            Whether it is gone; if not, a daemon has taken it up again.
        """
        stock = document["_id"]
        with translated():
            for collection in ("t2", "t1"):
                await self._connection[collection].delete_many({"stock": stock})
            points = await self._connection["t0"].find({"stock": stock}, {"stock": 1}).to_list(None)
            shared = {"$pull": {"stock": stock}, "$unset": {f"since.{stock}": ""}}
            operations: list[DeleteOne | UpdateOne] = [
                # A point that another object has come to share meanwhile is not of this object alone any more.
                DeleteOne({"_id": point["_id"], "stock": [stock]})
                if point["stock"] == [stock]
                else UpdateOne({"_id": point["_id"]}, shared)
                for point in points
            ]
            if operations:
                await self._connection["t0"].bulk_write(operations, ordered=False)
            gone = await self._connection["stock"].delete_one({"_id": stock, "rev": document["rev"] + 1})
        return bool(gone.deleted_count)


def _gone(document: Document, channel: str, before: Mapping[str, float]) -> bool:
    if channel not in before:
        return False
    times = document["ts"].get(channel) or document["ts"]["any"]
    return bool(times["upd"] < before[channel])
