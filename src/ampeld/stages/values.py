"""What travels through the pipes, one value for each pair of stages, and what an accepted alert is to the store."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.point import Head
from ampeld.alert.table import AlertTable
from ampeld.channel.channel import Channel
from ampeld.flow.record import Batch, Coordinates
from ampeld.stages.views import View
from ampeld.store.documents import (
    ChannelFailure,
    DeadLetter,
    ObjectDocument,
    PointChange,
    PointDocument,
    StateChange,
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


class Brought(msgspec.Struct, frozen=True):
    """What the store knows of an accepted alert's own point."""

    point: int
    """Its id."""
    first: Coordinates
    """The coordinates that first brought it."""


Owners = Mapping[Coordinates, Brought]
"""By the coordinates of an accepted alert: its own point."""


class Flushed(msgspec.Struct, frozen=True, eq=False):
    """A batch whose records have durable outcomes."""

    batch: Batch
