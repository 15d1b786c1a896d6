"""The columns of a batch from decoded packets: the oracle of the kernel, and what runs where it was not built."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.fields import FieldKind
from ampeld.alert.point import Head, Point
from ampeld.alert.shape import finite
from ampeld.alert.survey import ROOT, ZTF, Fields, Packet, Survey
from ampeld.alert.table import AlertTable, Kind, Ragged, Scalar, frozen, records_of

_STAMP: Final = "stampData"
_DTYPES: Final[Mapping[FieldKind, Any]] = {"int": np.int64, "bool": np.bool_}


class PacketTable(AlertTable):
    """Columns gathered from decoded packets.

    Parameters
    ----------
    packets
        Decoded alerts that the survey's rules have passed; they belong to the table from then on.
    schemas
        The fingerprint of each one's schema.
    survey
        Whose alerts they are.
    """

    def __init__(self, packets: Sequence[Packet], schemas: Sequence[str], survey: Survey = ZTF) -> None:
        self.survey = survey
        self.schema = list(schemas)
        self._packets = list(packets)
        self._scalars: dict[tuple[str, str], Scalar] = {}
        self._raggeds: dict[tuple[str, str], Ragged] = {}
        self._parts: dict[Kind, tuple[list[Packet], NDArray[np.int64]]] = {}
        self._finite: dict[int, Packet] = {}
        self._points: dict[int, list[Point]] = {}

    def __len__(self) -> int:
        return len(self._packets)

    def __getstate__(self) -> dict[str, Any]:
        """Travel without cutouts, and without what can be made again."""
        cutouts = self.survey.cutouts
        lean = [{name: value for name, value in p.items() if name not in cutouts} for p in self._packets]
        return {"packets": lean, "schemas": self.schema, "survey": self.survey}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # made anew from the same values

    @cached_property
    def object(self) -> list[str]:
        """Return the name of each alert's object."""
        record, name = self.survey.object
        return [self.survey.object_of(found.get(name)) for found in self._records(record)]

    @property
    def asked(self) -> Collection[tuple[str, str]]:
        """Return nothing: all is decoded."""
        return ()

    def ask(self, asked: Iterable[tuple[str, str]]) -> None:
        """Do nothing: all is decoded."""

    def scalar(self, name: str, record: str | None = None) -> Scalar:
        """Return a field of a single record."""
        where = self.survey.own if record is None else record
        column = self._scalars.get((where, name))
        if column is None:
            kind = _kind(self.survey.records[where], name)
            column = self._scalars[where, name] = _column(self._records(where), name, kind)
        return column

    def ragged(self, kind: Kind, name: str) -> Ragged:
        """Return a field of the points of one kind."""
        column = self._raggeds.get((kind, name))
        if column is None:
            field_kind = _kind(self.survey.kinds[kind].fields, name)
            points, offsets = self._part(kind)
            flat = _column(points, name, field_kind)
            column = self._raggeds[kind, name] = Ragged(flat.values, flat.missing, offsets)
        return column

    def offsets(self, kind: Kind) -> NDArray[np.int64]:
        """Return where each alert's points begin."""
        return self._part(kind)[1]

    def packet(self, row: int) -> Packet:
        """Return the decoded alert without cutouts."""
        if row not in self._finite:
            whole = self._packets[row]
            science = {name: value for name, value in whole.items() if name not in self.survey.cutouts}
            self._finite[row] = finite(science)
        return self._finite[row]

    def cutout(self, row: int, name: str) -> bytes | None:
        """Return a cutout as the survey packed it."""
        if name not in self.survey.cutouts:
            raise KeyError(name)
        packet = self._packets[row]
        if name not in packet:
            raise LookupError("the cutouts are not here: they stay with the process that read the alert")
        return stamp_of(packet[name])

    def heads(self, row: int) -> list[Head]:
        """Return what tells the stored points of an alert apart."""
        return heads_of(self._shaped(row))

    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return a point as it is stored."""
        return self._shaped(row)[index].body

    def select(self, rows: Sequence[int] | NDArray[np.int64]) -> "PacketTable":
        """Return the table of these rows, in this order."""
        chosen = [int(row) for row in rows]
        return PacketTable([self._packets[row] for row in chosen], [self.schema[row] for row in chosen], self.survey)

    def _shaped(self, row: int) -> list[Point]:
        if row not in self._points:
            self._points[row] = self.survey.shape(self._packets[row])
        return self._points[row]

    def _records(self, record: str) -> list[Packet]:
        """Return one record of each alert, empty where it is null."""
        if record == ROOT:
            return self._packets
        return [packet.get(record) or {} for packet in self._packets]

    def _part(self, kind: Kind) -> tuple[list[Packet], NDArray[np.int64]]:
        """Return the points of all alerts in a row, and where each alert's begin."""
        part = self._parts.get(kind)
        if part is None:
            parts = [records_of(self.survey, packet, kind) for packet in self._packets]
            offsets = np.zeros(len(parts) + 1, dtype=np.int64)
            np.cumsum([len(points) for points in parts], out=offsets[1:])
            part = self._parts[kind] = ([point for points in parts for point in points], frozen(offsets))
        return part


def heads_of(points: Sequence[Point]) -> list[Head]:
    """Return the heads of points; each one's index is its place among them."""
    return [
        Head(point.id, point.jd, point.rcid, point.programid, point.tag, point.full, index)
        for index, point in enumerate(points)
    ]


def stamp_of(cutout: Any) -> bytes | None:
    """Return the bytes of a decoded cutout: LSST sends them as they are, ZTF in a record with a file's name."""
    found = cutout.get(_STAMP) if isinstance(cutout, Mapping) else cutout
    return found if isinstance(found, bytes) else None


def _kind(fields: Fields, name: str) -> FieldKind:
    for field in fields:
        if field.name == name:
            return field.kind
    raise KeyError(name)


def _column(records: Sequence[Packet], name: str, kind: FieldKind) -> Scalar:
    found = [record.get(name) for record in records]
    values: NDArray[Any]
    if kind == "float":
        values = np.array(found, dtype=np.float64)
        missing = ~np.isfinite(values)
        values[missing] = np.nan
    else:
        missing = np.fromiter((value is None for value in found), dtype=np.bool_, count=len(found))
        if kind in _DTYPES:
            values = np.array([0 if value is None else value for value in found], dtype=_DTYPES[kind])
        else:
            values = np.empty(len(found), dtype=object)
            values[:] = found
    return Scalar(frozen(values), frozen(missing))
