"""The valid alerts of a batch as columns, filled when first asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.identity import stock_of
from ampeld.alert.point import Point
from ampeld.alert.shape import finite, is_limit, shape
from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE, FieldKind

Kind = Literal["detections", "limits", "fp_hists"]
"""The ragged parts of an alert."""

Packet = Mapping[str, Any]

_FIELDS: Final[Mapping[str, Mapping[str, FieldKind]]] = {
    kind: {field.name: field.kind for field in fields}
    for kind, fields in {
        "candidate": CANDIDATE,
        "detections": CANDIDATE,
        "limits": PRV_CANDIDATE,
        "fp_hists": FP_HIST,
    }.items()
}


class Scalar(msgspec.Struct, frozen=True, eq=False):
    """One field of the candidate, one value per alert.

    ``values`` is float64 (NaN where missing), int64 (0 where missing) or object (None where missing), shape (n,).
    ``missing`` is bool, shape (n,).
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]


class Ragged(msgspec.Struct, frozen=True, eq=False):
    """One field of the points, any number of values per alert.

    The values of alert ``i`` are ``values[offsets[i]:offsets[i + 1]]``, by ascending jd; types as in `Scalar`.
    ``offsets`` is int64, shape (n + 1,).
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]
    offsets: NDArray[np.int64]


def names(kind: str) -> Sequence[str]:
    """Return the known field names of ``candidate``, ``detections``, ``limits`` or ``fp_hists``."""
    return tuple(_FIELDS[kind])


class AlertTable:
    """Columns of decoded and validated alerts.

    Arrays are read-only, made at the first use of a field and kept.

    Parameters
    ----------
    packets
        Decoded alerts that `ampeld.alert.validity.check_packet` has passed; they belong to the table from then on.
    schemas
        The fingerprint of each one's schema.
    """

    def __init__(self, packets: Sequence[Packet], schemas: Sequence[str]) -> None:
        self._packets = list(packets)
        self._candidates = [packet["candidate"] for packet in self._packets]
        self._scalars: dict[str, Scalar] = {}
        self._raggeds: dict[tuple[str, str], Ragged] = {}
        self._parts: dict[Kind, tuple[list[Packet], NDArray[np.int64]]] = {}
        self._finite: dict[int, Packet] = {}
        self.schema = list(schemas)
        self.object: list[str] = [packet["objectId"] for packet in self._packets]

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def candid(self) -> NDArray[np.int64]:
        """Return the identity of each alert: the candid of its candidate, int64, shape (n,)."""
        return self.scalar("candid").values

    @property
    def programid(self) -> NDArray[np.int64]:
        """Return the programme of each alert's own point, int64, shape (n,)."""
        return self.scalar("programid").values

    @property
    def jd(self) -> NDArray[np.float64]:
        """Return the Julian date [d] of each alert, float64, shape (n,), finite."""
        return self.scalar("jd").values

    @cached_property
    def stock(self) -> NDArray[np.int64]:
        """Return the number of each alert's object, int64, shape (n,)."""
        return _frozen(np.array([stock_of(name) for name in self.object], dtype=np.int64))

    def scalar(self, name: str) -> Scalar:
        """Return a field of the candidate; all missing where the writer's schema lacks it.

        Raises
        ------
        KeyError
            If the survey knows no such field.
        """
        column = self._scalars.get(name)
        if column is None:
            column = _column(self._candidates, name, _FIELDS["candidate"][name])
            self._scalars[name] = column
        return column

    def ragged(self, kind: Kind, name: str) -> Ragged:
        """Return a field of the points of one kind; missing where a point lacks it.

        Parameters
        ----------
        kind
            ``detections``: the candidate and the detections of its history; ``limits``: the upper limits;
            ``fp_hists``: forced photometry.
        name
            A field's name.

        Raises
        ------
        KeyError
            If the survey knows no such field.
        """
        column = self._raggeds.get((kind, name))
        if column is None:
            field_kind = _FIELDS[kind][name]
            points, offsets = self._part(kind)
            flat = _column(points, name, field_kind)
            column = self._raggeds[kind, name] = Ragged(flat.values, flat.missing, offsets)
        return column

    def offsets(self, kind: Kind) -> NDArray[np.int64]:
        """Return where each alert's points begin, int64, shape (n + 1,)."""
        return self._part(kind)[1]

    def packet(self, row: int) -> Packet:
        """Return the decoded alert, cutouts included, to be read only; NaN and infinities are None."""
        if row not in self._finite:
            self._finite[row] = finite(self._packets[row])
        return self._finite[row]

    def detections(self, row: int) -> list[Packet]:
        """Return the candidate and the detections of its history, by ascending jd."""
        return _detections(self.packet(row))

    def limits(self, row: int) -> list[Packet]:
        """Return the upper limits of the history, by ascending jd."""
        return _limits(self.packet(row))

    def points(self, row: int) -> list[Point]:
        """Return what of an alert becomes stored points, the candidate first."""
        return shape(self._packets[row])

    def select(self, rows: Sequence[int] | NDArray[np.int64]) -> "AlertTable":
        """Return the table of these rows, in this order."""
        chosen = [int(row) for row in rows]
        return AlertTable([self._packets[row] for row in chosen], [self.schema[row] for row in chosen])

    def _part(self, kind: Kind) -> tuple[list[Packet], NDArray[np.int64]]:
        """Return the points of all alerts in a row, and where each alert's begin."""
        part = self._parts.get(kind)
        if part is None:
            parts = [_PARTS[kind](packet) for packet in self._packets]
            offsets = np.zeros(len(parts) + 1, dtype=np.int64)
            np.cumsum([len(points) for points in parts], out=offsets[1:])
            part = self._parts[kind] = ([point for points in parts for point in points], _frozen(offsets))
        return part


def _by_jd(points: list[Packet]) -> list[Packet]:
    return sorted(points, key=lambda point: float(point["jd"]))


def _detections(packet: Packet) -> list[Packet]:
    history = packet.get("prv_candidates") or ()
    return _by_jd([packet["candidate"], *(point for point in history if point.get("candid") is not None)])


def _limits(packet: Packet) -> list[Packet]:
    return _by_jd([point for point in packet.get("prv_candidates") or () if is_limit(point)])


def _fp_hists(packet: Packet) -> list[Packet]:
    return _by_jd(list(packet.get("fp_hists") or ()))


_PARTS: Final = {"detections": _detections, "limits": _limits, "fp_hists": _fp_hists}


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _column(records: Sequence[Packet], name: str, kind: FieldKind) -> Scalar:
    found = [record.get(name) for record in records]
    values: NDArray[Any]
    if kind == "float":
        values = np.array(found, dtype=np.float64)
        missing = ~np.isfinite(values)
        values[missing] = np.nan
    else:
        missing = np.fromiter((value is None for value in found), dtype=np.bool_, count=len(found))
        if kind == "int":
            values = np.array([0 if value is None else value for value in found], dtype=np.int64)
        else:
            values = np.empty(len(found), dtype=object)
            values[:] = found
    return Scalar(_frozen(values), _frozen(missing))
