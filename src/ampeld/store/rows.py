"""How the records of one flush ended, as columns: what a verdict block holds, and what is counted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

NO_ID = np.iinfo(np.int64).min
"""Stands for a missing candid or stock: 0 is an object's number."""
NO_NIGHT = np.iinfo(np.int32).min

Ints = NDArray[np.int64]


class Part(msgspec.Struct, frozen=True):
    """The rows of one partition: ``n`` of them, that stand for the offsets ``[base, end)``."""

    topic: str
    partition: int
    base: int
    end: int
    n: int


class Rows(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One row for each record, in the order of topic, partition and offset.

    Row ``i`` belongs to the part that its position falls into. ``codes`` has one row per channel and one column per
    record, 0 for what could not be read. Acceptances are sparse: of row ``link_row`` by channel ``link_channel``.
    """

    parts: tuple[Part, ...]
    offset: Ints
    after: Ints
    through: Ints
    candid: Ints
    stock: Ints
    night: NDArray[np.int32]
    """Days since 1970-01-01 of the UTC day of the alert's jd; of the record's time stamp where there is no alert."""
    outcome: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    link_row: NDArray[np.uint32]
    link_channel: NDArray[np.uint16]
    link: NDArray[np.int32]
    """The link of the alert's state for a channel that accepted it."""
    point: Ints
    """The id of the accepted alert's own point."""

    def __len__(self) -> int:
        return len(self.offset)

    def slices(self) -> Iterator[tuple[Part, slice]]:
        """Yield each part with the slice of its rows."""
        start = 0
        for part in self.parts:
            yield part, slice(start, start + part.n)
            start += part.n

    def halves(self) -> "tuple[Rows, Rows]":
        """Return the rows up to the middle, and those behind."""
        middle = len(self) // 2
        return self._between(0, middle), self._between(middle, len(self))

    def _between(self, start: int, stop: int) -> "Rows":
        linked = (self.link_row >= start) & (self.link_row < stop)
        columns = {name: getattr(self, name)[start:stop] for name in _RECORD_COLUMNS}
        places = [(part.topic, part.partition) for part in self.parts]
        place = np.repeat(np.arange(len(places)), [part.n for part in self.parts])[start:stop]
        return Rows(
            parts=_parts(places, place, columns),
            codes=self.codes[:, start:stop],
            link_row=self.link_row[linked] - np.uint32(start),
            link_channel=self.link_channel[linked],
            link=self.link[linked],
            point=self.point[linked],
            **columns,
        )


_RECORD_COLUMNS = ("offset", "after", "through", "candid", "stock", "night", "outcome")


def sorted_rows(
    places: Sequence[tuple[str, int]],
    columns: Mapping[str, NDArray[Any]],
    codes: NDArray[np.uint16],
    links: Sequence[tuple[int, int, int, int]],
) -> Rows:
    """Return rows from columns in any order.

    Parameters
    ----------
    places
        Topic and partition of each record.
    columns
        ``offset``, ``after``, ``through``, ``candid``, ``stock``, ``night`` and ``outcome`` of each record.
    codes
        Shape (channels, n).
    links
        ``(record, channel number, link, own point)`` of each acceptance.
    """
    distinct = sorted(set(places))
    number = {place: i for i, place in enumerate(distinct)}
    ranked = np.array([number[place] for place in places], np.int64)
    order = np.lexsort((columns["offset"], ranked))
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    linked = np.array(links, np.int64).reshape(len(links), 4)
    linked[:, 0] = position[linked[:, 0]]
    linked = linked[np.lexsort((linked[:, 1], linked[:, 0]))]
    ordered = {name: column[order] for name, column in columns.items()}
    return Rows(
        parts=_parts(distinct, ranked[order], ordered),
        codes=codes[:, order],
        link_row=linked[:, 0].astype(np.uint32),
        link_channel=linked[:, 1].astype(np.uint16),
        link=linked[:, 2].astype(np.int32),
        point=linked[:, 3],
        **ordered,
    )


def _parts(places: Sequence[tuple[str, int]], place: Ints, columns: Mapping[str, NDArray[Any]]) -> tuple[Part, ...]:
    """Return the parts of rows that are sorted by the numbers of their places."""
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    if not len(starts):
        return ()
    ends = np.maximum.reduceat(columns["through"], starts) + 1
    return tuple(
        Part(places[number][0], places[number][1], base, end, n)
        for number, base, end, n in zip(
            place[starts].tolist(),
            columns["after"][starts].tolist(),
            ends.tolist(),
            np.diff(starts, append=len(place)).tolist(),
            strict=True,
        )
    )
