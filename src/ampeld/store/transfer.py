"""An object as one line of text, and back into a database: the very same documents.

The line is MongoDB's own extended JSON in its canonical form, which keeps every type and every bit. That form has keys
like ``$date`` for itself; where a document has a key that begins so, the line has one dollar more.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import bson
from bson import json_util
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from ampeld.errors import PoisonError
from ampeld.store.connection import Connection
from ampeld.store.dossier import Dossier
from ampeld.store.errors import duplicates, storing
from ampeld.store.merge import union

FORMAT: Final = 1
"""Of the lines; one with another number is refused."""
_PARTS: Final = ("stock", "t0", "t1", "t2", "traces", "configs", "versions")
_COLLECTIONS: Final = {"traces": "traces", "configs": "feature_configs", "versions": "channel_versions"}
_OPTIONS: Final = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True)


class Taken(StrEnum):
    """What became of an object that was to be imported."""

    NEW = "new"
    SAME = "there already"
    OTHER = "there, and different"


class LineError(PoisonError):
    """A line that is no object."""


def to_line(dossier: Dossier) -> str:
    """Return an object as one line; of points that it shares with others, its own share."""
    stock = dossier.stock["_id"]
    document = {"ampeld": FORMAT} | {part: getattr(dossier, part) for part in _PARTS}
    document["stock"] = {key: value for key, value in dossier.stock.items() if key != "purging"}
    document["t0"] = [_own(point, stock) for point in dossier.t0]
    return json_util.dumps(_with_dollars(document), json_options=_OPTIONS)


def from_line(line: str) -> Dossier:
    """Return the object of a line.

    Raises
    ------
    LineError
        If it is none.
    """
    try:
        document = json_util.loads(line, json_options=_OPTIONS)
        if '"$$' in line:
            document = _without_dollars(document)
        dossier = Dossier(**{part: document[part] for part in _PARTS}) if document.get("ampeld") == FORMAT else None
        bson.encode(document)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
        bson.errors.BSONError,
    ) as error:
        raise LineError(f"no object of ampeld: {type(error).__name__}: {error}") from error
    if dossier is None:
        raise LineError(f"no object of ampeld in format {FORMAT}")
    if wrong := _wrong(dossier):
        raise LineError(wrong)
    return dossier


def _wrong(dossier: Dossier) -> str:
    """Return what is wrong with the documents that a line names, or nothing."""
    number, names = (dossier.stock.get(key) for key in ("_id", "name")) if _is_document(dossier.stock) else (None, None)
    if not isinstance(number, int) or isinstance(number, bool):
        return "its object has no number"
    if not isinstance(names, list) or not names:
        return "its object has no name"
    for part in _PARTS[1:]:
        documents = getattr(dossier, part)
        if not isinstance(documents, list) or not all(map(_is_document, documents)):
            return f"its {part} are no documents"
    if any(one.get("stock") != [number] or str(number) not in one.get("since", ()) for one in dossier.t0):
        return "its t0 are of another object"
    if any(one.get("stock") != number for one in (*dossier.t1, *dossier.t2)):
        return "its t1 or t2 are of another object"
    return ""


def _is_document(value: object) -> bool:
    return isinstance(value, dict)


def _with_dollars(value: Any) -> Any:
    """Return a value whose keys of documents begin with one dollar more, where they begin with one."""
    if isinstance(value, dict):
        return {f"${key}" if key.startswith("$") else key: _with_dollars(one) for key, one in value.items()}
    return [_with_dollars(one) for one in value] if isinstance(value, list) else value


def _without_dollars(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[key.startswith("$$") :]: _without_dollars(one) for key, one in value.items()}
    return [_without_dollars(one) for one in value] if isinstance(value, list) else value


async def take_in(connection: Connection, dossier: Dossier) -> Taken:
    """Write an object that is not there; one that is there is left as it is.

    The object's own document comes last, so that a repeat after a crash finds what is missing.
    """
    stock = dossier.stock["_id"]
    with storing():
        present = await connection["stock"].find_one({"_id": stock})
        if present is not None:
            return Taken.SAME if present == dossier.stock else Taken.OTHER
        await _insert(connection, "t0", dossier.t0, stock)
        for part in ("t1", "t2"):
            await _insert(connection, part, getattr(dossier, part))
        for part, collection in _COLLECTIONS.items():
            await _insert(connection, collection, getattr(dossier, part))
        try:
            await connection["stock"].insert_one(dossier.stock)
        except DuplicateKeyError:
            return Taken.OTHER  # a daemon has met it meanwhile
    return Taken.NEW


async def _insert(
    connection: Connection, collection: str, documents: Sequence[Mapping[str, Any]], stock: int | None = None
) -> None:
    """Insert what is not there; a point that is there, because another object shares it, gets this one too."""
    if not documents:
        return
    try:
        await connection[collection].bulk_write([InsertOne(one) for one in documents], ordered=False)
    except BulkWriteError as error:
        met = duplicates(error)
        if stock is not None:
            shared = [UpdateOne({"_id": documents[i]["_id"]}, _share(documents[i], stock)) for i in met]
            await connection[collection].bulk_write(shared, ordered=False)


def _share(point: Mapping[str, Any], stock: int) -> list[dict[str, Any]]:
    fields = {name: union(name, point[name]) for name in ("stock", "channel", "tag")}
    return [{"$set": fields | {f"since.{stock}": point["since"][str(stock)]}}]


def _own(point: Mapping[str, Any], stock: int) -> dict[str, Any]:
    """Return a point as if no other object had it."""
    since = {key: value for key, value in point["since"].items() if key == str(stock)}
    return {**point, "stock": [one for one in point["stock"] if one == stock], "since": since}
