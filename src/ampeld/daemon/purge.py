"""Retention: what no channel keeps any longer goes, and before that into an archive, if one is wanted."""

import asyncio
import gzip
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from ampeld.daemon.files import ChannelFiles
from ampeld.errors import ConfigError, RetryableError
from ampeld.flow.together import together
from ampeld.store.connection import Connection
from ampeld.store.dossier import Document, Dossiers
from ampeld.store.purge import MARK_S, SAFE_S, Expired, Purger
from ampeld.store.transfer import to_line

DAY_S: Final = 86_400.0
_AT_ONCE: Final = 32
"""Objects that are marked together: the archive is forced to the disk once for all of them."""


class Purged(msgspec.Struct):
    """What came of a purge."""

    objects: int = 0
    """Deleted; in a dry run, to be deleted."""
    archived: int = 0
    busy: int = 0
    """Left alone, because a daemon has changed them meanwhile."""
    channels: dict[str, float] = {}
    """By channel: the days that it keeps an object; those without such a number keep everything."""


def keeping(files: Iterable[ChannelFiles]) -> dict[str, float]:
    """Return, by channel that says so, for how many days it keeps an object after its newest accepted alert."""
    found = {one.name: one.table.get("keep_days") for one in files}
    return {name: float(days) for name, days in found.items() if isinstance(days, int | float)}


class Archive:
    """A file of one object per line, as `ampeld object import` reads it; new, and whole after each `settle`.

    Parameters
    ----------
    path
        ``.jsonl``, or ``.jsonl.gz`` to have it packed.

    Raises
    ------
    ConfigError
        If the file is there, or has another ending.
    """

    def __init__(self, path: Path) -> None:
        if not path.name.endswith((".jsonl", ".jsonl.gz")):
            raise ConfigError([f"{path}: an archive is a .jsonl or a .jsonl.gz file"])
        self._path = path
        self._packed = path.suffix == ".gz"
        try:
            self._file: BinaryIO = path.open("xb")
        except FileExistsError as error:
            raise ConfigError([f"{path}: is there already; an archive is never written over"]) from error

    def write(self, lines: Sequence[str]) -> None:
        """Add lines, and return when they are on the disk."""
        data = "".join(f"{line}\n" for line in lines).encode()
        self._file.write(gzip.compress(data) if self._packed else data)  # members of gzip may stand in a row
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; without a line it goes."""
        empty = self._file.tell() == 0
        self._file.close()
        if empty:
            self._path.unlink()


async def purge(
    connection: Connection,
    keep_days: Mapping[str, float],
    *,
    run: str,
    archive: Archive | None,
    dry: bool,
    told: Callable[[Expired], None] = lambda _: None,
) -> Purged:
    """Delete the objects that no channel keeps.

    Parameters
    ----------
    connection
        The database.
    keep_days
        By channel, see `keeping`.
    run
        Who marks the objects.
    archive
        Where each goes before it is deleted.
    dry
        Only count.
    told
        Told of each object that is, or would be, deleted.
    """
    result = Purged(channels=dict(keep_days))
    now = await connection.ping()
    purger = Purger(connection)
    waiting: list[Expired] = []
    async for expired in purger.expired({name: now - days * DAY_S for name, days in keep_days.items()}):
        if dry:
            result.objects += 1
            told(expired)
            continue
        waiting.append(expired)
        if len(waiting) == _AT_ONCE:
            await _purge_some(connection, waiting, run, archive, result, told)
            waiting = []
    if waiting:
        await _purge_some(connection, waiting, run, archive, result, told)
    return result


async def _purge_some(
    connection: Connection,
    some: Sequence[Expired],
    run: str,
    archive: Archive | None,
    result: Purged,
    told: Callable[[Expired], None],
) -> None:
    purger = Purger(connection)
    try:
        async with asyncio.timeout(SAFE_S):
            until = await connection.ping() + MARK_S
            found = await together("mark", [purger.mark(one, run, until) for one in some])
            marked = {one.stock: document for one, document in zip(some, found, strict=True) if document is not None}
            if archive is not None:
                lines = await together("load", [_line(connection, document) for document in marked.values()])
                await asyncio.to_thread(archive.write, lines)
                result.archived += len(lines)
            gone = await together("delete", [purger.delete(document) for document in marked.values()])
    except TimeoutError as error:
        raise RetryableError("the store is too slow to delete objects safely: nothing is lost, try again") from error
    deleted = {stock for stock, done in zip(marked, gone, strict=True) if done}
    result.objects += len(deleted)
    result.busy += len(some) - len(deleted)
    for one in some:
        if one.stock in deleted:
            told(one)


async def _line(connection: Connection, document: Document) -> str:
    return to_line(await Dossiers(connection).around(document))
