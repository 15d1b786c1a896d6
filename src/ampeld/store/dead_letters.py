"""The dead letters as the operator sees them: list, show, export, and mark what was retried."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ampeld.errors import AmpeldError
from ampeld.flow.record import Record
from ampeld.store.connection import Connection
from ampeld.store.errors import translated


class LetterMissingError(AmpeldError):
    """There is no such dead letter, or its payload's file is gone."""


class LetterSummary(msgspec.Struct, frozen=True):
    """A dead letter without its payload."""

    id: str
    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    schema: str | None
    size: int
    file: str | None
    """The file that holds a payload too large for a document."""
    first_seen: str
    last_seen: str
    attempts: int
    """By how many runs it was met."""
    version: str
    config: str
    resolved: str | None
    """How it was resolved, None while it is not."""


class DeadLetterBox:
    """Reads and marks dead letters.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._letters = connection["dead_letters"]

    async def list(
        self,
        *,
        topic: str | None = None,
        stage: str | None = None,
        unresolved: bool = False,
        limit: int = 0,
    ) -> Sequence[LetterSummary]:
        """Return dead letters by topic, partition and offset, at most ``limit`` (0: all)."""
        match: dict[str, Any] = {key: value for key, value in (("topic", topic), ("stage", stage)) if value is not None}
        if unresolved:
            match["resolved"] = None
        # Sorted by what each says of itself: the ids would put offset 10 before 9.
        order = {"topic": 1, "partition": 1, "offset": 1}
        with translated():
            found = self._letters.find(match, {"payload": 0, "headers": 0}).sort(order).limit(limit)
            return [_summary(document) for document in await found.to_list(None)]

    async def get(self, letter: str) -> LetterSummary:
        """Return one dead letter by its id, ``topic/partition/offset``.

        Raises
        ------
        LetterMissingError
            If there is none.
        """
        return _summary(await self._document(letter))

    async def record(self, letter: str) -> Record:
        """Return the record as it came, with its whole payload, to export or to retry it.

        Raises
        ------
        LetterMissingError
            If there is none, or the file of its payload cannot be read on this machine.
        """
        document = await self._document(letter)
        timestamp: datetime | None = document["timestamp"]
        return Record(
            topic=document["topic"],
            partition=document["partition"],
            offset=document["offset"],
            after=document["after"],
            through=document["through"],
            value=_payload(document),
            key=document["key"],
            headers=tuple((name, value) for name, value in document["headers"]),
            timestamp_ms=None if timestamp is None else round(timestamp.timestamp() * 1000),
        )

    async def mark_resolved(self, letter: str, how: str) -> None:
        """Note how a dead letter was resolved; its outcome in the ledger stands.

        Raises
        ------
        LetterMissingError
            If there is none.
        """
        change = {"$set": {"resolved": {"how": how, "at": datetime.now(UTC)}}}
        with translated():
            done = await self._letters.update_one({"_id": letter}, change)
        if not done.matched_count:
            raise LetterMissingError(f"there is no dead letter {letter}")

    async def _document(self, letter: str) -> dict[str, Any]:
        with translated():
            document: dict[str, Any] | None = await self._letters.find_one({"_id": letter})
        if document is None:
            raise LetterMissingError(f"there is no dead letter {letter}")
        return document


def _payload(document: dict[str, Any]) -> bytes:
    if document["file"] is None:
        return bytes(document["payload"])
    try:
        return Path(document["file"]).read_bytes()
    except OSError as error:
        raise LetterMissingError(f"the payload of {document['_id']}: {document['file']}: {error.strerror}") from error


def _summary(document: dict[str, Any]) -> LetterSummary:
    resolved = document["resolved"]
    return LetterSummary(
        id=document["_id"],
        topic=document["topic"],
        partition=document["partition"],
        offset=document["offset"],
        stage=document["stage"],
        reason=document["reason"],
        schema=document["schema"],
        size=document["size"],
        file=document["file"],
        first_seen=document["first_seen"].isoformat(timespec="seconds"),
        last_seen=document["last_seen"].isoformat(timespec="seconds"),
        attempts=len(document["runs"]),
        version=document["version"],
        config=document["config"],
        resolved=None if resolved is None else f"{resolved['how']} ({resolved['at'].isoformat(timespec='seconds')})",
    )
