"""The features of objects in MongoDB: what is measured, what was, and what waits (collection ``t2``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from ampeld.flow.codes import WAITING
from ampeld.store.connection import Connection
from ampeld.store.documents import FeatureChange, FeatureKey, StoredBody, StoredFeature
from ampeld.store.errors import duplicates, storing, translated
from ampeld.store.features_merge import feature_update

Document = dict[str, Any]

_FOUND = {"col": 1, "stock": 1, "unit": 1, "config": 1, "link": 1, "channel": 1, "tag": 1, "jd": 1, "code": 1} | {
    "full": 1,
    "due": 1,
    "body": {"$slice": -1},
}


def feature_id(key: FeatureKey) -> str:
    """Return the ``_id`` of a document of ``t2``: legible, and near those of the same object in the index."""
    return f"{key.stock}/{key.col}/{key.link}/{key.unit}/{key.config}"


def unique_fields(key: FeatureKey) -> Document:
    """Return the fields that find a document by what makes it unique."""
    return {"stock": key.stock, "col": key.col, "unit": key.unit, "config": key.config, "link": key.link}


def encode_feature(change: FeatureChange) -> Document:
    """Return the document of ``t2`` that a result or a ticket makes where there is none."""
    document: Document = {
        "_id": feature_id(change.key),
        **unique_fields(change.key),
        "channel": list(change.channel),
        "tag": list(change.tag),
        "code": change.code,
        "body": [] if change.body is None else [dict(change.body)],
        "meta": [] if change.meta is None else [dict(change.meta)],
        "jd": change.jd,
    }
    return document | {"due" if change.code in WAITING else "full": change.full}


def decode_feature(document: Mapping[str, Any]) -> StoredFeature:
    """Return what the flow needs to know of a document of ``t2``."""
    bodies = document.get("body") or [None]
    return StoredFeature(
        key=FeatureKey(document["stock"], document["col"], document["unit"], document["config"], document["link"]),
        channel=frozenset(document["channel"]),
        tag=frozenset(document["tag"]),
        jd=document["jd"],
        code=document["code"],
        full=document.get("full"),
        due=document.get("due"),
        body=bodies[-1],
    )


class Features:
    """What the store knows of features.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._points = connection["t0"]
        self._features = connection["t2"]

    async def find_bodies(self, points: Sequence[int], fields: Sequence[str] | None) -> Mapping[int, StoredBody]:
        """Return the bodies of points, with these fields of theirs (None: all)."""
        wanted = {"body": 1} if fields is None else {f"body.{name}": 1 for name in fields}
        shown = {"tag": 1, "first": 1, "id": 1, **wanted}
        with translated():
            found = await self._points.find({"_id": {"$in": list(points)}}, shown).to_list(None)
        return {
            document["_id"]: StoredBody(
                tuple(document["tag"]), document.get("body", {}), document.get("first") is not None
            )
            for document in found
        }

    async def find_features(self, keys: Sequence[FeatureKey]) -> Mapping[FeatureKey, StoredFeature]:
        """Return those of these features that are there, measured or waiting, each with its newest body."""
        wanted = {"_id": {"$in": [feature_id(key) for key in keys]}}
        with translated():
            found = await self._features.find(wanted, _FOUND).to_list(None)
        return {feature.key: feature for feature in map(decode_feature, found)}

    async def write_features(self, changes: Sequence[FeatureChange]) -> None:
        """Insert results and tickets that are new; merge those that are not, and what is added to others."""
        fresh = [change for change in changes if change.code is not None]
        met = await self._insert([encode_feature(change) for change in fresh])
        merged = [*(fresh[index] for index in met), *(change for change in changes if change.code is None)]
        if merged:
            updates = [UpdateOne(unique_fields(change.key), feature_update(change)) for change in merged]
            with storing([{"_id": feature_id(change.key), "body": change.body} for change in merged]):
                await self._features.bulk_write(updates, ordered=False)

    async def _insert(self, documents: Sequence[Document]) -> list[int]:
        """Insert what is new and return the positions of what exists."""
        if not documents:
            return []
        with storing(documents):
            try:
                await self._features.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                return duplicates(error)
        return []
