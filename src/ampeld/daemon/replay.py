"""Judges what a suspended channel was passed over for: fetched back from Kafka, told in newer verdict blocks.

To everything behind the filters it is a redelivery: the same record comes again, and all channels but one say what they
said. So points, states and outcomes follow by the rules that hold for redeliveries, and a replay may be repeated.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from ampeld.channel.channel import Channel
from ampeld.channel.cutnames import CutNames
from ampeld.channel.passall import PassAll
from ampeld.flow.record import Batch, Coordinates, Record
from ampeld.flow.verdict import ERRORED, SKIPPED, accepts
from ampeld.source.refetch import Gone
from ampeld.stages.decode import decode_batch
from ampeld.stages.reader import Reader
from ampeld.stages.values import Decoded, Judged
from ampeld.store.blocks import BlockRow
from ampeld.store.documents import Account, ChannelVersion
from ampeld.store.skipped import Debt, OwedRows
from ampeld.store.versions import VersionFacts

AT_ONCE = 256
"""Records that are held in memory together: as many as travel as one batch."""


class Fetching(Protocol):
    """Who brings records back."""

    async def fetch(self, coordinates: Sequence[Coordinates]) -> Mapping[Coordinates, Record | Gone]:
        """Return each record, or that it is gone."""


class Flushing(Protocol):
    """Who writes what was judged."""

    async def flush(self, batches: Sequence[Judged]) -> Account:
        """Write everything that these batches say."""


class Lost(msgspec.Struct, frozen=True):
    """Records that cannot be had any more."""

    reason: str
    number: int
    first: str
    last: str
    oldest_ms: int | None
    """The time stamp of the oldest record that the broker still has there."""


class Replayed(msgspec.Struct):
    """What came of a replay."""

    owed: int = 0
    """Records without a verdict of the channel."""
    accepted: int = 0
    rejected: int = 0
    errored: int = 0
    """On which the channel failed again: they stay owed."""
    hidden: int = 0
    """Which the channel may not see: nothing is owed of them."""
    lost: list[Lost] = []

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is left that a further replay could judge."""
        return not self.errored


