"""What has to be written for accepted alerts, given what the store knows: pure, so that it may be repeated at will.

Everything follows from the set of accepted alerts (`ampeld.alert.history`), so a plan made again from what is stored
changes nothing, and one made after a lost swap repairs what two daemons did to one object at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ampeld.alert.history import is_visible, state_of
from ampeld.alert.identity import link_of
from ampeld.flow.record import Coordinates
from ampeld.stages.ports import Provenance
from ampeld.stages.stamp import Stamps
from ampeld.stages.union import unite
from ampeld.stages.values import Accepted, Piece, Plan
from ampeld.stages.views import View
from ampeld.store.documents import (
    ObjectDocument,
    ObjectState,
    PointChange,
    PointDocument,
    StateChange,
    StoredPoint,
)

JOURNAL_LENGTH = 100


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
    stamps
        Makes the provenance of what is written.
    """

    def __init__(
        self,
        alerts: Sequence[Accepted],
        document: ObjectDocument | None,
        stored: Mapping[int, StoredPoint],
        private: Mapping[str, bool],
        stamps: Stamps,
    ) -> None:
        self.alerts = alerts
        self.document = document
        self.private = private
        self.stamps = stamps
        self.stock = alerts[0].stock
        self.tag = (alerts[0].survey.upper(),)
        self.pieces = unite(alerts, stored)
        self.newest = _newest(document, alerts)
        self._known = [piece.known for piece in self.pieces.values()]
        self._reached = min(jd for jd, _ in self.newest.values())
        self._seers: dict[int, frozenset[str]] = {}
        self._states: dict[tuple[float, bool], tuple[int, ...]] = {}

    def add_to(self, plan: Plan) -> None:
        """Add the writes of this object to a plan."""
        touched = self._plan_points(plan)
        plan.firsts |= self._firsts()
        links = self._plan_states(plan)
        rev = self._plan_object(plan, links, touched=touched)
        if (view := self._view()) is not None:
            plan.views[self.stock] = rev, view
        plan.pieces[self.stock] = self.pieces

    def _may_see(self, channel: str, programid: int) -> bool:
        return is_visible(programid, private=self.private.get(channel, False))

    def _channels(self, piece: Piece) -> frozenset[str]:
        """Return the channels whose newest state reaches over the point, and those that it was brought to."""
        known = piece.known
        seers = self._seers.get(known.programid)
        if seers is None:
            seers = frozenset(c for c in self.newest if self._may_see(c, known.programid))
            self._seers[known.programid] = seers
        if known.since <= self._reached and known.jd <= self._reached:
            return seers  # as nearly always: then every newest state reaches over it
        reaching = {c for c, (jd, _) in self.newest.items() if known.since <= jd and known.jd <= jd}
        return seers & reaching.union(*(alert.channels for alert in piece.carriers))

    def _plan_points(self, plan: Plan) -> bool:
        before = len(plan.new) + len(plan.changed)
        for piece in self.pieces.values():
            if piece.stored is None:
                plan.new.append(self._new(piece))
            elif (change := self._change(piece, piece.stored)) is not None:
                plan.changed.append(change)
        return len(plan.new) + len(plan.changed) > before

    def _firsts(self) -> dict[int, Coordinates]:
        firsts = {}
        for piece in self.pieces.values():
            if piece.first is not None:
                if piece.stored is None:
                    firsts[piece.known.id] = piece.first.coordinates
                elif piece.stored.first is not None:
                    firsts[piece.known.id] = piece.stored.first
        return firsts

    def _view(self) -> View | None:
        """Return the points as they will be; None where a point's first bringer is decided only by the store."""
        view = {}
        for number, piece in self.pieces.items():
            stored = piece.stored
            if stored is None:
                first = piece.first.coordinates if piece.first else None
                view[number] = StoredPoint(piece.known, self._channels(piece), first)
            elif piece.first is not None and stored.first is None:
                return None
            else:
                channels = self._channels(piece)
                same = piece.known is stored.known and channels <= stored.channel
                view[number] = stored if same else StoredPoint(piece.known, stored.channel | channels, stored.first)
        return view

    def _new(self, piece: Piece) -> PointDocument:
        head, first = piece.head, piece.first
        assert head is not None
        bringer = first or piece.carriers[0]
        return PointDocument(
            id=head.id,
            stock=self.stock,
            channel=tuple(sorted(self._channels(piece))),
            tag=head.tag,
            body=piece.body(),
            since=piece.known.since,
            first=msgspec.to_builtins(first.coordinates) if first else None,
            meta=self.stamps.of(bringer, min(bringer.channels)),
        )

    def _change(self, piece: Piece, stored: StoredPoint) -> PointChange | None:
        """Return what the alerts add to a stored point, None where that is nothing."""
        first = piece.first if stored.first is None else None
        channels = self._channels(piece)
        if first is None and piece.known.since >= stored.known.since and channels <= stored.channel:
            return None
        added = channels - stored.channel
        alert = piece.carriers[0] if piece.carriers else self.alerts[0]
        head = piece.head
        return PointChange(
            id=stored.known.id,
            stock=self.stock,
            channel=tuple(sorted(added)),
            since=piece.known.since,
            body=piece.body() if first else None,
            first=msgspec.to_builtins(first.coordinates) if first else None,
            tag=head.tag if head else (),
            meta=self.stamps.of(alert, min(added or alert.channels)),
        )

    def _state(self, jd: float, channel: str) -> tuple[int, ...]:
        private = self.private.get(channel, False)
        if (jd, private) not in self._states:
            self._states[jd, private] = state_of(self._known, jd=jd, private=private)
        return self._states[jd, private]

    def _plan_states(self, plan: Plan) -> dict[str, int]:
        """Add the states of these alerts, and of the newest ones that a late alert changed; return the newest links."""
        documents: dict[int, tuple[tuple[int, ...], dict[tuple[int, str], dict[str, Any]]]] = {}

        def state(jd: float, candid: int, channel: str, bringer: Accepted) -> int:
            dps = self._state(jd, channel)
            link = link_of(dps)
            meta = {**self.stamps.of(bringer, channel), "alert": candid, "jd": jd}
            documents.setdefault(link, (dps, {}))[1].setdefault((candid, channel), meta)
            return link

        for alert in self.alerts:
            for channel in alert.channels:
                link = state(alert.jd, alert.candid, channel, alert)
                plan.links[self.stock, alert.candid, channel] = link
        latest = {}
        earliest = min(alert.jd for alert in self.alerts)
        for channel, (jd, candid) in self.newest.items():
            if earliest <= jd:  # these alerts may have brought points that this state reaches over
                bringer = next((a for a in self.alerts if a.candid == candid), self.alerts[0])
                latest[channel] = state(jd, candid, channel, bringer)
        plan.states += [
            StateChange(
                stock=self.stock,
                link=link,
                dps=dps,
                channel=tuple(sorted({channel for _, channel in metas})),
                tag=self.tag,
                meta=tuple(metas.values()),
            )
            for link, (dps, metas) in documents.items()
        ]
        return latest

    def _plan_object(self, plan: Plan, links: Mapping[str, int], *, touched: bool) -> int:
        """Add the object's document if it changes, and return its revision."""
        old = self.document
        state = dict(old.state) if old else {}
        for channel, link in links.items():
            jd, candid = self.newest[channel]
            state[channel] = ObjectState(link=link, alert=candid, jd=jd, group=self._group(channel, candid))
        known = dict(old.known) if old else {}
        for alert in self.alerts:
            for channel, own in alert.channels.items():
                if own:
                    known[channel] = min(known.get(channel, alert.jd), alert.jd)
        new = ObjectDocument(
            id=self.stock,
            name=tuple(sorted({*(old.name if old else ()), *(a.name for a in self.alerts)})),
            tag=tuple(sorted({*(old.tag if old else ()), *self.tag})),
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
        plan.after[self.stock] = new
        return new.rev

    def _group(self, channel: str, candid: int) -> int | None:
        """Return the group in which a channel accepted its newest alert: now, or as it is stored."""
        for alert in self.alerts:
            if alert.candid == candid and channel in alert.groups:
                return alert.groups[channel]
        held = self.document.state.get(channel) if self.document else None
        return held.group if held is not None and held.alert == candid else None

    def _journal(self, links: Mapping[tuple[int, int, str], int]) -> tuple[Mapping[str, Any], ...]:
        """Return the newest entries by jd: an entry that is there stays, one too old to be kept changes nothing."""
        entries = {(e["alert"], e["channel"]): e for e in (self.document.journal if self.document else ())}
        for alert in self.alerts:
            for channel in alert.channels:
                key = (alert.candid, channel)
                if key not in entries:
                    entries[key] = {**self.stamps.of(alert, channel), "tier": 0, "link": links[self.stock, *key]}
        ordered = sorted(entries.values(), key=lambda e: (e["jd"], e["alert"], e["channel"]))
        return tuple(ordered[-JOURNAL_LENGTH:])

    def _times(self) -> dict[str, dict[str, float]]:
        times = {c: dict(t) for c, t in (self.document.ts if self.document else {}).items()}
        for channel in {"any", *(c for a in self.alerts for c in a.channels)}:
            times.setdefault(channel, {"tied": self.stamps.now})["upd"] = self.stamps.now
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
    plan = Plan([], [], [], [], {}, {}, {}, {}, {}, {})
    stamps = Stamps(provenance, now)
    for stock, group in alerts.items():
        ObjectPlanner(group, objects.get(stock), points.get(stock, {}), private, stamps).add_to(plan)
    return plan
