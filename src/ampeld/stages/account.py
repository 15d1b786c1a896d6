"""Keep the account of a flush: how every record ended, and what each channel said of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.channel import Channel
from ampeld.errors import InvariantError
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Record
from ampeld.flow.verdict import CUT, MAX_CUT, accepts
from ampeld.stages.ports import Provenance, Store
from ampeld.stages.values import Judged, Owners
from ampeld.store.documents import Account, ChannelVersion
from ampeld.store.rows import NO_ID, NO_NIGHT, Rows, sorted_rows

UNIX_EPOCH_JD = 2440587.5
DAY_MS = 86_400_000
MAX_NIGHT = np.iinfo(np.int32).max

Links = Mapping[tuple[int, int, str], int]


class Bookkeeper:
    """Turns judged batches into the account of one flush.

    Cut numbers of this process are replaced by those that the store keeps for the channel's version, so that the
    blocks of all daemons speak alike.
    """

    def __init__(self, store: Store, provenance: Provenance, group: str) -> None:
        self._store = store
        self._provenance = provenance
        self._group = group
        self._numbers: dict[tuple[str, str], list[int]] = {}

    async def account(self, batches: Sequence[Judged], links: Links, brought: Owners) -> Account:
        """Return the account of these batches.

        Parameters
        ----------
        batches
            Every record of a flush, all judged by the same channels.
        links
            By (stock, candid, channel): the link of the state that the acceptance led to.
        brought
            By the coordinates of each accepted alert: its own point.
        """
        channels = batches[0].channels
        await self._learn_numbers(channels)
        return Account(
            run=self._provenance.run,
            instance=self._provenance.instance,
            version=self._provenance.version,
            config=self._provenance.config,
            group=self._group,
            channels=tuple(ChannelVersion(c.name, c.version) for c in channels),
            rows=_rows(batches, self._stored_codes(channels, batches), links, brought),
            dead_letters=[letter for judged in batches for letter in judged.decoded.dead_letters],
            failures=[f for judged in batches for of_channel in judged.failures for f in of_channel if f is not None],
        )

    async def _learn_numbers(self, channels: Sequence[Channel]) -> None:
        for channel in channels:
            names = channel.cut_names.names
            if len(names) != len(self._numbers.get((channel.name, channel.version), ())):
                numbers = await self._store.cut_numbers(channel.version, names)
                self._numbers[channel.name, channel.version] = [numbers[name] for name in names]

    def _stored_codes(self, channels: Sequence[Channel], batches: Sequence[Judged]) -> NDArray[np.uint16]:
        """Return the codes of all alerts, with the cut numbers of the store."""
        codes = np.concatenate([judged.codes for judged in batches], axis=1)
        for index, channel in enumerate(channels):
            numbers = self._numbers.get((channel.name, channel.version), [])
            if numbers == list(range(len(numbers))):
                continue  # as in nearly every run: this process met the cuts in the store's order
            cut = (codes[index] >= CUT) & (codes[index] <= CUT + MAX_CUT)
            codes[index, cut] = CUT + np.array(numbers, np.uint16)[codes[index, cut] - CUT]
        return codes


def _rows(batches: Sequence[Judged], codes: NDArray[np.uint16], links: Links, brought: Owners) -> Rows:
    """Return how every record of the batches ended; ``codes`` has those of their alerts, one batch behind the other."""
    decoded = [judged.decoded for judged in batches]
    records = [record for each in decoded for record in each.batch.records]
    begins = np.cumsum([0, *(len(each.batch.records) for each in decoded)])[:-1]
    rows = np.concatenate([begin + np.asarray(d.rows, np.int64) for begin, d in zip(begins, decoded, strict=True)])
    unread = np.setdiff1d(np.arange(len(records)), rows, assume_unique=True)
    if len(unread) != sum(len(each.dead_letters) for each in decoded):
        raise InvariantError(f"of {len(records)} records {len(unread)} are no alerts, but not as many dead letters")

    def spread(columns: Sequence[NDArray[np.generic]], missing: int) -> NDArray[np.int64]:
        values = np.full(len(records), missing, np.int64)
        values[rows] = np.concatenate(columns)
        return values

    candid = spread([each.table.candid for each in decoded], NO_ID)
    stock = spread([each.table.stock for each in decoded], NO_ID)
    night = spread([np.floor(each.table.jd - UNIX_EPOCH_JD) for each in decoded], NO_NIGHT)
    night[unread] = [night_of(records[row]) for row in unread.tolist()]
    outcome = np.full(len(records), Outcome.FILTERED, np.uint8)
    outcome[unread] = Outcome.DEAD_LETTERED
    linked: list[tuple[int, int, int, int]] = []
    for row, takers in _acceptances(codes, rows):
        where = int(stock[row]), int(candid[row])
        own = brought[records[row].coordinates]
        outcome[row] = Outcome.STORED if own.first == records[row].coordinates else Outcome.DUPLICATE
        linked += [(row, taker, links[*where, batches[0].channels[taker].name], own.point) for taker in takers]
    every = np.zeros((len(codes), len(records)), np.uint16)
    every[:, rows] = codes
    columns = _positions(records) | {"candid": candid, "stock": stock, "night": night.astype(np.int32)}
    return sorted_rows([(r.topic, r.partition) for r in records], columns | {"outcome": outcome}, every, linked)


def _acceptances(codes: NDArray[np.uint16], rows: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """Yield the row of each alert that was accepted, with the numbers of the channels that took it."""
    takes = accepts(codes)
    for alert in np.flatnonzero(takes.any(axis=0)).tolist():
        yield int(rows[alert]), np.flatnonzero(takes[:, alert]).tolist()


def _positions(records: Sequence[Record]) -> dict[str, NDArray[Any]]:
    return {
        "offset": np.array([record.offset for record in records], np.int64),
        "after": np.array([record.after for record in records], np.int64),
        "through": np.array([record.through for record in records], np.int64),
    }


def night_of(record: Record) -> int:
    """Return the UTC day of a record's time stamp, in days since 1970-01-01; `NO_NIGHT` where it has none.

    A time stamp is whatever a producer wrote: one that means no day is none.
    """
    stamp = record.timestamp_ms
    night = NO_NIGHT if stamp is None or stamp < 0 else stamp // DAY_MS
    return night if night <= MAX_NIGHT else NO_NIGHT
