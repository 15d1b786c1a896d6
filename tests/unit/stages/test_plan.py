"""De-duplication: what is stored follows from the set of accepted alerts, whatever the order, batches and repeats."""

import asyncio

from fakes.store import MemoryStore
from hypothesis import given
from hypothesis import strategies as st
from support.nights import accepted, alerts_of_one_object
from support.planned import cut, objects, points, states, stored, write

from ampeld.alert.point import Point
from ampeld.errors import RetryableError
from ampeld.flow.record import Coordinates
from ampeld.stages.plan import JOURNAL_LENGTH

many_objects = st.tuples(alerts_of_one_object(1), alerts_of_one_object(2)).map(
    lambda both: sorted([*both[0], *both[1]], key=lambda a: (a.jd, a.stock))
)
cuts = st.lists(st.integers(0, 20), max_size=4)


@given(many_objects, cuts)
def test_in_the_order_of_time_every_document_is_the_same_whatever_the_batches(alerts, where):
    one_by_one, batched = stored([[a] for a in alerts]), stored(cut(alerts, where))
    assert states(batched) == states(one_by_one)
    assert objects(batched) == objects(one_by_one)
    assert points(batched) == points(one_by_one)


@given(many_objects, cuts, st.data())
def test_repeats_in_the_order_of_first_delivery_change_nothing(alerts, where, data):
    repeated = []
    for number, alert in enumerate(alerts):
        repeated.append(alert)
        repeated += data.draw(st.lists(st.sampled_from(alerts[: number + 1]), max_size=2))
    once, often = stored([[a] for a in alerts]), stored(cut(repeated, where))
    assert states(often) == states(once)
    assert objects(often) == objects(once)
    assert points(often) == points(once)


@given(many_objects, cuts, st.randoms())
def test_any_order_gives_the_same_points_objects_and_newest_states(alerts, where, random):
    shuffled = list(alerts)
    random.shuffle(shuffled)
    in_order, out_of_order = stored([[a] for a in alerts]), stored(cut(shuffled, where))
    assert points(out_of_order) == points(in_order)
    assert objects(out_of_order) == objects(in_order)
    for document in out_of_order.objects.values():
        for channel, state in document.state.items():
            assert channel in out_of_order.states[document.id, state.link]["channel"]


@given(many_objects, st.randoms())
def test_two_daemons_that_hold_one_object_at_once_end_with_the_right_state(alerts, random):
    """The other daemon swaps first, at the worst moment: between our reading and our swap."""

    async def race():
        store = MemoryStore()
        ours = [a for a in alerts if random.random() < 0.5]
        theirs = [a for a in alerts if a not in ours]

        async def other(_):
            store.before_swap = None
            if theirs:
                await write(store, theirs)

        store.before_swap = other
        if ours:
            await write(store, ours)
        elif theirs:
            await write(store, theirs)
        return store

    raced, in_order = asyncio.run(race()), stored([[a] for a in alerts])
    assert points(raced) == points(in_order)
    assert objects(raced) == objects(in_order)


@given(many_objects, st.sampled_from(["write_points", "swap_objects", "write_states"]), st.booleans())
def test_a_flush_that_breaks_off_anywhere_is_repaired_by_redelivery(alerts, method, after):
    async def run():
        store = MemoryStore()
        store.fail_next(method, after=after)
        for alert in alerts:
            for _ in range(2):
                try:
                    await write(store, [alert])
                    break
                except RetryableError:
                    continue
        return store

    broken, whole = asyncio.run(run()), stored([[a] for a in alerts])
    assert states(broken) == states(whole)
    assert objects(broken) == objects(whole)
    assert points(broken) == points(whole)


@given(alerts_of_one_object())
def test_writing_again_swaps_no_object(alerts):
    store = stored([alerts])
    revisions = {o.id: o.rev for o in store.objects.values()}
    asyncio.run(write(store, alerts))
    assert {o.id: o.rev for o in store.objects.values()} == revisions


def test_the_journal_keeps_the_newest_entries_and_a_repeat_of_an_old_one_changes_nothing():
    alerts = [an_alert(day) for day in range(1, JOURNAL_LENGTH + 30)]
    store = stored([[a] for a in alerts])
    document = store.objects[1]
    assert [entry["alert"] for entry in document.journal] == [a.candid for a in alerts[-JOURNAL_LENGTH:]]
    asyncio.run(write(store, alerts[:1]))
    assert store.objects[1] == document


def an_alert(day):
    point = Point(day, float(day), 1, 1, ("ZTF",), {"jd": float(day), "rcid": 1, "programid": 1}, True)
    return accepted(
        [point],
        coordinates=Coordinates("t", 0, day),
        candid=day,
        stock=1,
        name="o",
        jd=float(day),
        schema="s",
        channels={"public": True},
    )
