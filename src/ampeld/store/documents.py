"""The documents of ampeld as typed values: AMPEL's field names, made by pure code, written by the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ampeld.alert.point import KnownPoint
from ampeld.flow.record import Coordinates, Record
from ampeld.store.rows import Rows


class StoredPoint(msgspec.Struct, frozen=True):
    """A point of an object as the store knows it, without its body."""

    known: KnownPoint
    channel: frozenset[str]
    first: Coordinates | None
    """The coordinates that first brought it as ``candidate``; None while its body comes from a history."""


class PointDocument(msgspec.Struct, frozen=True):
    """A new point, whole: one document of ``t0``."""

    id: int
    stock: int
    channel: tuple[str, ...]
    tag: tuple[str, ...]
    body: Mapping[str, Any]
    since: float
    """Lowest jd of the accepted alerts of ``stock`` that carried it; kept per stock as ``since.<stock>``."""
    first: Mapping[str, Any] | None
    """``{topic, partition, offset}`` of the alert whose ``candidate`` it is, None for a point from a history."""
    meta: Mapping[str, Any]
    """Provenance of the first alert that brought it."""


class PointChange(msgspec.Struct, frozen=True):
    """What an alert adds to a point that exists: applied with ``$addToSet``, ``$min`` and, for a full body, ``$set``.

    ``first`` is set only where none is; a full ``body`` (not None) replaces the one that is there.
    """

    id: int
    stock: int
    channel: tuple[str, ...]
    since: float
    body: Mapping[str, Any] | None
    first: Mapping[str, Any] | None
    tag: tuple[str, ...]
    meta: Mapping[str, Any]


class ObjectState(msgspec.Struct, frozen=True):
    """A channel's newest state of an object."""

    link: int
    alert: int
    jd: float
    group: int | None = None
    """The group in which the channel accepted that alert, where it named one."""


class ObjectDocument(msgspec.Struct, frozen=True):
    """One document of ``stock``; written whole, by compare-and-swap on ``rev``."""

    id: int
    name: tuple[str, ...]
    tag: tuple[str, ...]
    channel: tuple[str, ...]
    state: Mapping[str, ObjectState]
    """By channel: its newest state."""
    known: Mapping[str, float]
    """By channel: the lowest jd at which the channel's own filter accepted the object."""
    ts: Mapping[str, Mapping[str, float]]
    """By channel and ``any``: ``tied`` and ``upd``, seconds since the epoch."""
    journal: tuple[Mapping[str, Any], ...]
    """The newest entries by jd, bounded; keyed by (alert, channel)."""
    rev: int


class StateChange(msgspec.Struct, frozen=True):
    """A state of an object for some channels: one document of ``t1``."""

    stock: int
    link: int
    dps: tuple[int, ...]
    channel: tuple[str, ...]
    tag: tuple[str, ...]
    meta: tuple[Mapping[str, Any], ...]
    """Provenance, keyed by (alert, channel), each with ``jd``; the newest by jd are kept."""


class StoredBody(msgspec.Struct, frozen=True):
    """What is measured of a stored point."""

    tag: tuple[str, ...]
    body: Mapping[str, Any]
    full: bool
    """Whether the body is that of an alert's own point."""


class FeatureKey(msgspec.Struct, frozen=True):
    """What makes a document of ``t2`` unique."""

    stock: int
    col: str
    """``t0``, ``t1`` or ``stock``: what was measured."""
    unit: str
    config: int
    link: int
    """The number of the point, the link of the state, or the number of the object."""


class StoredFeature(msgspec.Struct, frozen=True):
    """A document of ``t2`` as the flow needs to know it."""

    key: FeatureKey
    channel: frozenset[str]
    tag: frozenset[str]
    jd: float
    code: int
    full: int | None
    """How many of the points had their full body when it was measured; None: the next result is appended."""
    due: int | None
    """How many had it when it was last asked for as a ticket."""
    body: Mapping[str, Any] | None
    """The newest."""


class FeatureChange(msgspec.Struct, frozen=True):
    """What a measurement, a ticket or one more channel adds to a document of ``t2``, which may not exist yet."""

    key: FeatureKey
    channel: tuple[str, ...]
    """Who asked."""
    tag: tuple[str, ...]
    jd: float
    """Of the alert that asked."""
    full: int
    """How many of the points had their full body."""
    code: int | None = None
    """As in `ampeld.flow.codes`: a result's, or one of `WAITING` for a ticket; None: only channels are added."""
    body: Mapping[str, Any] | None = None
    """Of a result without error."""
    meta: Mapping[str, Any] | None = None


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that could not be read, with its whole payload."""

    record: Record
    stage: str
    """Where it failed: source, decode, validate, store."""
    reason: str
    schema: str | None
    """Fingerprint of the writer's schema where it could be read."""


class ChannelFailure(msgspec.Struct, frozen=True):
    """A filter that raised or returned nonsense on one alert."""

    channel: str
    version: str
    contact: str
    coordinates: Coordinates
    candid: int
    object: str
    error: str
    traceback: str


class Begun(msgspec.Struct, frozen=True):
    """Where a partition was begun, so that the ledger knows what must be covered though its first blocks be lost."""

    topic: str
    partition: int
    first: int
    end: int | None = None
    """The offset after the last one, of a file that was read to its end."""


class ChannelVersion(msgspec.Struct, frozen=True):
    """Which channel, in which version, judged."""

    name: str
    version: str


class Account(msgspec.Struct, frozen=True, eq=False):
    """Everything that one flush has to say of its records: one verdict block and what it tells of."""

    run: str
    instance: str
    version: str
    config: str
    group: str
    channels: tuple[ChannelVersion, ...]
    rows: Rows
    dead_letters: Sequence[DeadLetter]
    failures: Sequence[ChannelFailure]
