"""What has to be written for accepted alerts, given what the store knows: pure, so that it may be repeated at will.

Everything follows from the set of accepted alerts (`ampeld.alert.history`), so a plan made again from what is stored
changes nothing, and one made after a lost swap repairs what two daemons did to one object at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ampeld.alert.history import is_visible, state_of
from ampeld.alert.identity import link_of
from ampeld.alert.point import KnownPoint, Point
from ampeld.stages.ports import Provenance
from ampeld.stages.values import Accepted
from ampeld.store.documents import (
    ObjectDocument,
    ObjectState,
    PointChange,
    PointDocument,
    StateChange,
    StoredPoint,
)

JOURNAL_LENGTH = 100
TAG = ("ZTF",)


class Plan(msgspec.Struct):
    """The writes of one flush for one or more objects."""

    new: list[PointDocument]
    changed: list[PointChange]
    objects: list[tuple[int, ObjectDocument]]
    """(revision that must still be there, document to put in its place)."""
    states: list[StateChange]
    links: dict[tuple[int, int, str], int]
    """By (stock, candid, channel): the link of that alert's state."""


class _Piece:
    """One point of an object while the plan is made: what is stored of it, and what the alerts add."""

    def __init__(self, stored: StoredPoint | None, point: Point | None, jd: float) -> None:
        self.stored = stored
        self.point = point  # the richest body that the alerts bring
        self.known = stored.known if stored else _known(point, jd)
        self.channel: set[str] = set()
        self.alert: Accepted | None = None  # the first one that brought it
        self.first: Accepted | None = None  # the one whose candidate it is


def _known(point: Point | None, jd: float) -> KnownPoint:
    assert point is not None
    return KnownPoint(point.id, point.jd, point.rcid, point.programid, jd)


def _gather(alerts: Sequence[Accepted], stored: Mapping[int, StoredPoint]) -> dict[int, _Piece]:
    """Return the union of what is stored and what the alerts bring, by point id."""
    pieces = {number: _Piece(point, None, 0.0) for number, point in stored.items()}
    for alert in alerts:
        for point in alert.points:
            piece = pieces.get(point.id)
            if piece is None:
                piece = pieces[point.id] = _Piece(None, point, alert.jd)
            if alert.jd < piece.known.since:
                piece.known = msgspec.structs.replace(piece.known, since=alert.jd)
            if piece.alert is None:
                piece.alert = alert
            if piece.point is None or (point.full and not piece.point.full):
                piece.point = point
            if point.full and piece.first is None:
                piece.first = alert
            piece.channel.update(c for c in alert.channels)
    return pieces


def _newest(document: ObjectDocument | None, alerts: Sequence[Accepted]) -> dict[str, tuple[float, int]]:
    """Return, by channel, (jd, candid) of the newest alert that it accepted of this object."""
    newest = {c: (s.jd, s.alert) for c, s in document.state.items()} if document else {}
    for alert in alerts:
        for channel in alert.channels:
            newest[channel] = max(newest.get(channel, (float("-inf"), 0)), (alert.jd, alert.candid))
    return newest


