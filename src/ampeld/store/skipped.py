"""Which records a channel still owes a verdict: those whose newest block says that it was passed over, or failed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import ERRORED, SKIPPED
from ampeld.store.blocks import Block, BlockRow, decode_block, rows_of
from ampeld.store.connection import Connection
from ampeld.store.errors import translated

ERRORS_BEFORE = timedelta(minutes=15)
"""The errors that spent a channel's budget came so long before its suspension at most."""


class OwedRows(msgspec.Struct, frozen=True, eq=False):
    """Rows of one block for which a channel has no verdict."""

    block: Block
    rows: list[BlockRow]
    channel: int
    """The channel's number in the block."""


class Debt(msgspec.Struct, frozen=True, eq=False):
    """The records without a verdict of a channel, by block, the oldest first."""

    blocks: dict[str, list[int]]
    """The numbers of the rows, by block."""
    connection: Connection
    channel: str

    @property
    def total(self) -> int:
        """Return how many records there are."""
        return sum(map(len, self.blocks.values()))

    async def read(self) -> AsyncIterator[OwedRows]:
        """Yield the rows, block by block; a block that has expired meanwhile is passed over."""
        for identity, wanted in self.blocks.items():
            with translated():
                document = await self.connection["verdict_blocks"].find_one({"_id": identity})
            if document is not None:
                block = decode_block(document)
                yield OwedRows(block, rows_of(block, wanted), _number(block, self.channel) or 0)


async def find_debt(connection: Connection, channel: str, *, group: str, since: datetime) -> Debt:
    """Return the records that a channel was passed over for since a time, and those that it failed on.

    Parameters
    ----------
    connection
        The database.
    channel
        Its name, whatever its version was.
    group
        Only blocks of this consumer group.
    since
        When it was suspended.

    Notes
    -----
    Every block since then is decoded once; what is kept of a row meanwhile are 33 bytes.
    """
    names: list[str] = []
    places: dict[tuple[str, int], int] = {}
    columns: list[NDArray[Any]] = []
    wanted = {"group": group, "written": {"$gte": since - ERRORS_BEFORE}}
    with translated():
        async for document in connection["verdict_blocks"].find(wanted).sort("written", 1):
            block = decode_block(document)
            place = [places.setdefault((p.topic, p.partition), len(places)) for p in block.parts for _ in range(p.n)]
            rows = np.arange(len(place))
            columns.append(
                np.array([place, block.offset, np.full(len(place), len(names)), rows, _owed(block, channel, since)])
            )
            names.append(block.id)
    if not columns:
        return Debt({}, connection, channel)
    where, offset, number, row, owed = np.concatenate(columns, axis=1)
    order = np.lexsort((number, offset, where))
    newest = np.append((np.diff(where[order]) != 0) | (np.diff(offset[order]) != 0), True)
    chosen = order[newest & (owed[order] != 0)]
    blocks: dict[str, list[int]] = {}
    for index in chosen[np.lexsort((row[chosen], number[chosen]))].tolist():
        blocks.setdefault(names[int(number[index])], []).append(int(row[index]))
    return Debt(blocks, connection, channel)


def _owed(block: Block, channel: str, since: datetime) -> NDArray[np.bool_]:
    """Return for which rows of a block the channel has no verdict."""
    number = _number(block, channel)
    if number is None:
        return np.zeros(len(block.offset), np.bool_)
    codes = block.codes[number]
    owed = codes == ERRORED
    if block.written >= since:  # before, it was passed over only where it may not see an alert
        owed |= codes == SKIPPED
    return np.asarray(owed & (block.outcome != Outcome.DEAD_LETTERED))


def _number(block: Block, channel: str) -> int | None:
    return next((number for number, held in enumerate(block.channels) if held.name == channel), None)
