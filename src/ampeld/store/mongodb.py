"""The store on MongoDB: every write is majority-acknowledged, journaled, and changes nothing when repeated."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from ampeld.flow.apart import apart
from ampeld.flow.record import Coordinates
from ampeld.store.assemble import assemble_points
from ampeld.store.blocks import encode_account
from ampeld.store.connection import Connection
from ampeld.store.coverage import Coverage, upsert
from ampeld.store.documents import (
    Account,
    Begun,
    FeatureChange,
    FeatureKey,
    ObjectDocument,
    PointChange,
    PointDocument,
    StateChange,
    StoredBody,
    StoredFeature,
    StoredPoint,
)
from ampeld.store.encode import (
    POINT_FIELDS,
    change_of,
    decode_first,
    decode_object,
    decode_point,
    encode_object,
    encode_state,
)
from ampeld.store.errors import StoreUnavailableError, duplicates, storing, translated
from ampeld.store.features import Features
from ampeld.store.letters import LetterFiles, by_size, encode_failure, encode_letter, letter_update
from ampeld.store.merge import cuts_update, point_update, state_update

Document = dict[str, Any]


class MongoStore:
    """The `Store` port on MongoDB through Motor.

    Parameters
    ----------
    uri, database
        Where the documents lie.
    timeout_s : float
        After that long any operation fails with a `StoreUnavailableError`.
    app_name : str
        How the server's log names this daemon.
    dead_letter_directory : Path or None
        Where payloads go that are too large for a document.
    """

    def __init__(
        self,
        uri: str,
        database: str,
        *,
        timeout_s: float = 10.0,
        app_name: str = "ampeld",
        dead_letter_directory: Path | None = None,
    ) -> None:
        self.connection = Connection(uri, database, timeout_s=timeout_s, app_name=app_name)
        self._features = Features(self.connection)
        self._coverage = Coverage(self.connection)
        self._files = LetterFiles(dead_letter_directory)
        self._cuts: dict[str, Mapping[str, int]] = defaultdict(dict)

    async def prepare(self, *, keep_days: float | None = None) -> None:
        """Create the collections and indexes that are missing; blocks expire after ``keep_days``."""
        await self.connection.prepare(keep_days=keep_days)

    async def ping(self) -> float:
        """Return the server's clock in seconds since the epoch, once a writable primary has answered."""
        return await self.connection.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def find_objects(self, stocks: Sequence[int]) -> Mapping[int, ObjectDocument]:
        """Return the stock documents of these objects, from the primary."""
        with translated():
            found = await self.connection["stock"].find({"_id": {"$in": list(stocks)}}).to_list(None)
        marks = [document["purging"]["until"] for document in found if "purging" in document]
        # By the server's clock, as the mark was set: a clock of ours that is ahead must not end it.
        if marks and await self.ping() < max(marks):
            raise StoreUnavailableError("an object is being deleted (ampeld purge)")
        return {document["_id"]: decode_object(document) for document in found}

    async def find_known(self, stocks: Sequence[int]) -> Mapping[int, Mapping[str, float]]:
        """Return, for each of these objects that is there, by channel the lowest jd at which its filter accepted it."""
        with translated():
            found = await self.connection["stock"].find({"_id": {"$in": list(stocks)}}, {"known": 1}).to_list(None)
        return {document["_id"]: document["known"] for document in found}

    async def find_points(self, stocks: Sequence[int]) -> Mapping[int, Mapping[int, StoredPoint]]:
        """Return, for each object, its points by id, without bodies, from the primary."""
        points: dict[int, dict[int, StoredPoint]] = {stock: {} for stock in stocks}
        with translated():
            found = await self.connection["t0"].find({"stock": {"$in": list(points)}}, POINT_FIELDS).to_list(None)
        for document in found:
            for stock in points.keys() & document["stock"]:
                points[stock][document["_id"]] = decode_point(document, stock)
        return points

    async def find_first(self, points: Sequence[int]) -> Mapping[int, Coordinates]:
        """Return the coordinates that first brought each of these points as an alert's own."""
        wanted = {"_id": {"$in": list(points)}, "first": {"$exists": True}}
        with translated():
            found = await self.connection["t0"].find(wanted, {"first": 1}).to_list(None)
        firsts = {document["_id"]: decode_first(document) for document in found}
        return {point: first for point, first in firsts.items() if first is not None}

    async def write_points(self, new: Sequence[PointDocument], changed: Sequence[PointChange]) -> set[int]:
        """Insert new points and apply changes; return the new ones that existed by now: those were applied as changes.

        Raises
        ------
        UnstorableError
            If BSON cannot hold a body; it names the point.
        """
        documents = await apart(len({point.stock for point in new}), assemble_points, new)
        met = await self._insert("t0", documents)
        changes = [*(change_of(new[index]) for index in met), *changed]
        updates = [UpdateOne({"_id": change.id}, point_update(change)) for change in changes]
        await self._update("t0", updates, [{"_id": change.id, "body": change.body} for change in changes])
        return {new[index].id for index in met}

    async def swap_objects(self, objects: Sequence[tuple[int, ObjectDocument]]) -> set[int]:
        """Replace each object whose revision still is the given one (0: it does not exist yet); return those lost.

        Where two daemons swap at once, a winner that was itself replaced before it looked may count as lost:
        it reads again and finds that there is nothing left to do.
        """
        if not objects:
            return set()
        swap = ObjectId()
        documents = [encode_object(document) | {"swap": swap} for _, document in objects]
        operations: list[InsertOne[Document] | ReplaceOne[Document]] = [
            ReplaceOne({"_id": document["_id"], "rev": rev}, document) if rev else InsertOne(document)
            for (rev, _), document in zip(objects, documents, strict=True)
        ]
        with storing(documents):
            try:
                done = await self.connection["stock"].bulk_write(operations, ordered=False)
                if done.matched_count + done.inserted_count == len(operations):
                    return set()
            except BulkWriteError as error:
                duplicates(error)
            ids = [document["_id"] for document in documents]
            won = await self.connection["stock"].find({"_id": {"$in": ids}, "swap": swap}, {"_id": 1}).to_list(None)
        return set(ids) - {document["_id"] for document in won}

    async def write_states(self, states: Sequence[StateChange]) -> None:
        """Insert states that are new; add channels and provenance to those that are not."""
        met = await self._insert("t1", [encode_state(state) for state in states])
        changes = [states[index] for index in met]
        await self._update(
            "t1", [UpdateOne({"stock": state.stock, "link": state.link}, state_update(state)) for state in changes]
        )

    async def register_version(self, version: str, description: Mapping[str, Any]) -> None:
        """Say what a channel version is: name, filter, contact, access, on_known, params; its cuts stay as they are."""
        update = {
            "$set": {key: value for key, value in description.items() if key != "cuts"},
            "$setOnInsert": {"cuts": list(description.get("cuts", ())), "registered": datetime.now(UTC)},
        }
        with storing([dict(description)]):
            await self._upsert("channel_versions", [UpdateOne({"_id": version}, update, upsert=True)])

    async def cut_numbers(self, version: str, names: Sequence[str]) -> Mapping[str, int]:
        """Return the number of each cut of a channel version, the same on every daemon; new names get the next ones."""
        known = self._cuts[version]
        if known and all(name in known for name in names):
            return known
        with translated():
            cuts = await self._add_cuts(version, names)
        self._cuts[version] = {name: number for number, name in enumerate(cuts)}
        return self._cuts[version]

    async def _add_cuts(self, version: str, names: Sequence[str]) -> list[str]:
        unique = list(dict.fromkeys(names))
        while True:
            try:
                document: Document = await self.connection["channel_versions"].find_one_and_update(
                    {"_id": version}, cuts_update(unique), upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                continue  # another daemon made the document at the same moment: now it is there
            cuts: list[str] = document["cuts"]
            return cuts

    async def write_account(self, account: Account) -> None:
        """Write dead letters and channel errors, then the verdict block that tells of them."""
        now = datetime.now(UTC)
        letters = [
            encode_letter(letter, account, now, await self._files.keep(letter)) for letter in account.dead_letters
        ]
        for some in by_size(letters):
            await self._upsert("dead_letters", [letter_update(letter, account.run, now) for letter in some])
        failures = [encode_failure(failure, account, now) for failure in account.failures]
        await self._upsert(
            "channel_errors",
            [UpdateOne({"_id": failure["_id"]}, {"$setOnInsert": failure}, upsert=True) for failure in failures],
        )
        blocks = await asyncio.to_thread(encode_account, account)
        # The identity of a block is its content: a repeat only says that it is the newest again.
        await self._upsert(
            "verdict_blocks",
            [
                UpdateOne({"_id": block["_id"]}, {"$setOnInsert": block, "$max": {"written": now}}, upsert=True)
                for block in blocks
            ],
        )

    async def find_bodies(self, points: Sequence[int], fields: Sequence[str] | None) -> Mapping[int, StoredBody]:
        """Return the bodies of points, with these fields of theirs (None: all)."""
        return await self._features.find_bodies(points, fields)

    async def find_features(self, keys: Sequence[FeatureKey]) -> Mapping[FeatureKey, StoredFeature]:
        """Return those of these features that are there, measured or waiting, each with its newest body."""
        return await self._features.find_features(keys)

    async def write_features(self, changes: Sequence[FeatureChange]) -> None:
        """Insert results and tickets that are new; merge those that are not, and what is added to others."""
        await self._features.write_features(changes)

    async def covered_to(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset after the last one in any verdict block of this group, or None if there is none."""
        return await self._coverage.covered_to(group, topic, partition)

    async def record_begun(self, group: str, begun: Sequence[Begun]) -> None:
        """Keep where partitions were begun, and where files ended, for as long as verdict blocks are kept."""
        await self._coverage.record_begun(group, begun)

    async def record_gap(self, gap: Mapping[str, Any]) -> None:
        """Keep the news that offsets were lost before they were read, as `Coverage.record_gap` describes it."""
        await self._coverage.record_gap(gap)

    async def _insert(self, collection: str, documents: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert what is new and return the positions of those that exist."""
        if not documents:
            return []
        with storing(documents):
            try:
                await self.connection[collection].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                return duplicates(error)
        return []

    async def _update(
        self, collection: str, operations: Sequence[UpdateOne], documents: Sequence[Document] = ()
    ) -> None:
        if operations:
            with storing(documents):
                await self.connection[collection].bulk_write(operations, ordered=False)

    async def _upsert(self, collection: str, operations: Sequence[UpdateOne]) -> None:
        await upsert(self.connection, collection, operations)
