"""Features follow from the set of accepted alerts, as states do: whatever the batches, daemons, order and crashes."""

import asyncio
from collections import Counter

import msgspec
import pytest
from fakes.store import MemoryStore
from hypothesis import given, settings
from hypothesis import strategies as st
from support.nights import PRIVATE, alerts_of_one_object
from support.pipelines import PROVENANCE
from support.planned import cut
from support.units import measurer, wanted, wanting

from ampeld.errors import RetryableError
from ampeld.flow.wanted import Eligible
from ampeld.stages import deduplicate
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.measure import Measuring

WISHES = (
    *wanted("Tied", "Slow", "Broken"),
    *wanted("Mark", eligible=Eligible("all")),
    *wanted("OnSlow", eligible=Eligible(min_points=2)),
)
CHANNELS = [wanting(name, WISHES, private=private) for name, private in PRIVATE.items()]
TIMES = ("ts", "ms", "run")

many_objects = st.tuples(alerts_of_one_object(1), alerts_of_one_object(2)).map(
    lambda both: sorted([*both[0], *both[1]], key=lambda a: (a.jd, a.stock))
)
cuts = st.lists(st.integers(0, 20), max_size=4)


class Daemons:
    """Some daemons on one store, each with its memory; every one measures in place."""

    def __init__(self, number=1, store=None):
        self.store = store or MemoryStore()
        self.measurers = [measurer() for _ in range(number)]
        self.flushers = [Flusher(self.store, PROVENANCE, "group", Measuring(self.store, one)) for one in self.measurers]

    async def flush(self, alerts, daemon=0):
        _, _, measured = await self.flushers[daemon]._write(alerts, CHANNELS)
        await self.flushers[daemon]._write_features(measured)

    async def persist(self, alerts, daemon=0):
        """Flush until it is done, as the stage does."""
        while True:
            try:
                return await self.flush(alerts, daemon)
            except RetryableError:
                continue

    @property
    def measured(self):
        return sum((one.measured for one in self.measurers), Counter())


def flushed(flushes, number=1):
    """Return daemons behind these flushes, which they have shared in turn."""

    async def run():
        daemons = Daemons(number)
        for turn, alerts in enumerate(flushes):
            await daemons.flush(alerts, turn % number)
        return daemons

    return asyncio.run(run())


def documents(daemons):
    """Return all features, times excepted."""
    return {
        key: {
            **{name: value for name, value in document.items() if name not in {"channel", "meta"}},
            "channel": sorted(document["channel"]),
            "meta": [{name: v for name, v in entry.items() if name not in TIMES} for entry in document["meta"]],
        }
        for key, document in daemons.store.features.items()
    }


def newest(daemons):
    """Return the features of each object's newest state, by channel: of the state, of its points, of the object."""
    found = {}
    for stock, document in daemons.store.objects.items():
        for name, state in document.state.items():
            dps = daemons.store.states[stock, state.link]["dps"]
            links = {("t1", state.link), ("stock", stock), *(("t0", number) for number in dps)}
            for key, feature in daemons.store.features.items():
                if key.stock == stock and (key.col, key.link) in links:
                    assert name in feature["channel"] or key.col != "t1"
                    found[name, key] = feature["code"], feature["body"]
    return found


@settings(max_examples=50)
@given(many_objects, cuts, st.integers(1, 3))
def test_in_the_order_of_time_every_feature_is_the_same_whatever_the_batches_and_daemons(alerts, where, number):
    one_by_one, batched = flushed([[a] for a in alerts]), flushed(cut(alerts, where), number)
    assert documents(batched) == documents(one_by_one)
    assert batched.measured == one_by_one.measured


@settings(max_examples=50)
@given(many_objects, cuts, st.randoms())
def test_any_order_gives_the_same_features_of_each_newest_state(alerts, where, random):
    shuffled = list(alerts)
    random.shuffle(shuffled)
    in_order, out_of_order = flushed([[a] for a in alerts]), flushed(cut(shuffled, where))
    assert newest(out_of_order) == newest(in_order)