class ObjectPlanner:
    """Plans the writes for one object.

    Parameters
    ----------
    alerts
        The accepted alerts of the object, in the order in which they came.
    document
        Its stock document, read before ``stored`` was, or None.
    stored
        Its points by id.
    private
        By channel: whether it has the right ``ZTF_PRIV``.
    provenance
        What every document says of this run.
    now
        Seconds since the epoch.
    """

    def __init__(
        self,
        alerts: Sequence[Accepted],
        document: ObjectDocument | None,
        stored: Mapping[int, StoredPoint],
        private: Mapping[str, bool],
        provenance: Provenance,
        now: float,
    ) -> None:
        self.alerts = alerts
        self.document = document
        self.private = private
        self.origin = msgspec.to_builtins(provenance)
        self.now = now
        self.stock = alerts[0].stock
        self.pieces = _gather(alerts, stored)
        self.newest = _newest(document, alerts)
        self._states: dict[tuple[float, bool], tuple[int, ...]] = {}

    def add_to(self, plan: Plan) -> None:
        """Add the writes of this object to a plan."""
        touched = self._plan_points(plan)
        links = self._plan_states(plan)
        self._plan_object(plan, links, touched=touched)

    def _meta(self, alert: Accepted, channel: str | None = None) -> dict[str, Any]:
        entry = {
            **self.origin,
            "ts": self.now,
            "alert": alert.candid,
            "jd": alert.jd,
            "topic": alert.coordinates.topic,
            "partition": alert.coordinates.partition,
            "offset": alert.coordinates.offset,
            "schema": alert.schema,
        }
        return entry if channel is None else {**entry, "channel": channel}

    def _may_see(self, channel: str, programid: int) -> bool:
        return is_visible(programid, private=self.private.get(channel, False))

    def _holders(self, known: KnownPoint) -> set[str]:
        """Return the channels whose newest state reaches over the point."""
        return {
            channel
            for channel, (jd, _) in self.newest.items()
            if known.since <= jd and known.jd <= jd and self._may_see(channel, known.programid)
        }

    def _plan_points(self, plan: Plan) -> bool:
        touched = False
        for piece in self.pieces.values():
            known, stored, point = piece.known, piece.stored, piece.point
            channel = self._holders(known) | {c for c in piece.channel if self._may_see(c, known.programid)}
            alert = piece.alert or self.alerts[0]
            full = piece.first is not None
            coordinates = msgspec.to_builtins(piece.first.coordinates) if piece.first else None
            if stored is None:
                assert point is not None
                document = PointDocument(
                    id=known.id,
                    stock=self.stock,
                    channel=tuple(sorted(channel)),
                    tag=point.tag,
                    body=point.body,
                    since=known.since,
                    first=coordinates,
                    meta=self._meta(piece.first or alert, min(alert.channels)),
                )
                plan.new.append(document)
                touched = True
                continue
            enrich = full and stored.first is None
            if not enrich and known.since >= stored.known.since and channel <= stored.channel:
                continue
            touched = True
            added = channel - stored.channel
            change = PointChange(
                id=known.id,
                stock=self.stock,
                channel=tuple(sorted(added)),
                since=known.since,
                body=point.body if enrich and point else None,
                first=coordinates if enrich else None,
                tag=point.tag if point else (),
                meta=self._meta(alert, min(added or alert.channels)),
            )
            plan.changed.append(change)
        return touched

    def _state(self, jd: float, channel: str) -> tuple[int, ...]:
        private = self.private.get(channel, False)
        if (jd, private) not in self._states:
            known = (piece.known for piece in self.pieces.values())
            self._states[jd, private] = state_of(known, jd=jd, private=private)
        return self._states[jd, private]

    def _plan_states(self, plan: Plan) -> dict[str, int]:
        """Add the states of these alerts, and of the newest ones that a late alert changed; return the newest links."""
        documents: dict[int, tuple[tuple[int, ...], dict[tuple[int, str], dict[str, Any]]]] = {}

        def state(jd: float, channel: str, key: tuple[int, str], meta: Mapping[str, Any]) -> int:
            dps = self._state(jd, channel)
            link = link_of(dps)
            documents.setdefault(link, (dps, {}))[1].setdefault(key, {**meta, "channel": channel, "jd": jd})
            return link

        for alert in self.alerts:
            for channel in alert.channels:
                key = (alert.candid, channel)
                plan.links[self.stock, *key] = state(alert.jd, channel, key, self._meta(alert))
        latest = {}
        earliest = min(alert.jd for alert in self.alerts)
        for channel, (jd, candid) in self.newest.items():
            if earliest <= jd:  # these alerts may have brought points that this state reaches over
                bringer = next((a for a in self.alerts if a.candid == candid), self.alerts[0])
                meta = {**self._meta(bringer), "alert": candid}
                latest[channel] = state(jd, channel, (candid, channel), meta)
        plan.states += [
            StateChange(
                stock=self.stock,
                link=link,
                dps=dps,
                channel=tuple(sorted({channel for _, channel in metas})),
                tag=TAG,
                meta=tuple(metas.values()),
            )
            for link, (dps, metas) in documents.items()
        ]
        return latest

    def _plan_object(self, plan: Plan, links: Mapping[str, int], *, touched: bool) -> None:
        old = self.document
        state = dict(old.state) if old else {}
        for channel, link in links.items():
            jd, candid = self.newest[channel]
            state[channel] = ObjectState(link=link, alert=candid, jd=jd)
        known = dict(old.known) if old else {}
        for alert in self.alerts:
            for channel, own in alert.channels.items():
                if own:
                    known[channel] = min(known.get(channel, alert.jd), alert.jd)
        new = ObjectDocument(
            id=self.stock,
            name=tuple(sorted({*(old.name if old else ()), *(a.name for a in self.alerts)})),
            tag=tuple(sorted({*(old.tag if old else ()), *TAG})),
            channel=tuple(sorted({*(old.channel if old else ()), *self.newest})),
            state=state,
            known=known,
            ts=old.ts if old else {},
            journal=self._journal(plan.links),
            rev=old.rev if old else 0,
        )
        if touched or new != old:
            new = msgspec.structs.replace(new, rev=new.rev + 1, ts=self._times())
            plan.objects.append((new.rev - 1, new))

    def _journal(self, links: Mapping[tuple[int, int, str], int]) -> tuple[Mapping[str, Any], ...]:
        """Return the newest entries by jd: an entry that is there stays, one too old to be kept changes nothing."""
        entries = {(e["alert"], e["channel"]): e for e in (self.document.journal if self.document else ())}
        for alert in self.alerts:
            for channel in alert.channels:
                key = (alert.candid, channel)
                if key not in entries:
                    entries[key] = {**self._meta(alert, channel), "tier": 0, "link": links[self.stock, *key]}
        ordered = sorted(entries.values(), key=lambda e: (e["jd"], e["alert"], e["channel"]))
        return tuple(ordered[-JOURNAL_LENGTH:])

    def _times(self) -> dict[str, dict[str, float]]:
        times = {c: dict(t) for c, t in (self.document.ts if self.document else {}).items()}
        for channel in {"any", *(c for a in self.alerts for c in a.channels)}:
            times.setdefault(channel, {"tied": self.now})["upd"] = self.now
        return times


def make_plan(
    alerts: Mapping[int, Sequence[Accepted]],
    objects: Mapping[int, ObjectDocument],
    points: Mapping[int, Mapping[int, StoredPoint]],
    private: Mapping[str, bool],
    provenance: Provenance,
    now: float,
) -> Plan:
    """Return the writes for the accepted alerts of several objects, by stock number."""
    plan = Plan([], [], [], [], {})
    for stock, group in alerts.items():
        ObjectPlanner(group, objects.get(stock), points.get(stock, {}), private, provenance, now).add_to(plan)
    return plan
