"""The valid alerts of a batch as columns, filled when first asked for."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.point import Head
from ampeld.alert.survey import PUBLIC, ZTF, Packet, Survey

Kind = str
"""One of the ragged parts of an alert that its survey has: ``detections``, ``limits`` and the like."""


class Scalar(msgspec.Struct, frozen=True, eq=False):
    """One field of a record that each alert has once, one value per alert.

    ``values`` is float64 (NaN where missing), int64 (0), bool (False) or object (None), shape (n,).
    ``missing`` is bool, shape (n,).
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]


class Ragged(msgspec.Struct, frozen=True, eq=False):
    """One field of the points, any number of values per alert.

    The values of alert ``i`` are ``values[offsets[i]:offsets[i + 1]]``, by ascending time; types as in `Scalar`.
    ``offsets`` is int64, shape (n + 1,).
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]
    offsets: NDArray[np.int64]


def names(kind: str, survey: Survey = ZTF) -> Sequence[str]:
    """Return the known field names of a record, or of a ragged part, of a survey's alerts."""
    fields = survey.kinds[kind].fields if kind in survey.kinds else survey.records[kind]
    return tuple(field.name for field in fields)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array, read-only from now on."""
    array.setflags(write=False)
    return array


class AlertTable(ABC):
    """Columns of decoded and validated alerts; arrays are read-only, made at the first use of a field and kept.

    `ampeld.alert.table_columns.ColumnTable` has them from the kernel, `ampeld.alert.table_packets.PacketTable` from
    decoded packets.
    """

    survey: Survey
    schema: list[str]
    """The fingerprint of each alert's schema."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def object(self) -> list[str]:
        """Return the name of each alert's object."""

    @property
    @abstractmethod
    def asked(self) -> Collection[tuple[str, str]]:
        """Return which fields of histories were asked for and took a second pass: pairs of array and field."""

    @abstractmethod
    def ask(self, asked: Iterable[tuple[str, str]]) -> None:
        """Let the decoder of this table decode fields of histories at once from now on: what `asked` says elsewhere.

        What the survey does not know is passed over: it may come from a process that is not to be trusted.
        """

    @abstractmethod
    def scalar(self, name: str, record: str | None = None) -> Scalar:
        """Return a field of a single record; all missing where the writer's schema lacks it.

        Parameters
        ----------
        name
            A field's name.
        record
            Whose field: None for the alert's own point.

        Raises
        ------
        KeyError
            If the survey knows no such field.
        """

    @abstractmethod
    def ragged(self, kind: Kind, name: str) -> Ragged:
        """Return a field of the points of one kind; missing where a point lacks it.

        Parameters
        ----------
        kind
            One of the survey's: ``detections``, the alert's own point among them, ``limits``, forced photometry.
        name
            A field's name.

        Raises
        ------
        KeyError
            If the survey knows no such field.
        """

    @abstractmethod
    def offsets(self, kind: Kind) -> NDArray[np.int64]:
        """Return where each alert's points begin, int64, shape (n + 1,)."""

    @abstractmethod
    def packet(self, row: int) -> Packet:
        """Return the decoded alert without cutouts, to be read only; NaN and infinities are None."""

    @abstractmethod
    def cutout(self, row: int, name: str) -> bytes | None:
        """Return a cutout as the survey packed it (FITS, compressed by ZTF), None where the alert has none.

        Raises
        ------
        KeyError
            If the survey has no cutout of this name, which is that of the packet's field.
        LookupError
            If the payloads are elsewhere: a table that came from another process has none.
        """

    def forget_cutouts(self) -> None:  # noqa: B027  most tables hold on to nothing
        """Let go of the payloads where cutouts are read from them: `cutout` is not asked any more."""

    @abstractmethod
    def heads(self, row: int) -> list[Head]:
        """Return what tells the stored points of an alert apart, its own first, each number once."""

    @abstractmethod
    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return a point as it is stored: that of `heads` with this ``index``."""

    def fields(self, row: int, indexes: Sequence[int], names: tuple[str, ...]) -> list[Mapping[str, Any]]:
        """Return some fields of points as they are stored, of each point those that it has.

        Parameters
        ----------
        row
            The alert's.
        indexes
            Those of the points' heads.
        names
            The fields.
        """
        bodies = [self.body(row, index) for index in indexes]
        return [{name: body[name] for name in names if name in body} for body in bodies]

    def packed_body(self, row: int, index: int) -> bytes | None:  # noqa: ARG002  most tables have only the values
        """Return a point as it is stored, as BSON; None where `body` has to be encoded."""
        return None

    @abstractmethod
    def select(self, rows: Sequence[int] | NDArray[np.int64]) -> "AlertTable":
        """Return the table of these rows, in this order."""

    @cached_property
    def candid(self) -> NDArray[np.int64]:
        """Return the number of each alert: that of its own point, int64, shape (n,)."""
        return self.scalar(self.survey.candid).values

    @cached_property
    def programid(self) -> NDArray[np.int64]:
        """Return the programme of each alert's own point, int64, shape (n,)."""
        if self.survey.programid is None:
            return frozen(np.full(len(self), PUBLIC, dtype=np.int64))
        return self.scalar(self.survey.programid).values

    @cached_property
    def jd(self) -> NDArray[np.float64]:
        """Return the Julian date [d, UTC] of each alert, float64, shape (n,), finite."""
        found: NDArray[np.float64] = self.survey.jd_of(self.scalar(self.survey.time).values)
        return frozen(found)

    @cached_property
    def stock(self) -> NDArray[np.int64]:
        """Return the number of each alert's object, int64, shape (n,)."""
        return frozen(np.array([self.survey.stock_of(name) for name in self.object], dtype=np.int64))

    def detections(self, row: int) -> list[Packet]:
        """Return the alert's own point and the detections of its history, by ascending time."""
        return self.records("detections", row)

    def limits(self, row: int) -> list[Packet]:
        """Return the upper limits of the history, by ascending time."""
        return self.records("limits", row)

    def records(self, kind: Kind, row: int) -> list[Packet]:
        """Return the points of one kind as decoded, by ascending time."""
        return records_of(self.survey, self.packet(row), kind)


def records_of(survey: Survey, packet: Packet, kind: Kind) -> list[Packet]:
    """Return the points of one kind of a packet, by ascending time, its own first among equals."""
    part = survey.kinds[kind]
    kept = [record for record in packet.get(part.array) or () if part.keeps(record)]
    own = [packet[survey.own]] if part.own else []
    return sorted([*own, *kept], key=lambda record: float(record[survey.time]))