@settings(max_examples=50)
@given(many_objects, cuts, st.data())
def test_repeats_measure_nothing_and_change_nothing(alerts, where, data):
    repeated = []
    for number, alert in enumerate(alerts):
        repeated.append(alert)
        repeated += data.draw(st.lists(st.sampled_from(alerts[: number + 1]), max_size=2))
    once, often = flushed([[a] for a in alerts]), flushed(cut(repeated, where), 2)
    assert documents(often) == documents(once)
    assert often.measured == once.measured


@settings(max_examples=50)
@given(many_objects, st.randoms())
def test_daemons_that_race_and_break_off_end_with_the_right_features(alerts, random):
    """One swaps while the other is about to; some flushes break off and are repeated."""

    async def run():
        daemons = Daemons(2)
        store = daemons.store
        dealt = [(alert, random.randrange(2)) for alert in alerts]
        while dealt:
            alert, daemon = dealt.pop(0)
            if dealt and random.random() < 0.4:
                other, _ = dealt.pop(0)

                async def race(_, other=other, rival=1 - daemon):
                    store.before_swap = None
                    await daemons.persist([other], rival)

                store.before_swap = race
            if random.random() < 0.2:
                store.fail_next(random.choice(STEPS), after=random.random() < 0.5)
            await daemons.persist([alert], daemon)
            if store.before_swap is not None:  # nothing was swapped: the rival writes behind
                await store.before_swap(())
            if random.random() < 0.3:
                await daemons.persist([alert], 1 - daemon)  # delivered again, to the other
            for step in STEPS:
                store.fail_next(step, 0)
        return daemons

    assert newest(asyncio.run(run())) == newest(flushed([[a] for a in alerts]))


STEPS = ["write_points", "swap_objects", "write_states", "find_bodies", "find_features", "write_features"]


@settings(max_examples=50)
@given(many_objects, st.sampled_from(STEPS), st.booleans())
def test_a_flush_that_breaks_off_anywhere_is_repaired_by_redelivery(alerts, method, after):
    async def run():
        daemons = Daemons(2)
        daemons.store.fail_next(method, after=after)
        for alert in alerts:
            try:
                await daemons.flush([alert])
            except RetryableError:
                await daemons.flush([alert], 1)
        return daemons

    assert documents(asyncio.run(run())) == documents(flushed([[a] for a in alerts]))


@pytest.mark.parametrize("where", ["before_points", "after_points", "after_objects", "after_states", "after_features"])
@settings(max_examples=25)
@given(alerts=many_objects, which=st.integers(0, 20))
def test_a_daemon_that_dies_at_a_failpoint_is_repaired_by_another(where, alerts, which):
    usual, left = deduplicate.reach, [which % len(alerts)]

    def die(name):
        if name == where:
            left[0] -= 1
            if left[0] == -1:
                raise RetryableError("died here")

    async def run():
        daemons = Daemons(2)
        for alert in alerts:
            try:
                await daemons.flush([alert])
            except RetryableError:
                await daemons.flush([alert], 1)
        assert left[0] < 0
        return daemons

    deduplicate.reach = die
    try:
        repaired = asyncio.run(run())
    finally:
        deduplicate.reach = usual
    assert documents(repaired) == documents(flushed([[a] for a in alerts]))


@settings(max_examples=50)
@given(many_objects)
def test_a_channel_that_comes_later_measures_only_what_is_its_own(alerts):
    """Both channels may see everything and take the same alerts, one in a second run over the night."""

    def run(*names):
        async def both():
            store, counts = MemoryStore(), []
            for name in names:
                taken = [msgspec.structs.replace(alert, channels={name: True}) for alert in alerts]
                one = measurer()
                flusher = Flusher(store, PROVENANCE, "group", Measuring(store, one))
                for alert in taken:
                    _, _, measured = await flusher._write([alert], [wanting(name, WISHES, private=True)])
                    await flusher._write_features(measured)
                counts.append(one.measured)
            return store, counts

        return asyncio.run(both())

    store, (first, second) = run("one", "two")
    assert first
    assert not second
    assert all(sorted(document["channel"]) == ["one", "two"] for document in store.features.values())
