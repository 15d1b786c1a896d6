"""Where a catalogue lies: in files, in which channels search, or in MongoDB."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from ampeld.cli.output import run_async
from ampeld.daemon.connect import connected
from ampeld.daemon.settings import Settings
from ampeld.store.catalogs import CatalogCollections

T = TypeVar("T")


class Place(StrEnum):
    """In files of the catalogues' directory, or in collections of the store."""

    FILE = "file"
    MONGODB = "mongodb"


InOption = Annotated[Place, typer.Option("--in", help="file: where channels search; mongodb: collections.")]


def in_mongodb(settings: Settings, ask: Callable[[CatalogCollections], Awaitable[T]]) -> T:
    """Return the answer to what is asked of the catalogues in MongoDB."""
    return run_async(_ask(settings, ask))


async def _ask(settings: Settings, ask: Callable[[CatalogCollections], Awaitable[T]]) -> T:
    async with connected(settings.store, "catalog") as connection:
        return await ask(CatalogCollections(connection))
