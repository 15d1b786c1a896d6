"""Dead letters and channel errors as documents; payloads too large for one go to files."""

import asyncio
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import UpdateOne

from ampeld.flow.record import Coordinates, Record
from ampeld.store.documents import Account, ChannelFailure, DeadLetter
from ampeld.store.errors import OPERATOR, StoreUnavailableError

MAX_PAYLOAD = 15 << 20
"""A larger payload goes to a file: a MongoDB document holds 16 MiB."""

_MAX_HEADERS = 256 << 10
_MAX_REASON = 1 << 10
_MAX_TRACEBACK = 8 << 10


def text(value: str, limit: int) -> str:
    """Return text that BSON can hold: without lone surrogates, at most ``limit`` characters."""
    return value[:limit].encode("utf-8", "replace").decode()


def letter_id(coordinates: Coordinates) -> str:
    """Return the identity of a dead letter."""
    return text(str(coordinates), 1 << 15)


def encode_letter(letter: DeadLetter, account: Account, now: datetime, path: Path | None) -> dict[str, Any]:
    """Return the document of a dead letter.

    Parameters
    ----------
    letter, account
        The record that could not be read, and the account that tells of it.
    now
        When it was seen.
    path
        The file that holds its payload, None where the document does.
    """
    record = letter.record
    document: dict[str, Any] = {
        "_id": letter_id(record.coordinates),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "after": record.after,
        "through": record.through,
        "timestamp": _moment(record.timestamp_ms),
        "stage": letter.stage,
        "reason": text(letter.reason, _MAX_REASON),
        "schema": letter.schema,
        "size": len(record.value),
        "first_seen": now,
        "resolved": None,
        **_origin(account),
    }
    document |= _envelope(record)
    document["payload"] = record.value if path is None else None
    document["file"] = None if path is None else str(path)
    return document


def letter_update(document: Mapping[str, Any], run: str, now: datetime) -> UpdateOne:
    """Return the upsert of a dead letter; one that comes again keeps its first report and gains the run."""
    seen = {"$addToSet": {"runs": run}, "$max": {"last_seen": now}}
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": document, **seen}, upsert=True)


def by_size(documents: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield dead letters in groups of bounded size, so that each can be written before the time-out."""
    group: list[dict[str, Any]] = []
    size = 0
    for document in documents:
        weight = len(document["payload"] or b"") + _MAX_HEADERS
        if group and size + weight > MAX_PAYLOAD:
            yield group
            group, size = [], 0
        group.append(document)
        size += weight
    if group:
        yield group


def _envelope(record: Record) -> dict[str, Any]:
    size = len(record.key or b"") + sum(len(name) + len(value) for name, value in record.headers)
    if size > _MAX_HEADERS:
        return {"key": None, "headers": [], "envelope_dropped": size}
    headers = [[text(name, _MAX_HEADERS), value] for name, value in record.headers]
    return {"key": record.key, "headers": headers}


def encode_failure(failure: ChannelFailure, account: Account, now: datetime) -> dict[str, Any]:
    """Return the document of a channel's error on one alert."""
    coordinates = failure.coordinates
    return {
        "_id": f"{failure.channel}/{letter_id(coordinates)}",
        "channel": failure.channel,
        "version": failure.version,
        "contact": failure.contact,
        "topic": coordinates.topic,
        "partition": coordinates.partition,
        "offset": coordinates.offset,
        "candid": failure.candid,
        "object": failure.object,
        "error": text(failure.error, _MAX_REASON),
        "traceback": text(failure.traceback, _MAX_TRACEBACK),
        "seen": now,
        **{key: value for key, value in _origin(account).items() if key != "version"},
        "ampeld": account.version,
    }


def _origin(account: Account) -> dict[str, str]:
    return {
        "run": account.run,
        "instance": account.instance,
        "version": account.version,
        "config": account.config,
        "group": account.group,
    }


def _moment(timestamp_ms: int | None) -> datetime | None:
    # What a broker says of time is not to be trusted: years that datetime cannot hold count as unknown.
    try:
        return None if timestamp_ms is None else datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


class LetterFiles:
    """The directory of payloads that are too large for a document.

    Parameters
    ----------
    directory : Path or None
        Made when it is first needed.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    async def keep(self, letter: DeadLetter) -> Path | None:
        """Write the payload to a file if it is too large for a document, and return the file's path.

        Raises
        ------
        StoreUnavailableError
            If it cannot be written: the record waits, it is never dropped.
        """
        if len(letter.record.value) <= MAX_PAYLOAD:
            return None
        if self._directory is None:
            raise StoreUnavailableError("store.dead_letter_directory is needed for a large payload", kind=OPERATOR)
        path = self._directory.absolute() / file_name(letter.record.coordinates)
        try:
            await asyncio.to_thread(_write_durably, path, letter.record.value)
        except OSError as error:
            raise StoreUnavailableError(f"cannot write {path}: {error.strerror}", kind=OPERATOR) from error
        return path


def file_name(coordinates: Coordinates) -> str:
    """Return the name of a payload's file: its coordinates, shortened where a file system could not hold them."""
    name = f"{quote(coordinates.topic, safe='')}-{coordinates.partition}-{coordinates.offset}"
    if len(name) > 200:
        name = f"{name[-100:]}-{hashlib.blake2b(name.encode(), digest_size=12).hexdigest()}"
    return f"{name}.bin"


def _write_durably(path: Path, payload: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the name must survive a power cut too
    finally:
        os.close(directory)
