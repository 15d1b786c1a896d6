"""A source that is fed from files: ``.avro`` files, directories and tar archives, read once and in their order."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch, Record
from ampeld.source import archive
from ampeld.source.archive import DamagedFileError, Finished, Payload

_MAX_BATCH_BYTES = 32 * 1024 * 1024


class FileProgress(msgspec.Struct, frozen=True):
    """How far the reading is; the number of records is not known before the end, that of bytes is."""

    read_bytes: int
    total_bytes: int
    files: int
    records: int


class FileSource:
    """Alerts from files; coordinates are (path of the file or archive, 0, number of the record in it).

    Parameters
    ----------
    paths
        Files, directories (read recursively, by name) and archives, in this order.
    max_message_bytes : int
        A larger record is delivered with a refusal.
    """

    def __init__(self, paths: Sequence[Path], *, max_message_bytes: int = 2 * 1024 * 1024) -> None:
        self._paths = paths
        self._max_message_bytes = max_message_bytes
        self._items: Iterator[Payload | Finished] = iter(())
        self._ledgers: dict[PartitionLedger, None] = {}
        self._current: PartitionLedger | None = None
        self._done = False
        self._damages: list[str] = []
        self._total_bytes = 0
        self._read_before = 0
        self._read_here = 0
        self._files = 0
        self._records = 0

    async def start(self) -> None:
        """Look at every path.

        Raises
        ------
        ConfigError
            Naming every path that is missing, unreadable or of no known kind.
        """
        self._paths = archive.check_paths(self._paths)
        self._total_bytes = await asyncio.to_thread(archive.total_bytes, self._paths)
        self._items = archive.read(self._paths, self._max_message_bytes)

    async def stop(self, deadline_s: float | None = None) -> None:  # noqa: ARG002  there is nothing to wait for
        """End the reading: nothing is committed through its ledgers any more."""
        self._items, self._done = iter(()), True
        for ledger in self._ledgers:
            ledger.retire()
        self._ledgers.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def progress(self) -> FileProgress:
        """Return how far the reading is."""
        return FileProgress(self._read_before + self._read_here, self._total_bytes, self._files, self._records)

    async def fetch(self, *, max_records: int, timeout_s: float) -> Batch | None:
        """Return the next records; None at the end.

        Raises
        ------
        DamagedFileError
            Once, in place of the end, when files could not be read to theirs; before that, everything readable
            has been delivered and settled (empty batches are returned while something is open).
        """
        items = [] if self._done else await asyncio.to_thread(self._read_some, max_records)
        batch = Batch([], [], time.monotonic())
        for item in items:
            self._take(item, batch)
        if batch.records or not self._done:
            return batch
        if self._damages and any(ledger.in_flight for ledger in self._ledgers):
            await asyncio.sleep(min(timeout_s, 0.05))
            return batch
        if self._damages:
            damages, self._damages = self._damages, []
            raise DamagedFileError("\n".join(damages))
        return None

    def _read_some(self, max_records: int) -> list[Payload | Finished]:
        items: list[Payload | Finished] = []
        size = 0
        for item in self._items:
            items.append(item)
            size += len(item.value) if isinstance(item, Payload) else 0
            if len(items) >= max_records or size >= _MAX_BATCH_BYTES:
                return items
        self._done = True
        return items

    def _take(self, item: Payload | Finished, batch: Batch) -> None:
        if isinstance(item, Finished):
            self._finish(item)
            return
        ledger = self._current
        if ledger is None:
            ledger = self._current = PartitionLedger(item.topic, 0, 0)
            self._ledgers[ledger] = None
        self._read_here = item.read_bytes
        self._records += 1
        record = Record(
            topic=item.topic,
            partition=0,
            offset=item.number,
            value=item.value,
            after=ledger.open(item.number),
            through=item.number,
            refusal=item.refusal,
        )
        batch.records.append(record)
        batch.ledgers.append(ledger)

    def _finish(self, item: Finished) -> None:
        self._current = None
        self._files += 1
        self._read_before, self._read_here = self._read_before + item.size, 0
        if item.damage is not None:
            self._damages.append(item.damage)

    async def keep_alive(self) -> None:
        """Do nothing: a file does not forget its reader."""

    def ledgers(self) -> Sequence[PartitionLedger]:
        """Return the ledgers of the files that are not read and committed to their end."""
        return list(self._ledgers)

    async def commit(self, due: Mapping[PartitionLedger, int]) -> None:
        """Note the offsets: a file that is read again from its start brings the same coordinates again."""
        for ledger, offset in due.items():
            if ledger.retired:
                continue
            ledger.committed_to(offset)
            if ledger is not self._current and ledger.committed == ledger.position:
                self._ledgers.pop(ledger, None)
