"""From claimed tickets to cases: states, points, objects and what the units build upon, many with one query."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from ampeld.daemon.measuring.cases import CaseBuilder, Posed, Refusal, Thing, in_order
from ampeld.daemon.measuring.opening import Key
from ampeld.feature.links import detections, linked
from ampeld.feature.views import ObjectView
from ampeld.feature.work import COL_OBJECT, COL_POINT, COL_STATE, Case, unpacked
from ampeld.flow.codes import INTERNAL_ERROR
from ampeld.flow.wanted import Recipe
from ampeld.stages.measure_bodies import fields_read
from ampeld.stages.measure_work import view_of
from ampeld.stages.ports import Store
from ampeld.store.documents import FeatureKey, StoredFeature
from ampeld.store.packed import PackedPoint, pack_point
from ampeld.store.tickets import Ticket, Tickets


class Load(msgspec.Struct, frozen=True):
    """Tickets that can be measured, and those that cannot."""

    cases: Sequence[Case]
    posed: Sequence[Sequence[Posed]]
    """By case: which of its jobs are tickets."""
    refused: Sequence[tuple[Ticket, Refusal]]


class Loader:
    """Loads tickets.

    Parameters
    ----------
    store
        Where bodies, objects and features lie.
    tickets
        Where states lie.
    """

    def __init__(self, store: Store, tickets: Tickets) -> None:
        self._store = store
        self._tickets = tickets

    async def load(self, claimed: Sequence[Ticket], recipes: Mapping[Key, Recipe]) -> Load:
        """Return the cases of tickets.

        Parameters
        ----------
        claimed
            The tickets, of these units.
        recipes
            The units in force, each behind those that it builds upon.

        Raises
        ------
        RetryableError
            If the store does not do its part.
        """
        tickets = in_order(claimed, recipes)
        dps = await self._ids(tickets)
        fields = fields_read(
            {_survey(one) for one in tickets}, [recipes[key] for key in {_key(one) for one in tickets}]
        )
        points = await self._points(tickets, fields)
        views = await self._views(tickets)
        things = _things(tickets, recipes, dps, points, views)
        below = {key for thing in things.values() for key in thing.below if key is not None}
        below -= {one.key for one in tickets}
        known = await self._store.find_features(list(below)) if below else {}
        # Thousands of points: in a thread, so that the flow goes on meanwhile.
        return await asyncio.to_thread(_build, tickets, things, known, points, views)

    async def _points(self, tickets: Sequence[Ticket], fields: Sequence[str] | None) -> Mapping[int, PackedPoint]:
        stocks = {one.key.stock for one in tickets if one.key.col == COL_STATE}
        points = await self._tickets.find_points(sorted(stocks), fields) if stocks else {}
        # A unit that measures points may ask for their tags.
        single = {one.key.link for one in tickets if one.key.col == COL_POINT}
        found = await self._store.find_bodies(sorted(single), fields) if single else {}
        return {**points, **{number: pack_point(held) for number, held in found.items()}}

    async def _ids(self, tickets: Sequence[Ticket]) -> dict[FeatureKey, tuple[int, ...]]:
        """Return the ids of the points that each ticket measures; nothing for a state that is not there."""
        states = [(one.key.stock, one.key.link) for one in tickets if one.key.col == COL_STATE]
        found = await self._tickets.find_states(states) if states else {}
        points: dict[FeatureKey, tuple[int, ...]] = {}
        for one in tickets:
            if one.key.col == COL_POINT:
                points[one.key] = (one.key.link,)
            elif one.key.col == COL_OBJECT:
                points[one.key] = ()
            elif (dps := found.get((one.key.stock, one.key.link))) is not None:
                points[one.key] = tuple(dps)
        return points

    async def _views(self, tickets: Sequence[Ticket]) -> dict[int, ObjectView]:
        stocks = {one.key.stock: _survey(one) for one in tickets if one.key.col == COL_OBJECT}
        found = await self._store.find_objects(sorted(stocks)) if stocks else {}
        return {stock: view_of(document, stocks[stock]) for stock, document in found.items()}


def _things(
    tickets: Sequence[Ticket],
    recipes: Mapping[Key, Recipe],
    dps: Mapping[FeatureKey, tuple[int, ...]],
    points: Mapping[int, PackedPoint],
    views: Mapping[int, ObjectView],
) -> dict[FeatureKey, Thing]:
    """Return what each ticket measures; nothing for what is not in the store."""
    things = {}
    full = {number for number, held in points.items() if held.full}
    for one in tickets:
        ids = dps.get(one.key)
        there = ids is not None and points.keys() >= set(ids)
        if there and (one.key.col != COL_OBJECT or one.key.stock in views):
            things[one.key] = _thing(one, recipes[_key(one)], ids or (), points, full)
    return things


def _build(
    tickets: Sequence[Ticket],
    things: Mapping[FeatureKey, Thing],
    known: Mapping[FeatureKey, StoredFeature],
    points: Mapping[int, PackedPoint],
    views: Mapping[int, ObjectView],
) -> Load:
    waiting = {one.key: one for one in tickets}
    builders: dict[int, CaseBuilder] = {}
    refused = []
    for one in tickets:
        thing = things.get(one.key)
        if thing is None:
            refused.append((one, Refusal(INTERNAL_ERROR, "what it is to be measured of is not in the store")))
            continue
        builder = builders.setdefault(one.key.stock, CaseBuilder(_survey(one), known, waiting))
        refusal = builder.add(one, thing)
        if refusal is not None:
            refused.append((one, refusal))
    used = {stock: builder for stock, builder in builders.items() if builder.posed}
    rows = {number: (number, held.jd, held.tag, held.body) for number, held in points.items()}
    cases = [builder.case(rows, views.get(stock)) for stock, builder in used.items()]
    return Load(cases, [builder.posed for builder in used.values()], refused)


def _thing(
    ticket: Ticket,
    recipe: Recipe,
    ids: tuple[int, ...],
    points: Mapping[int, PackedPoint],
    full: set[int],
) -> Thing:
    detected: Sequence[int] = ()
    if recipe.depends:
        known = [(number, points[number].jd, unpacked(points[number].body)) for number in ids]
        detected = detections(_survey(ticket), known)
    at = ticket.key.col, ticket.key.link
    below = []
    for other, link in recipe.depends:
        where = linked(at, other.kind, link, ticket.key.stock, detected)
        key = None if where is None else FeatureKey(ticket.key.stock, where[0], other.unit, other.config, where[1])
        below.append(key)
    return Thing(ids, len(full.intersection(ids)), tuple(below))


def _survey(ticket: Ticket) -> str:
    return "lsst" if "LSST" in ticket.tag else "ztf"


def _key(ticket: Ticket) -> Key:
    return ticket.key.unit, ticket.key.config
