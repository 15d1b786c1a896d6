"""What a store holds after flushes of accepted alerts, to be compared whatever the order, batches and repeats."""

import asyncio
import itertools

from fakes.store import MemoryStore
from support.nights import PRIVATE

from ampeld.stages.plan import make_plan
from ampeld.stages.ports import Provenance

PROVENANCE = Provenance(run="r", version="1", config="c", instance="main")


async def write(store, alerts):
    """Do as the flusher does for one flush."""
    pending = {}
    for alert in alerts:
        pending.setdefault(alert.stock, []).append(alert)
    while pending:
        objects = await store.find_objects(list(pending))
        points = await store.find_points(list(pending))
        plan = make_plan(pending, objects, points, PRIVATE, PROVENANCE, 1.0)
        await store.write_points(plan.new, plan.changed)
        lost = await store.swap_objects(plan.objects)
        await store.write_states([s for s in plan.states if s.stock not in lost])
        pending = {stock: group for stock, group in pending.items() if stock in lost}
    return plan


def stored(flushes):
    """Return a store after these flushes of accepted alerts."""

    async def run():
        store = MemoryStore()
        for alerts in flushes:
            await write(store, alerts)
        return store

    return asyncio.run(run())


def points(store):
    return {
        number: (p["body"], sorted(p["stock"]), sorted(p["channel"]), p["since"], p["first"])
        for number, p in store.points.items()
    }


def objects(store):
    return {o.id: (o.name, o.tag, o.channel, o.state, o.known) for o in store.objects.values()}


def states(store):
    return {key: (s["dps"], sorted(s["channel"])) for key, s in store.states.items()}


def cut(alerts, cuts):
    """Return the alerts as consecutive flushes."""
    edges = [0, *sorted(c % (len(alerts) + 1) for c in cuts), len(alerts)]
    return [alerts[a:b] for a, b in itertools.pairwise(edges) if a < b]
