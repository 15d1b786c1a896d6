"""Which channels are suspended, so that every daemon passes them over, and from when on alerts are owed to them."""

from datetime import datetime
from typing import Any

import msgspec
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from ampeld.store.connection import Connection
from ampeld.store.errors import storing, translated


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that is, or was, passed over."""

    channel: str
    suspended: bool
    version: str
    """The version that spent its error budget."""
    since: datetime
    reason: str
    contact: str
    run: str
    by: str
    """The daemon that suspended it."""
    owed: datetime | None = None
    """From when on it was passed over without having been replayed."""
    resumed: datetime | None = None
    resumed_by: str | None = None


class Suspensions:
    """The collection ``suspensions``: one document for each channel that ever was suspended.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._documents = connection["suspensions"]

    async def suspend(self, suspension: Suspension) -> None:
        """Suspend a channel; where another daemon was first, its word stands."""
        said = msgspec.to_builtins(suspension, builtin_types=(datetime,))
        changes = {key: value for key, value in said.items() if key not in {"channel", "owed"}} | {"suspended": True}
        update = {"$set": changes, "$min": {"owed": suspension.since}}
        with storing([said]):
            try:
                await self._documents.update_one(
                    {"_id": suspension.channel, "suspended": {"$ne": True}}, update, upsert=True
                )
            except DuplicateKeyError:
                return

    async def resume(self, channel: str, *, when: datetime, by: str) -> Suspension | None:
        """Let a suspended channel go on; return what its suspension was, None if it is not suspended."""
        update = {"$set": {"suspended": False, "resumed": when, "resumed_by": by}}
        with storing():
            document = await self._documents.find_one_and_update(
                {"_id": channel, "suspended": True}, update, return_document=ReturnDocument.AFTER
            )
        return None if document is None else _suspension(document)

    async def settle(self, suspension: Suspension) -> bool:
        """Note that what was owed to a channel has been judged, unless it was suspended anew meanwhile."""
        with storing():
            done = await self._documents.update_one(
                {"_id": suspension.channel, "suspended": False, "since": suspension.since}, {"$unset": {"owed": 1}}
            )
        return bool(done.matched_count)

    async def get(self, channel: str) -> Suspension | None:
        """Return what is known of a channel; None if it never was suspended."""
        with translated():
            document = await self._documents.find_one({"_id": channel})
        return None if document is None else _suspension(document)

    async def suspended(self) -> dict[str, Suspension]:
        """Return the channels that are suspended now, by name."""
        with translated():
            documents = await self._documents.find({"suspended": True}).to_list(None)
        return {document["_id"]: _suspension(document) for document in documents}


def _suspension(document: dict[str, Any]) -> Suspension:
    return msgspec.convert(document | {"channel": document["_id"]}, Suspension)
