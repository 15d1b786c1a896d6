"""Keeps once what the numbers in feature documents stand for: traces, and configurations of units."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from ampeld.flow.trace import Trace
from ampeld.flow.wanted import Recipe, closure
from ampeld.store.connection import Connection
from ampeld.store.errors import duplicates, storing, translated


class Traces:
    """The collections ``traces`` and ``feature_configs``.

    Parameters
    ----------
    connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._traces = connection["traces"]
        self._configs = connection["feature_configs"]

    async def register_traces(self, traces: Sequence[Trace]) -> None:
        """Keep traces; one that is there stays as it is, for its number is a hash of all of it."""
        documents = [_document(trace) for trace in {trace.id: trace for trace in traces}.values()]
        if not documents:
            return
        with storing(documents):
            try:
                await self._traces.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                duplicates(error)

    async def register_configs(self, recipes: Sequence[Recipe]) -> None:
        """Keep configurations, and those of all that the units build upon, with the units that have them."""
        updates = [
            UpdateOne(
                {"_id": recipe.config},
                {"$setOnInsert": _config(recipe), "$addToSet": {"unit": recipe.unit}},
                upsert=True,
            )
            for recipe in closure(recipes)
        ]
        for _ in range(2):  # who lost the race to insert has his unit to add still
            if not updates:
                return
            with storing():
                try:
                    await self._configs.bulk_write(updates, ordered=False)
                except BulkWriteError as error:
                    updates = [updates[index] for index in duplicates(error)]
                else:
                    return

    async def traces(self, ids: Iterable[int]) -> dict[int, Trace]:
        """Return the traces of these numbers that are kept."""
        with translated():
            found = await self._traces.find({"_id": {"$in": list(set(ids))}}).to_list(None)
        return {one["_id"]: msgspec.convert({**one, "id": one["_id"]}, Trace) for one in found}

    async def configs(self, ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
        """Return ``params``, ``depends`` and ``unit`` (names) of these configurations that are kept."""
        with translated():
            found = await self._configs.find({"_id": {"$in": list(set(ids))}}).to_list(None)
        return {one.pop("_id"): one for one in found}


def _document(trace: Trace) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(trace, str_keys=True)
    document["_id"] = document.pop("id")
    return document


def _config(recipe: Recipe) -> dict[str, Any]:
    depends = [{"unit": below.unit, "config": below.config, "link": link} for below, link in recipe.depends]
    return {"params": msgspec.to_builtins(recipe.params, str_keys=True), "depends": depends}
