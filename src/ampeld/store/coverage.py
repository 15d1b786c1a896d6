"""What is known of partitions beside their alerts: how far blocks reach, where reading began, and what was lost."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from ampeld.store.connection import Connection
from ampeld.store.documents import Begun
from ampeld.store.errors import duplicates, storing, translated

Document = dict[str, Any]


class Coverage:
    """The collections ``begun`` and ``gaps``, and the ends of verdict blocks.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def covered_to(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset after the last one in any verdict block of this group, or None if there is none."""
        end: int | None = None
        with translated():
            # The index hands out the highest end first; asking again makes the answer independent of that.
            while True:
                part = {"topic": topic, "partition": partition, "end": {"$gt": -1 if end is None else end}}
                block = await self._connection["verdict_blocks"].find_one(
                    {"group": group, "parts": {"$elemMatch": part}}, {"parts": 1}, hint="position"
                )
                if block is None:
                    return end
                end = max(
                    found["end"]
                    for found in block["parts"]
                    if (found["topic"], found["partition"]) == (topic, partition)
                )

    async def record_begun(self, group: str, begun: Sequence[Begun]) -> None:
        """Keep where partitions were begun, and where files ended, for as long as verdict blocks are kept."""
        updates = []
        for place in begun:
            identity = f"{group}/{place.topic}/{place.partition}"
            fields = {"group": group, "topic": place.topic, "partition": place.partition, "at": datetime.now(UTC)}
            update: Document = {"$setOnInsert": fields, "$min": {"first": place.first}}
            if place.end is not None:
                update["$max"] = {"end": place.end}
            updates.append(UpdateOne({"_id": identity}, update, upsert=True))
        await upsert(self._connection, "begun", updates)

    async def record_gap(self, gap: Mapping[str, Any]) -> None:
        """Keep the news that offsets were lost before they were read.

        Parameters
        ----------
        gap
            ``topic``, ``partition``, ``first`` and ``end`` (the offset after the last one lost), and what else is
            known of it. ``kind`` ``"undelivered"`` marks offsets that the broker never delivers: nothing was lost.
        """
        rest = {key: value for key, value in gap.items() if key != "end"}
        update = {"$setOnInsert": rest | {"detected_at": datetime.now(UTC)}, "$max": {"end": gap["end"]}}
        identity = f"{gap['topic']}/{gap['partition']}/{gap['first']}"
        await upsert(self._connection, "gaps", [UpdateOne({"_id": identity}, update, upsert=True)])


async def upsert(connection: Connection, collection: str, operations: Sequence[UpdateOne]) -> None:
    """Run upserts; one that lost the race to insert has nothing left to say."""
    if operations:
        with storing():
            try:
                await connection[collection].bulk_write(operations, ordered=False)
            except BulkWriteError as error:
                duplicates(error)
