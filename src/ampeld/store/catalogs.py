"""Catalogues as collections of MongoDB: one document per source, found by its HEALPix cell."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ampeld.store.connection import Connection
from ampeld.store.errors import translated

_ALL = "catalogs"  # one document for each catalogue that is in force
_INDEX = "hpx29"
_AT_ONCE = 5000

Document = dict[str, Any]


class CatalogCollections:
    """The collection ``catalogs``, and one collection ``catalogs.<name>.<data>`` for each.

    Parameters
    ----------
    connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def listed(self) -> list[Document]:
        """Return what each catalogue in force says of itself, by name."""
        with translated():
            return [_without_id(found) async for found in self._connection[_ALL].find().sort("_id", 1)]

    async def get(self, name: str) -> Document | None:
        """Return what one catalogue says of itself, None where there is none."""
        with translated():
            found = await self._connection[_ALL].find_one({"_id": name})
        return None if found is None else _without_id(found)

    async def fill(self, name: str, data: str, documents: Iterable[Document]) -> None:
        """Write the sources of a catalogue that is not in force yet, with their index.

        Parameters
        ----------
        name, data
            What it is called, and what tells it from the one in force.
        documents
            One for each source; the index is the field ``hpx29``.
        """
        collection = self._connection[_collection(name, data)]
        waiting = iter(documents)
        with translated():
            while part := list(islice(waiting, _AT_ONCE)):
                await collection.insert_many(part, ordered=False)
            await collection.create_index({_INDEX: 1}, name=_INDEX)

    async def put_in_force(self, meta: Document) -> None:
        """Make a catalogue that was written the one of its name, and drop every other of that name."""
        name, data = meta["name"], meta["data"]
        with translated():
            await self._connection[_ALL].replace_one({"_id": name}, meta, upsert=True)
            for other in await self._connection.database.list_collection_names():
                if other.startswith(_collection(name, "")) and other != _collection(name, data):
                    await self._connection[other].drop()

    async def drop(self, name: str, data: str) -> None:
        """Remove the sources of a catalogue that did not come into force."""
        with translated():
            await self._connection[_collection(name, data)].drop()

    async def between(self, name: str, data: str, ranges: Sequence[tuple[int, int]]) -> list[Document]:
        """Return the sources whose cells lie in one of the ranges, the second number of each not included."""
        wanted = [{_INDEX: {"$gte": first, "$lt": end}} for first, end in ranges]
        with translated():
            return [
                _without_id(found) async for found in self._connection[_collection(name, data)].find({"$or": wanted})
            ]

    async def count(self, name: str, data: str) -> int:
        """Return how many sources there are."""
        with translated():
            return int(await self._connection[_collection(name, data)].estimated_document_count())

    async def sample(self, name: str, data: str, size: int) -> list[Document]:
        """Return some sources by chance."""
        with translated():
            found = self._connection[_collection(name, data)].aggregate([{"$sample": {"size": size}}])
            return [_without_id(one) async for one in found]


def _collection(name: str, data: str) -> str:
    return f"{_ALL}.{name}.{data}"  # no name has a dot


def _without_id(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "_id"}
