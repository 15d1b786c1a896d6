"""What is remembered of an object saves a read and decides nothing."""

import asyncio

from fakes.store import MemoryStore
from hypothesis import given
from hypothesis import strategies as st
from support.nights import PRIVATE, accepted, alerts_of_one_object
from support.pipelines import channel
from support.planned import PROVENANCE, objects, points, states, stored
from support.store import an_object

from ampeld.alert.point import Point
from ampeld.errors import RetryableError
from ampeld.flow.record import Coordinates
from ampeld.stages import deduplicate
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.views import LONGEST_S, Views
from ampeld.store.documents import StoredPoint

CHANNELS = [
    channel(name, access=("ZTF_PUB", "ZTF_PRIV") if private else ("ZTF_PUB",)) for name, private in PRIVATE.items()
]
many_objects = st.tuples(alerts_of_one_object(1), alerts_of_one_object(2)).map(
    lambda both: sorted([*both[0], *both[1]], key=lambda a: (a.jd, a.stock))
)


def a_flusher(store):
    return Flusher(store, PROVENANCE, "group")


async def flush(flusher, alerts):
    links, firsts, _ = await flusher._write(alerts, CHANNELS)
    own = {alert.heads[0].id for alert in alerts}
    firsts |= await flusher._store.find_first(sorted(own - firsts.keys()))
    return links, {number: firsts[number] for number in own}


async def persist(flusher, alerts):
    """Flush until it is done, as the stage does."""
    while True:
        try:
            return await flush(flusher, alerts)
        except RetryableError:
            continue


@given(many_objects)
def test_alerts_one_by_one_leave_what_they_leave_without_memory(alerts):
    async def run():
        store = MemoryStore()
        flusher = a_flusher(store)
        for alert in alerts:
            await flush(flusher, [alert])
        return store

    remembered, read = asyncio.run(run()), stored([[a] for a in alerts])
    assert points(remembered) == points(read)
    assert objects(remembered) == objects(read)
    assert states(remembered) == states(read)


@given(many_objects, st.randoms())
def test_two_daemons_with_memories_and_alerts_of_the_same_objects_end_with_the_right_states(alerts, random):
    """One swaps while the other is about to; some flushes break off and are repeated; each remembers what it wrote."""

    async def run():
        store = MemoryStore()
        daemons = a_flusher(store), a_flusher(store)
        dealt = [(alert, random.randrange(2)) for alert in alerts]
        while dealt:
            alert, daemon = dealt.pop(0)
            if dealt and random.random() < 0.4:
                other, _ = dealt.pop(0)

                async def race(_, other=other, rival=daemons[1 - daemon]):
                    store.before_swap = None
                    await persist(rival, [other])

                store.before_swap = race
            if random.random() < 0.2:
                store.fail_next(random.choice(["write_points", "swap_objects", "write_states"]), after=True)
            await persist(daemons[daemon], [alert])
            if store.before_swap is not None:  # nothing was swapped: the rival writes behind
                await store.before_swap(())
            if random.random() < 0.3:
                await flush(daemons[1 - daemon], [alert])  # delivered again, to the other
        return store

    raced, in_order = asyncio.run(run()), stored([[a] for a in alerts])
    assert points(raced) == points(in_order)
    assert objects(raced) == objects(in_order)
    for document in raced.objects.values():
        for taker, state in document.state.items():
            assert taker in raced.states[document.id, state.link]["channel"]


@given(many_objects, st.randoms())
def test_who_brought_a_point_first_is_what_the_store_says(alerts, random):
    async def run():
        store = MemoryStore()
        daemons = a_flusher(store), a_flusher(store)
        for alert in alerts:
            for _ in range(random.randrange(1, 3)):
                _, firsts = await flush(random.choice(daemons), [alert])
                for number, first in firsts.items():
                    assert first == Coordinates(**store.points[number]["first"])

    asyncio.run(run())


@given(many_objects)
def test_objects_in_lanes_of_their_own_are_written_as_one_after_the_other(alerts):
    async def run():
        store = MemoryStore()
        await persist(a_flusher(store), alerts)
        return store

    usual = deduplicate.LANE_OBJECTS
    deduplicate.LANE_OBJECTS = 1
    try:
        in_lanes = asyncio.run(run())
    finally:
        deduplicate.LANE_OBJECTS = usual
    one_by_one = stored([[a] for a in alerts])
    assert in_lanes.calls["swap_objects"] == 2
    assert (points(in_lanes), objects(in_lanes)) == (points(one_by_one), objects(one_by_one))
    assert states(in_lanes) == states(one_by_one)


async def test_an_object_that_is_met_again_is_not_read_again():
    alerts = _alerts(3)
    store = MemoryStore()
    flusher = a_flusher(store)
    for alert in alerts:
        await flush(flusher, [alert])
    assert store.calls["find_points"] == 1
    await flush(a_flusher(store), [alerts[0]])
    assert store.calls["find_points"] == 2


async def test_an_object_that_somebody_else_has_written_is_read_again():
    first, second, third = _alerts(3)
    store = MemoryStore()
    ours, theirs = a_flusher(store), a_flusher(store)
    await flush(ours, [first])
    await flush(theirs, [second])
    await flush(ours, [third])
    assert store.calls["find_points"] == 3


def _alerts(count):
    return [
        accepted(
            [Point(day, float(day), 1, 1, ("ZTF",), {"jd": float(day), "rcid": 1, "programid": 1}, True)],
            coordinates=Coordinates("t", 0, day),
            candid=day,
            stock=1,
            name="o",
            jd=float(day),
            schema="s",
            channels={"public": True},
        )
        for day in range(1, count + 1)
    ]


def test_the_objects_that_were_not_written_for_longest_are_forgotten_first():
    views = Views(most_points=5, clock=lambda: 0.0)
    view = {number: StoredPoint(None, frozenset(), None) for number in range(2)}
    for stock in (1, 2, 1, 3):
        views.keep(stock, stock, view)
    assert len(views) == 4
    held = [stock for stock in (1, 2, 3) if stock in views._held]
    assert held == [1, 3]


def test_a_view_is_forgotten_after_half_a_day():
    """An object may be purged and made anew up to an equal revision, but not within that time."""
    now = [0.0]
    views = Views(clock=lambda: now[0])
    for stock in (1, 2):
        views.keep(stock, 5, {number: StoredPoint(None, frozenset(), None) for number in range(2)})
        now[0] += 3600.0
    document = an_object(id_=1, rev=5)
    now[0] = LONGEST_S
    assert views.find(1, document) is not None
    now[0] += 1.0
    assert views.find(1, document) is None
    assert views.find(2, document) is not None
    assert len(views) == 2
