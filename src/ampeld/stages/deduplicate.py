"""Write what passed, once: a flush is a sequence of idempotent steps, repeated until every one is durable.

Points, then objects by compare-and-swap, then states, then features, then the verdict block; offsets are committed
behind it. Features are measured while points and objects are written.
A crash between two steps is repaired by redelivery, because the plan follows from what is stored
(`ampeld.stages.plan`), and an object lost to another daemon's swap is read and planned again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import msgspec
import stamina

from ampeld.channel.channel import Channel
from ampeld.channel.panel import may_see_private
from ampeld.errors import InvariantError, RetryableError
from ampeld.flow.apart import apart
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver, Sender
from ampeld.flow.record import Coordinates
from ampeld.flow.together import together
from ampeld.flow.verdict import accepts
from ampeld.stages.accept import accepted
from ampeld.stages.account import Bookkeeper
from ampeld.stages.gather import Gatherer
from ampeld.stages.known import follow_known, stocks_to_ask
from ampeld.stages.measure import Harvest, Measuring
from ampeld.stages.plan import make_plan
from ampeld.stages.ports import Provenance, Store
from ampeld.stages.unstorable import without
from ampeld.stages.values import Accepted, Brought, Flushed, Judged, Owners, Plan, flushed
from ampeld.stages.views import NO_BODIES, Bodies, Views
from ampeld.store.documents import Account, ObjectDocument, StoredPoint
from ampeld.store.errors import UnstorableError

MAX_WAIT_S = 5.0
MAX_LANES = 4
LANE_OBJECTS = 32
"""Objects that are worth a lane of their own: fewer are written one step after the other."""

Links = dict[tuple[int, int, str], int]
Firsts = dict[int, Coordinates]
Reaped = tuple[Harvest, frozenset[int]]
"""What was measured for a plan, and the objects whose swap was lost: of these it is not written."""


class Stored(msgspec.Struct, frozen=True, eq=False):
    """What has been written of some batches, and what remains to be."""

    followed: list[Judged]
    """The batches with known objects followed."""
    links: Links
    brought: Owners
    harvests: list[Reaped]
    """Features, to be written behind the states."""


class Flusher:
    """Makes the outcomes of judged batches durable.

    Parameters
    ----------
    store
        Where everything is written.
    provenance
        What every document says of this run.
    group
        The consumer group that verdict blocks are kept under.
    measuring
        Measures what channels want; without it everything that they want becomes a ticket.
    """

    def __init__(self, store: Store, provenance: Provenance, group: str, measuring: Measuring | None = None) -> None:
        self._store = store
        self._measuring = measuring or Measuring(store)
        self._provenance = provenance
        self._bookkeeper = Bookkeeper(store, provenance, group)
        self._views = Views(clock=monotonic)

    async def flush(self, batches: Sequence[Judged]) -> Account:
        """Write everything that these batches say, once through; what was written before changes nothing.

        The batches were judged by the same channels.
        """
        stored = await self._store_what_can_be(batches)
        account = await self._bookkeeper.account(stored.followed, stored.links, stored.brought)
        # The block does not tell of features, and offsets are committed behind both: one wait for the journal will do.
        await together("close", [self._write_features(stored.harvests), self._store.write_account(account)])
        reach("after_block")
        return account

    async def _store_what_can_be(self, batches: Sequence[Judged]) -> Stored:
        """Write points, objects and states; what no server can hold becomes a dead letter instead."""
        while True:
            try:
                return await self._store_documents(batches)
            except UnstorableError as error:
                fewer = without(batches, error.document, str(error))
                if all(len(a.decoded.rows) == len(b.decoded.rows) for a, b in zip(fewer, batches, strict=True)):
                    raise InvariantError(f"no alert of the flush carries what cannot be stored: {error}") from error
                batches = fewer

    async def store(self, batches: Sequence[Judged]) -> tuple[list[Judged], Links, Owners]:
        """Write the documents of what was accepted, without an account of it.

        Returns
        -------
        tuple
            The batches with known objects followed; the links of the states by (stock, candid, channel);
            the own point of each accepted alert, by its coordinates.
        """
        stored = await self._store_documents(batches)
        await self._write_features(stored.harvests)
        return stored.followed, stored.links, stored.brought

    async def _store_documents(self, batches: Sequence[Judged]) -> Stored:
        stocks = stocks_to_ask(batches)
        known = await self._store.find_known(sorted(stocks)) if stocks else {}
        followed = follow_known(batches, known)
        taken = sum(int(accepts(judged.codes).any(axis=0).sum()) for judged in followed)
        if not taken:
            return Stored(followed, {}, {}, [])
        alerts = await apart(taken, accepted, followed)
        links, firsts, harvests = await self._write(alerts, batches[0].channels)
        # By coordinates: alerts of one candid may have own points of different numbers, where these are hashes.
        own = {alert.coordinates: alert.heads[0].id for alert in alerts}
        if unknown := sorted(set(own.values()) - firsts.keys()):
            firsts |= await self._store.find_first(unknown)
        if missing := set(own.values()) - firsts.keys():
            raise InvariantError(f"points without the coordinates that brought them: {sorted(missing)[:5]}")
        brought = {alert: Brought(point, firsts[point]) for alert, point in own.items()}
        return Stored(followed, links, brought, harvests)

    async def _write_features(self, harvests: Sequence[Reaped]) -> None:
        """Write what was measured, behind the states that it was measured of."""
        await together("features", [self._measuring.write(harvest, lost=lost) for harvest, lost in harvests])
        reach("after_features")

    async def _write(
        self, alerts: Sequence[Accepted], channels: Sequence[Channel]
    ) -> tuple[Links, Firsts, list[Reaped]]:
        """Write points, objects and states of the accepted alerts.

        Returns
        -------
        tuple
            The links, who brought which point, and what was measured meanwhile.
        """
        objects: dict[int, list[Accepted]] = {}
        for alert in alerts:
            objects.setdefault(alert.stock, []).append(alert)
        stocks = list(objects)
        # While the server works for some objects, the next are planned, and the journal is waited for only once.
        lanes = max(1, min(MAX_LANES, len(stocks) // LANE_OBJECTS))
        groups = [{stock: objects[stock] for stock in stocks[lane::lanes]} for lane in range(lanes)]
        links: Links = {}
        firsts: Firsts = {}
        reaped: list[Reaped] = []
        for some_links, some_firsts, some in await together(
            "write", [self._write_objects(g, channels) for g in groups]
        ):
            links |= some_links
            firsts |= some_firsts
            reaped += some
        return links, firsts, reaped

    async def _write_objects(
        self, pending: Mapping[int, Sequence[Accepted]], channels: Sequence[Channel]
    ) -> tuple[Links, Firsts, list[Reaped]]:
        private = {channel.name: may_see_private(channel) for channel in channels}
        origin = msgspec.structs.replace(self._provenance, channels={c.name: c.version for c in channels})
        links: Links = {}
        firsts: Firsts = {}
        reaped: list[Reaped] = []
        while pending:
            objects = await self._store.find_objects(
                list(pending)
            )  # STRICTLY BEFORE the points: see the swap's promise
            points = await self._find_points(pending, objects)
            now = datetime.now(UTC).timestamp()
            plan = await apart(len(pending), make_plan, pending, objects, points, private, origin, now)
            reach("before_points")
            ways: list[Coroutine[Any, Any, Any]] = [self._write_planned(plan)]
            if any(channel.features for channel in channels):
                plan.bodies = {stock: self._views.bodies(stock, document) for stock, document in objects.items()}
                ways.append(self._measuring.measure(pending, plan, channels=channels, origin=origin, now=now))
            (met, lost), *harvests = await together("flush", ways)
            bodies = {stock: of_one for harvest in harvests for stock, of_one in harvest.bodies.items()}
            self._remember({stock: bodies.get(stock, NO_BODIES) for stock in pending if stock not in lost}, plan, met)
            for stock in lost:
                self._views.forget(stock)
            reaped += [(harvest, frozenset(lost)) for harvest in harvests]
            links |= plan.links
            firsts |= {point: first for point, first in plan.firsts.items() if point not in met}
            pending = {stock: alerts for stock, alerts in pending.items() if stock in lost}
        return links, firsts, reaped

    async def _write_planned(self, plan: Plan) -> tuple[set[int], set[int]]:
        """Write points, objects and states; return the points that existed by now, and the objects lost."""
        met = await self._store.write_points(plan.new, plan.changed) if plan.new or plan.changed else set()
        reach("after_points")
        lost = await self._store.swap_objects(plan.objects) if plan.objects else set()
        reach("after_objects")
        states = [state for state in plan.states if state.stock not in lost]
        if states:
            await self._store.write_states(states)
        reach("after_states")
        return met, lost

    async def _find_points(
        self, stocks: Iterable[int], objects: Mapping[int, ObjectDocument]
    ) -> Mapping[int, Mapping[int, StoredPoint]]:
        """Return the points of objects; one without a document may have some too, of a flush that broke off."""
        found = {stock: self._views.find(stock, objects.get(stock)) for stock in stocks}
        known = {stock: view for stock, view in found.items() if view is not None}
        unknown = [stock for stock, view in found.items() if view is None]
        return {**known, **(await self._store.find_points(unknown) if unknown else {})}

    def _remember(self, stocks: Mapping[int, Bodies], plan: Plan, met: AbstractSet[int]) -> None:
        """Keep the views of what was written as it was planned, with bodies of the points."""
        for stock, bodies in stocks.items():
            rev, view = plan.views.get(stock, (0, {}))
            if view and met.isdisjoint(view):
                self._views.keep(stock, rev, view, bodies)
            else:
                self._views.forget(stock)


async def deduplicate(
    inbox: Receiver[Judged],
    outbox: Sender[Flushed],
    *,
    flusher: Flusher,
    max_records: int,
    on_flushed: Callable[[Account, Sequence[Judged]], None],
    on_trouble: Callable[[RetryableError], None],
    on_written: Callable[[float], None],
) -> None:
    """Flush batches as they come, as many at once as are there and the same channels judged, until the store has them.

    ``on_flushed`` is told of every account after it has become durable, ``on_written`` of the seconds that it took,
    ``on_trouble`` of every try that failed.
    """
    clock = asyncio.get_running_loop().time
    with inbox, outbox:
        gatherer = Gatherer(inbox, max_records)
        while batches := await gatherer.next():
            began = clock()
            account = await _persist(flusher, batches, on_trouble)
            on_written(clock() - began)
            on_flushed(account, batches)
            settled = [flushed(judged.decoded.batch) for judged in batches]
            del account, batches  # their payloads are not to lie about while the next ones are gathered
            for some in settled:
                await outbox.send(some)


async def _persist(
    flusher: Flusher, batches: Sequence[Judged], on_trouble: Callable[[RetryableError], None]
) -> Account:
    """Flush, again and again until it is done: the store's trouble is waited out, it never costs an alert."""
    async for attempt in stamina.retry_context(
        on=RetryableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=MAX_WAIT_S
    ):
        with attempt:
            try:
                return await flusher.flush(batches)
            except RetryableError as error:
                on_trouble(error)
                raise
    raise InvariantError("a retry without end has ended")
