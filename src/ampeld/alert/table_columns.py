"""The columns of a batch from the kernel's cells: views where they can be, gathered where points are put in order."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert import bodies, kernel
from ampeld.alert.columns import Ints, Sheet, type_of
from ampeld.alert.heads import Shaper, make_shaper
from ampeld.alert.point import Head
from ampeld.alert.schema import without
from ampeld.alert.screen import scalars, stocks
from ampeld.alert.survey import Packet, Survey, Values
from ampeld.alert.table import AlertTable, Kind, Ragged, Scalar, frozen
from ampeld.alert.table_packets import stamp_of

_KEPT: Final = 64


class Payloads(msgspec.Struct, frozen=True, eq=False):
    """Where the cutouts of a batch are: of each alert its payload, and of each cutout its bytes there, (-1, -1): none.

    ``at`` is int64, shape (n, cutouts, 2).
    """

    values: list[bytes]
    at: Ints


class ColumnTable(AlertTable):
    """Columns over the science bytes of a batch.

    It travels between processes by pickling, protocol 5, with its arrays out of band and without cutouts.

    Parameters
    ----------
    sheet
        What the kernel made of the batch.
    schema
        The fingerprint of each alert's schema.
    payloads
        Where the cutouts are; None in another process than that which decoded.
    asked
        Is told of the fields of histories that took a second pass: the decoder's own, so that it learns.
    """

    def __init__(
        self,
        sheet: Sheet,
        schema: Sequence[str],
        payloads: Payloads | None = None,
        asked: set[tuple[str, str]] | None = None,
    ) -> None:
        self._sheet = sheet
        self.schema = list(schema)
        self._payloads = payloads
        self._asked = set() if asked is None else asked
        self._scalars: dict[tuple[str, str], Scalar] = {}
        self._raggeds: dict[tuple[str, str], Ragged] = {}
        self._elements: dict[tuple[str, str], Values] = {}
        self._orders: dict[Kind, tuple[Ints, Ints]] = {}

    def __len__(self) -> int:
        return len(self._sheet)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as arrays."""
        return ColumnTable, (self._sheet, self.schema)

    @property
    def survey(self) -> Survey:  # type: ignore[override]  # read-only here
        """Return whose alerts they are."""
        return self._sheet.survey

    @property
    def asked(self) -> Collection[tuple[str, str]]:
        """Return the fields of histories that were asked for and not decoded at once."""
        return self._asked

    def ask(self, asked: Iterable[tuple[str, str]]) -> None:
        """Decode these fields at once in batches to come."""
        known = {(history, field.name) for history, fields in self.survey.histories.items() for field in fields}
        self._asked.update(known.intersection(asked))  # never exchanged: it is the decoder's

    @cached_property
    def object(self) -> list[str]:
        """Return the name of each alert's object."""
        record, name = self.survey.object
        found = self.scalar(name, record)
        pairs = zip(found.values.tolist(), found.missing.tolist(), strict=True)
        return [self.survey.object_of(None if missing else value) for value, missing in pairs]

    @cached_property
    def stock(self) -> NDArray[np.int64]:
        """Return the number of each alert's object."""
        return frozen(stocks(self._sheet))

    def scalar(self, name: str, record: str | None = None) -> Scalar:
        """Return a field of a single record."""
        where = self.survey.own if record is None else record
        column = self._scalars.get((where, name))
        if column is None:
            column = self._scalars[where, name] = Scalar(*_frozen(scalars(self._sheet, where)(name)))
        return column

    def ragged(self, kind: Kind, name: str) -> Ragged:
        """Return a field of the points of one kind."""
        column = self._raggeds.get((kind, name))
        if column is None:
            order, offsets = self._order(kind)
            values, missing = self._members(kind, name)
            column = Ragged(frozen(values[order]), frozen(missing[order]), offsets)
            self._raggeds[kind, name] = column
        return column

    def offsets(self, kind: Kind) -> NDArray[np.int64]:
        """Return where each alert's points begin."""
        return self._order(kind)[1]

    def packet(self, row: int) -> Packet:
        """Return the decoded alert without cutouts."""
        return _packet(self._sheet, row, finite=True)

    def cutout(self, row: int, name: str) -> bytes | None:
        """Return a cutout as the survey packed it."""
        number = self.survey.cutouts.index(name) if name in self.survey.cutouts else -1
        if number < 0:
            raise KeyError(name)
        if self._payloads is None:
            raise LookupError("the cutouts are not here: they stay with the process that read the alert")
        begin, end = self._payloads.at[row, number].tolist()
        found = type_of(self._text(row)).field(name)
        if begin < 0 or found is None:
            return None
        value = np.frombuffer(self._payloads.values[row], dtype=np.uint8)[begin:end]
        return stamp_of(bodies.decode(bodies.reader(found), value, 0))

    def forget_cutouts(self) -> None:
        """Let go of the payloads."""
        self._payloads = None

    def heads(self, row: int) -> list[Head]:
        """Return what tells the stored points of an alert apart."""
        return self._shaper.heads(row)

    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return a point as it is stored."""
        return self._shaper.body(row, index)

    def fields(self, row: int, indexes: Sequence[int], names: tuple[str, ...]) -> list[Mapping[str, Any]]:
        """Return some fields of points as they are stored, of each point those that it has."""
        found = self._shaper.fields(row, indexes, names)
        return super().fields(row, indexes, names) if found is None else found

    def packed_body(self, row: int, index: int) -> bytes | None:
        """Return a point as it is stored, as BSON."""
        return self._shaper.packed(row, index)

    def select(self, rows: Sequence[int] | NDArray[np.int64]) -> "ColumnTable":
        """Return the table of these rows, in this order."""
        chosen = np.asarray(rows, dtype=np.int64)
        payloads = self._payloads
        if payloads is not None:
            payloads = Payloads([payloads.values[row] for row in chosen.tolist()], payloads.at[chosen])
        schema = [self.schema[row] for row in chosen.tolist()]
        return ColumnTable(self._sheet.select(chosen), schema, payloads, self._asked)

    @cached_property
    def _shaper(self) -> Shaper:
        # Of the sheet, not of the table: it would hold itself until cycles are looked for, and its arrays with it.
        return make_shaper(self._sheet, partial(_packet, self._sheet, finite=False))

    def _order(self, kind: Kind) -> tuple[Ints, Ints]:
        """Return which members belong to a kind, by alert and ascending time, and where each alert's begin."""
        order = self._orders.get(kind)
        if order is None:
            order = self._orders[kind] = self._sort(kind)
        return order

    def _members(self, kind: Kind, name: str) -> Values:
        """Return a field of the alerts' own points, where they are of this kind, and of the elements of the history."""
        part = self.survey.kinds[kind]
        if name not in {field.name for field in part.fields}:
            raise KeyError(name)
        values, missing = self._column(part.array, name)
        if not part.own:
            return values, missing
        own = self.scalar(name)
        return np.concatenate([own.values, values]), np.concatenate([own.missing, missing])

    def _column(self, history: str, name: str) -> Values:
        """Return a field of the elements of a history, all missing where the history has no such field."""
        found = self._elements.get((history, name))
        if found is None:
            if name in self._sheet.histories[history].names:
                found = self._sheet.element(history, name)
            elif name in {field.name for field in self.survey.histories[history]}:
                self._asked.add((history, name))
                found = self._sheet.read(history, (name,), kernel.fill)[name]
            else:
                found = self._nothing(history, name)
            self._elements[history, name] = found
        return found

    def _nothing(self, history: str, name: str) -> Values:
        """Return a column without values, for a field that only the alert's own point has."""
        like = self.scalar(name).values.dtype
        number = len(self._sheet.histories[history].at)
        blank = {np.dtype(np.float64): np.nan, np.dtype(object): None}.get(like, 0)
        return np.full(number, blank, dtype=like), np.ones(number, dtype=np.bool_)

    def _sort(self, kind: Kind) -> tuple[Ints, Ints]:
        part = self.survey.kinds[kind]
        bounds = self._sheet.histories[part.array].offsets
        times = self._column(part.array, self.survey.time)[0]
        kept = part.keeps_rows(lambda name: self._column(part.array, name))
        members = np.arange(len(times)) if kept is None else np.flatnonzero(kept)
        counts = np.diff(np.searchsorted(members, bounds)) + part.own
        offsets = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(counts, out=offsets[1:])
        order = members
        if part.own:  # most often the latest: it is put last, and stands there unless the times say otherwise
            order = np.insert(members + len(self), offsets[1:] - 1 - np.arange(len(self)), np.arange(len(self)))
            times = np.concatenate([self.scalar(self.survey.time).values, times])
        keys = times[order]
        ascends = keys[1:] > keys[:-1]
        ascends[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < len(keys))] - 1] = True
        if not ascends.all():
            owners = np.repeat(np.arange(len(self)), counts)
            order = order[np.lexsort((order, keys, owners))]  # of equal times its own point first, as numbered
        return frozen(order), frozen(offsets)

    def _text(self, row: int) -> bytes:
        return self._sheet.texts[int(self._sheet.which[row])]


def _packet(sheet: Sheet, row: int, *, finite: bool) -> Packet:
    """Return a decoded alert without cutouts."""
    reader = _record_reader(sheet.texts[int(sheet.which[row])], sheet.survey.cutouts, finite=finite)
    found: Packet = bodies.decode(reader, sheet.arena, int(sheet.begin[row]))
    return found


@lru_cache(maxsize=_KEPT)
def _record_reader(text: bytes, cutouts: tuple[str, ...], *, finite: bool) -> bodies.Reader:
    return bodies.reader(without(type_of(text), cutouts), finite=finite)


def _frozen(values: Values) -> Values:
    return frozen(values[0]), frozen(values[1])
