"""What travels through the pipes, one value for each pair of stages, and what an accepted alert is to the store."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.point import Head, KnownPoint
from ampeld.alert.table import AlertTable
from ampeld.channel.channel import Channel
from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch, Coordinates
from ampeld.stages.views import Bodies, View
from ampeld.store.documents import (
    ChannelFailure,
    DeadLetter,
    ObjectDocument,
    PointChange,
    PointDocument,
    StateChange,
    StoredPoint,
)


class Decoded(msgspec.Struct, frozen=True, eq=False):
    """A batch with the columns of its valid alerts: row ``i`` of the table is record ``rows[i]`` of the batch."""

    batch: Batch
    table: AlertTable
    rows: Sequence[int]
    dead_letters: Sequence[DeadLetter]


class Judged(msgspec.Struct, frozen=True, eq=False):
    """A decoded batch with a verdict of each channel on each alert."""

    decoded: Decoded
    channels: tuple[Channel, ...]
    """The channels in force when the batch was judged."""
    codes: NDArray[np.uint16]
    """Shape (channels, alerts): verdict codes, with the cut numbers of this process."""
    failures: list[list[ChannelFailure | None]]
    """By channel, for each alert on which its code failed; empty for a channel without failures."""


class Accepted(msgspec.Struct, frozen=True, eq=False):
    """An alert that at least one channel accepted."""

    coordinates: Coordinates
    candid: int
    stock: int
    name: str
    jd: float
    schema: str
    survey: str
    heads: Sequence[Head]
    """Its points, its own first."""
    body: Callable[[int], Mapping[str, Any]]
    """Returns the body of a point by the index of its head: decoded only for those that are written."""
    channels: Mapping[str, bool]
    """By accepting channel: whether its own filter accepted (and no rule for known objects)."""
    groups: Mapping[str, int] = {}
    """By accepting channel: the group that it named, where it named one."""
    fields: Callable[[Sequence[int], tuple[str, ...]], Sequence[Mapping[str, Any]]] | None = None
    """Returns of points those of some fields that they have, quicker than all of them; None: they are picked out."""


class Piece:
    """One point of an object: what is stored of it, and what the alerts add."""

    __slots__ = ("_body", "carriers", "first", "head", "known", "source", "stored")

    def __init__(self, stored: StoredPoint | None, known: KnownPoint) -> None:
        self.stored = stored
        self.known = known
        self.head: Head | None = None
        """The one with the richest body that the alerts bring, of the alert ``source``."""
        self.source: Accepted | None = None
        self.carriers: list[Accepted] = []
        """The alerts that brought it, in their order."""
        self.first: Accepted | None = None
        """The one whose own point it is."""
        self._body: Mapping[str, Any] | None = None

    def body(self) -> Mapping[str, Any]:
        """Return the richest body that the alerts bring; there must be one."""
        if self._body is None:
            assert self.head is not None
            assert self.source is not None
            self._body = self.source.body(self.head.index)
        return self._body


class Plan(msgspec.Struct):
    """The writes of one flush for one or more objects."""

    new: list[PointDocument]
    changed: list[PointChange]
    objects: list[tuple[int, ObjectDocument]]
    """(revision that must still be there, document to put in its place)."""
    states: list[StateChange]
    links: dict[tuple[int, int, str], int]
    """By (stock, candid, channel): the link of that alert's state."""
    firsts: dict[int, Coordinates]
    """By id of an alert's own point: who first brought it, where that is known or will be by its insertion."""
    views: dict[int, tuple[int, View]]
    """By stock: the revision and the points as they will be, where no other daemon can have a say in them."""
    pieces: dict[int, Mapping[int, Piece]]
    """By stock: the points by id, with what is stored of them and what the alerts bring."""
    bodies: dict[int, Bodies]
    """By stock: what is remembered of the points' bodies as they were before."""
    after: dict[int, ObjectDocument]
    """By stock: the object's document as it will be."""


class Brought(msgspec.Struct, frozen=True):
    """What the store knows of an accepted alert's own point."""

    point: int
    """Its id."""
    first: Coordinates
    """The coordinates that first brought it."""


Owners = Mapping[Coordinates, Brought]
"""By the coordinates of an accepted alert: its own point."""


class Flushed(msgspec.Struct, frozen=True, eq=False):
    """Records that have durable outcomes, without their payloads: who waits here for a broker needs little memory."""

    offsets: Mapping[PartitionLedger, Sequence[int]]
    """By the ledger of their partition."""


def flushed(batch: Batch) -> Flushed:
    """Return what is to be settled of a batch that is durable."""
    offsets: dict[PartitionLedger, list[int]] = {}
    for record, ledger in zip(batch.records, batch.ledgers, strict=True):
        offsets.setdefault(ledger, []).append(record.offset)
    return Flushed(offsets)
