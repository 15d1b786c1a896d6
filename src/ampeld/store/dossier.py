"""Everything that is kept of one object, as it lies in the store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ampeld.store.connection import Connection
from ampeld.store.errors import translated

Document = dict[str, Any]


class Dossier(msgspec.Struct):
    """The documents of one object, and those that they refer to."""

    stock: Document
    """The object's own document."""
    t0: list[Document]
    """Its points, by time of id."""
    t1: list[Document]
    """Its states, by the jd of the newest alert that made each."""
    t2: list[Document]
    """Its features, in a fixed order."""
    traces: list[Document]
    """By whom its features were measured."""
    configs: list[Document]
    """With which parameters."""
    versions: list[Document]
    """The versions of the channels that its documents name."""

    @property
    def name(self) -> str:
        """Return the object's name."""
        return str(self.stock["name"][0])


class Dossiers:
    """Reads dossiers.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(self, stock: int) -> Dossier | None:
        """Return the dossier of an object, None where there is no such object."""
        document = await self._one("stock", {"_id": stock})
        return None if document is None else await self.around(document)

    async def around(self, document: Document) -> Dossier:
        """Return the dossier around an object's document."""
        stock = document["_id"]
        t0 = sorted(await self._all("t0", {"stock": stock}), key=lambda point: int(point["_id"]))
        t1 = sorted(await self._all("t1", {"stock": stock}), key=_newest)
        t2 = sorted(await self._all("t2", {"stock": stock}), key=_feature)
        metas = [meta for one in t2 for meta in one.get("meta", ())]
        return Dossier(
            stock=document,
            t0=t0,
            t1=t1,
            t2=t2,
            traces=await self._named("traces", (meta.get("trace") for meta in metas)),
            configs=await self._named("feature_configs", (one.get("config") for one in t2)),
            versions=await self._named("channel_versions", _versions([document, *t0, *t1])),
        )

    async def _one(self, collection: str, wanted: Mapping[str, Any]) -> Document | None:
        with translated():
            found: Document | None = await self._connection[collection].find_one(wanted)
        return found

    async def _all(self, collection: str, wanted: Mapping[str, Any]) -> list[Document]:
        with translated():
            found: list[Document] = await self._connection[collection].find(wanted).to_list(None)
        return found

    async def _named(self, collection: str, ids: Iterable[Any]) -> list[Document]:
        wanted = sorted({one for one in ids if one is not None})
        found = await self._all(collection, {"_id": {"$in": wanted}}) if wanted else []
        return sorted(found, key=lambda one: str(one["_id"]))


def _newest(state: Document) -> tuple[float, int]:
    return max((entry["jd"] for entry in state["meta"]), default=0.0), state["link"]


def _feature(document: Document) -> tuple[Any, ...]:
    return document["unit"], document["config"], document["col"], document["link"]


def _versions(documents: Sequence[Document]) -> Iterable[str | None]:
    for document in documents:
        for entry in (*document.get("meta", ()), *document.get("journal", ())):
            yield entry.get("channel_version")
