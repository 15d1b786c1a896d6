"""What travels through the pipes, one value for each pair of stages, and what an accepted alert is to the store."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.point import Point
from ampeld.alert.table import AlertTable
from ampeld.channel.channel import Channel
from ampeld.flow.record import Batch, Coordinates
from ampeld.store.documents import ChannelFailure, DeadLetter


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


class Accepted(msgspec.Struct, frozen=True):
    """An alert that at least one channel accepted."""

    coordinates: Coordinates
    candid: int
    stock: int
    name: str
    jd: float
    schema: str
    points: Sequence[Point]
    channels: Mapping[str, bool]
    """By accepting channel: whether its own filter accepted (and no rule for known objects)."""


class Flushed(msgspec.Struct, frozen=True, eq=False):
    """A batch whose records have durable outcomes."""

    batch: Batch