class Replay:
    """A replay for one channel.

    Parameters
    ----------
    channel
        As it is now; the blocks may name an earlier version of it.
    judge
        ``await judge(decoded)`` returns the verdicts of this channel alone.
    fetcher, reader, flusher
        From where, how, and whereto.
    facts
        ``await facts(versions)``: what is known of the versions of the other channels.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        judge: Callable[[Decoded], Awaitable[Judged]],
        fetcher: Fetching,
        reader: Reader,
        flusher: Flushing,
        facts: Callable[[Sequence[str]], Awaitable[Mapping[str, VersionFacts]]],
    ) -> None:
        self._channel = channel
        self._judge = judge
        self._fetcher = fetcher
        self._reader = reader
        self._flusher = flusher
        self._facts = facts
        self._others: dict[ChannelVersion, Channel] = {}

    async def run(self, debt: Debt, *, done: Callable[[int], None] = lambda _: None) -> Replayed:
        """Judge and store what is owed; what is gone is told with numbers.

        Parameters
        ----------
        debt
            The records.
        done
            Told of the number of records done so far.

        Raises
        ------
        RetryableError
            If a server does not do its part; what was done until then stays done.
        """
        result = Replayed(owed=debt.total)
        lost: dict[tuple[str, str, int], list[tuple[Coordinates, int | None]]] = {}
        finished = 0
        async for owed in _together(debt.read()):
            await self._replay(owed, result, lost)
            finished += len(owed.rows)
            done(finished)
        result.lost = [_lost(reason, held) for (reason, _, _), held in sorted(lost.items())]
        return result

    async def _replay(
        self,
        owed: OwedRows,
        result: Replayed,
        lost: dict[tuple[str, str, int], list[tuple[Coordinates, int | None]]],
    ) -> None:
        found = await self._fetcher.fetch([row.coordinates for row in owed.rows])
        rows = {row.coordinates: row for row in owed.rows}
        records = []
        for place, record in found.items():
            if isinstance(record, Record):
                row = rows[place]
                records.append(msgspec.structs.replace(record, after=row.after, through=row.through))
            else:
                lost.setdefault((record.reason, place.topic, place.partition), []).append((place, record.oldest_ms))
        await self._reader.prepare([record.value for record in records])
        decoded = await asyncio.to_thread(decode_batch, self._reader.decoder, Batch(records, [], 0.0))
        for letter in decoded.dead_letters:
            place = letter.record.coordinates
            lost.setdefault((f"it cannot be read: {letter.reason}", place.topic, place.partition), []).append(
                (place, None)
            )
        kept = []
        for number, position in enumerate(decoded.rows):
            place = decoded.batch.records[position].coordinates
            if int(decoded.table.candid[number]) == rows[place].candid:
                kept.append(number)
            else:
                reason = "another alert lies there: the topic was made anew"
                lost.setdefault((reason, place.topic, place.partition), []).append((place, None))
        if kept:
            await self._judge_and_flush(owed, _only(decoded, kept), rows, result)

    async def _judge_and_flush(
        self, owed: OwedRows, decoded: Decoded, rows: Mapping[Coordinates, BlockRow], result: Replayed
    ) -> None:
        judged = await self._judge(decoded)
        codes = judged.codes[0]
        result.accepted += int(accepts(codes).sum())
        result.errored += int((codes == ERRORED).sum())
        result.hidden += int((codes == SKIPPED).sum())
        new = np.flatnonzero((codes != ERRORED) & (codes != SKIPPED)).tolist()
        result.rejected += len(new) - int(accepts(codes).sum())
        if not new:
            return
        told = _only(decoded, new)
        said = [rows[told.batch.records[position].coordinates].codes for position in told.rows]
        every = np.array(said, dtype=np.uint16).T
        every[owed.channel] = codes[new]
        channels = await self._channels(owed)
        await self._flusher.flush([Judged(told, channels, every, [[] for _ in channels])])

    async def _channels(self, owed: OwedRows) -> tuple[Channel, ...]:
        """Return the channels of a block, the replayed one as it is now."""
        unknown = [held for held in owed.block.channels if held not in self._others]
        if unknown:
            facts = await self._facts([held.version for held in unknown])
            self._others |= {held: _as_it_was(held, facts.get(held.version)) for held in unknown}
        channels = [self._others[held] for held in owed.block.channels]
        channels[owed.channel] = self._channel
        return tuple(channels)


async def _together(blocks: AsyncIterator[OwedRows]) -> AsyncIterator[OwedRows]:
    """Join the rows of blocks with the same channels: a quiet night has a block for each alert, and each trip costs."""
    held: OwedRows | None = None
    async for block in blocks:
        if held is not None and held.block.channels != block.block.channels:
            yield held
            held = None
        rows = [*held.rows, *block.rows] if held is not None else block.rows
        while len(rows) >= AT_ONCE:
            yield msgspec.structs.replace(block, rows=rows[:AT_ONCE])
            rows = rows[AT_ONCE:]
        held = msgspec.structs.replace(block, rows=rows) if rows else None
    if held is not None:
        yield held


def _as_it_was(held: ChannelVersion, facts: VersionFacts | None) -> Channel:
    """Return a channel that stands for verdicts given long ago: its cuts are numbered as the store has them.

    It knows no known objects: whom it followed stands in its codes.
    """
    names = CutNames()
    for name in facts.cuts if facts is not None else ():
        names.number(name)
    return Channel(
        name=held.name,
        filter=PassAll(),
        contact="",
        access=facts.access if facts is not None else frozenset(),
        on_known="off",
        version=held.version,
        path=Path(held.name),
        cut_names=names,
    )


def _only(decoded: Decoded, rows: Sequence[int]) -> Decoded:
    """Return some alerts of a batch, and nothing else of it."""
    records = [decoded.batch.records[decoded.rows[row]] for row in rows]
    batch = Batch(records, [], decoded.batch.received_s)
    return Decoded(batch, decoded.table.select(list(rows)), list(range(len(records))), [])


def _lost(reason: str, held: Sequence[tuple[Coordinates, int | None]]) -> Lost:
    places = sorted(place for place, _ in held)
    oldest = Counter(stamp for _, stamp in held if stamp is not None)
    return Lost(reason, len(places), str(places[0]), str(places[-1]), next(iter(oldest), None))
