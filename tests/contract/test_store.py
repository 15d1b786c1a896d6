"""What every store promises, asked of the one in memory and of MongoDB."""

import asyncio
from itertools import islice, permutations

import msgspec
import pytest
from fakes.store import MemoryStore
from support.store import a_state, an_account, an_object, change, failure, filtered, letter, meta, new_point, where

from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.store.documents import Begun
from ampeld.store.mongodb import MongoStore


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    uri, database = request.getfixturevalue("mongodb"), request.getfixturevalue("database")
    real = MongoStore(uri, database, dead_letter_directory=tmp_path)
    await real.prepare(keep_days=30)
    yield real
    await real.close()


async def points_of(store, stock=7):
    return (await store.find_points([stock]))[stock]


class TestPoints:
    async def test_a_new_point_is_found_under_its_object(self, store):
        await store.write_points([new_point(900, first=where(3))], [])

        found = await points_of(store)

        assert found[900].known.jd == 2459000.5
        assert (found[900].known.rcid, found[900].known.programid, found[900].known.since) == (12, 1, 2459000.5)
        assert found[900].channel == {"bright"}
        assert found[900].first == Coordinates("night", 0, 3)

    async def test_an_object_without_points_has_an_empty_mapping(self, store):
        assert await store.find_points([7, 8]) == {7: {}, 8: {}}

    async def test_writing_nothing_is_allowed(self, store):
        await store.write_points([], [])
        await store.write_states([])
        assert await store.swap_objects([]) == set()

    async def test_a_new_point_that_exists_by_now_is_a_change(self, store):
        await store.write_points([new_point(900, channel=("bright",), since=20.0)], [])
        met = await store.write_points([new_point(900, channel=("young",), since=10.0), new_point(901)], [])

        found = await points_of(store)

        assert met == {900}
        assert found[900].channel == {"bright", "young"}
        assert found[900].known.since == 10.0
        assert 901 in found

    async def test_a_point_twice_in_one_write_is_merged(self, store):
        await store.write_points([new_point(-5, stock=7), new_point(-5, stock=8, since=9.0)], [])

        assert (await points_of(store, 7))[-5].known.since == 2459000.5
        assert (await points_of(store, 8))[-5].known.since == 9.0

    async def test_since_only_falls_and_is_kept_per_object(self, store):
        await store.write_points([new_point(900, since=20.0)], [])
        await store.write_points([], [change(900, since=30.0), change(900, stock=8, since=5.0)])

        assert (await points_of(store, 7))[900].known.since == 20.0
        assert (await points_of(store, 8))[900].known.since == 5.0

    async def test_a_full_body_replaces_the_one_from_a_history_as_a_whole(self, store):
        poor, full = body(jd=1.0, only_poor=1), body(jd=2.0, only_full=1)
        await store.write_points([new_point(900, body=poor)], [])
        await store.write_points([new_point(900, body=full, first=where(4))], [])

        assert await body_of(store, 900) == full

    async def test_a_body_from_a_history_never_replaces_a_full_one(self, store):
        full = body(jd=2.0, only_full=1)
        await store.write_points([new_point(900, body=full, first=where(4))], [])
        await store.write_points([new_point(900, body=body(jd=1.0))], [change(900)])

        assert await body_of(store, 900) == full

    async def test_the_first_coordinates_stay(self, store):
        await store.write_points([new_point(900)], [])
        assert await store.find_first([900, 901]) == {}
        await store.write_points([], [change(900, body=body(), first=where(4))])
        await store.write_points([new_point(900, first=where(1))], [change(900, body=body(), first=where(2))])

        assert await store.find_first([900, 901]) == {900: Coordinates("night", 0, 4)}

    async def test_two_writers_at_once_agree_on_the_first(self, store):
        async with asyncio.TaskGroup() as group:
            for offset in range(8):
                group.create_task(store.write_points([new_point(900, first=where(offset))], []), name=f"w{offset}")

        first = await store.find_first([900])
        assert first[900].offset in range(8)
        assert (await points_of(store))[900].first == first[900]

    async def test_repeating_a_write_changes_nothing(self, store):
        writes = [new_point(900, first=where(3)), new_point(901)], [change(901, channel=("young",))]
        await store.write_points(*writes)
        before = await points_of(store), await raw_point(store, 901)
        await store.write_points(*writes)

        assert (await points_of(store), await raw_point(store, 901)) == before

    async def test_writes_in_any_order_end_in_the_same_points(self, store):
        full = body(jd=5.0, full=1)
        writes = [
            ([new_point(900, body=body(jd=4.0), since=9.0)], []),
            ([new_point(900, body=full, first=where(3), since=8.0, channel=("young",))], []),
            ([new_point(900, body=body(jd=4.0), stock=8, since=2.0, tag=("x",))], [change(901, channel=("late",))]),
            ([new_point(901, meta=meta(5, "young", jd=3.0))], [change(900, stock=8, since=1.0)]),
            ([new_point(901, since=7.0)], [change(900, channel=("late",), meta=meta(3, jd=1.0))]),
        ]
        seen = []
        for order in islice(permutations(range(5)), 0, None, 7):
            moved = [[shifted(write, 10 * len(seen)) for write in side] for i in order for side in writes[i]]
            for new, changed in zip(moved[::2], moved[1::2], strict=True):
                # a change of a point that no store holds yet cannot come: it is made from what was found there
                await store.write_points(new, [c for c in changed if await exists(store, c.id)])
            await store.write_points([], [shifted(c, 10 * len(seen)) for _, changed in writes for c in changed])
            seen.append([comparable(await raw_point(store, id_ + 10 * len(seen))) for id_ in (900, 901)])

        assert seen[0][0]["body"] == full
        assert all(other == seen[0] for other in seen)

    async def test_provenance_keeps_the_newest_by_jd_whatever_the_order(self, store):
        await store.write_points([new_point(900, meta=meta(1, jd=1.0))], [])
        for jd in (40, 3, 2, *range(25, 4, -1), 40):
            await store.write_points([], [change(900, meta=meta(jd, jd=float(jd)))])

        kept = [entry["alert"] for entry in (await raw_point(store, 900))["meta"]]
        assert kept == [*range(7, 26), 40]


class TestObjects:
    async def test_a_swapped_object_is_found_as_it_was_written(self, store):
        document = an_object(7, rev=1)

        assert await store.swap_objects([(0, document)]) == set()
        assert await store.find_objects([7, 8]) == {7: document}
        assert await store.find_known([7, 8]) == {7: document.known}

    async def test_the_revision_decides(self, store):
        await store.swap_objects([(0, an_object(7, rev=1)), (0, an_object(8, rev=1))])

        lost = await store.swap_objects([(0, an_object(7, rev=1)), (1, an_object(8, rev=2)), (0, an_object(9, rev=1))])
        assert lost == {7}
        assert await store.swap_objects([(1, an_object(8, rev=2)), (1, an_object(10, rev=2))]) == {8, 10}
        assert sorted(await store.find_objects([7, 8, 9, 10])) == [7, 8, 9]

    async def test_of_racing_swaps_one_wins_and_the_others_know(self, store):
        documents = [an_object(7, rev=1, name=(str(i),)) for i in range(8)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store.swap_objects([(0, document)]), name="swap") for document in documents]

        winners = [i for i, task in enumerate(tasks) if not task.result()]
        assert len(winners) == 1
        assert (await store.find_objects([7]))[7] == documents[winners[0]]


class TestStates:
    async def test_a_state_gathers_its_channels(self, store):
        await store.write_states([a_state(channel=("bright",)), a_state(link=6)])
        await store.write_states([a_state(channel=("young",), meta=(meta(channel="young"),))])

        state = await raw_state(store, 7, -5)
        assert sorted(state["channel"]) == ["bright", "young"]
        assert state["dps"] == [-3, 900]
        assert state["code"] == 0
        assert [entry["channel"] for entry in state["meta"]] == ["bright", "young"]

    async def test_repeating_and_racing_writes_make_one_document(self, store):
        states = [a_state(link=link) for link in range(5)] + [a_state(link=3, channel=("young",))]
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(store.write_states(states), name="states")

        state = await raw_state(store, 7, 3)
        assert sorted(state["channel"]) == ["bright", "young"]
        assert len(state["meta"]) == 1


class TestChannels:
    async def test_cuts_keep_their_numbers(self, store):
        assert await store.cut_numbers("v1", ["rb", "drb"]) == {"rb": 0, "drb": 1}
        assert await store.cut_numbers("v1", ["fwhm", "drb"]) == {"rb": 0, "drb": 1, "fwhm": 2}
        assert await store.cut_numbers("v2", ["drb"]) == {"drb": 0}

    async def test_racing_writers_get_the_same_numbers(self, store):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store.cut_numbers("v", [f"c{i}", f"c{i + 1}"]), name="cut") for i in range(6)]

        final = await store.cut_numbers("v", [f"c{i}" for i in range(7)])
        assert sorted(final.values()) == list(range(7))
        assert all(final[name] == number for task in tasks for name, number in task.result().items())

    async def test_describing_a_version_leaves_its_cuts(self, store):
        await store.cut_numbers("v1", ["rb"])
        await store.register_version("v1", {"name": "bright", "filter": "f:F", "params": {"min_rb": 0.3}})

        assert await store.cut_numbers("v1", ["rb", "drb"]) == {"rb": 0, "drb": 1}


class TestAccount:
    async def test_a_block_covers_its_offsets_for_its_group(self, store):
        rows = [filtered(4, after=2), filtered(5, through=9), filtered(50, partition=1), filtered(70, topic="other")]
        assert await store.covered_to("g", "night", 0) is None
        await store.write_account(an_account(*rows))
        await store.write_account(an_account(filtered(1), run="r2"))

        assert await store.covered_to("g", "night", 0) == 10
        assert await store.covered_to("g", "night", 1) == 51
        assert await store.covered_to("g", "night", 2) is None
        assert await store.covered_to("other", "night", 0) is None

    async def test_an_account_of_everything_may_be_written_again(self, store):
        account = an_account(filtered(1), dead_letters=(letter(2),), failures=(failure(1),))
        await store.write_account(account)
        await store.write_account(account)

        assert await store.covered_to("g", "night", 0) == 2

    async def test_an_empty_account_is_allowed(self, store):
        await store.write_account(an_account())
        assert await store.covered_to("g", "night", 0) is None

    async def test_a_gap_may_be_recorded_again_and_only_grows(self, store):
        gap = {"topic": "night", "partition": 0, "first": 10, "end": 20}
        for end in (20, 25, 20):
            await store.record_gap(gap | {"end": end})

        assert [(found["first"], found["end"]) for found in await raw_gaps(store)] == [(10, 25)]

    async def test_where_a_partition_was_begun_may_be_told_again_and_only_widens(self, store):
        for first, end in ((5, None), (3, 8), (7, 6)):
            await store.record_begun("files", [Begun("/data/a.tar", 0, first, end)])

        assert await raw_begun(store) == [(3, 8)]

    async def test_what_came_twice_is_kept_once(self, store):
        for _ in range(2):
            await store.write_account(an_account(dead_letters=(letter(2),), failures=(failure(1), failure(2))))

        assert await raw_counts(store) == (1, 2)


def body(**fields):
    return {"jd": 2459000.5, "rcid": 12, "programid": 1, **fields}


def shifted(write, by):
    return msgspec.structs.replace(write, id=write.id + by)


async def exists(store, id_):
    return await raw_point(store, id_) is not None


def comparable(point):
    lists = {field: sorted(point[field]) for field in ("stock", "channel", "tag")}
    return lists | {field: point[field] for field in ("body", "since", "meta")}


async def raw_point(store, id_):
    if isinstance(store, MemoryStore):
        return store.points.get(id_)
    return await store.connection["t0"].find_one({"_id": id_})


async def body_of(store, id_):
    return (await raw_point(store, id_))["body"]


async def raw_state(store, stock, link):
    if isinstance(store, MemoryStore):
        return store.states[stock, link]
    return await store.connection["t1"].find_one({"stock": stock, "link": link})


async def raw_gaps(store):
    if isinstance(store, MemoryStore):
        return list(store.gaps.values())
    return await store.connection["gaps"].find().to_list(None)


async def raw_begun(store):
    if isinstance(store, MemoryStore):
        return [(place.first, place.end) for place in store.begun.values()]
    return [(found["first"], found.get("end")) for found in await store.connection["begun"].find().to_list(None)]


async def raw_counts(store):
    if isinstance(store, MemoryStore):
        return len(store.dead_letters), len(store.failures)
    return tuple([await store.connection[name].count_documents({}) for name in ("dead_letters", "channel_errors")])


def test_outcomes_have_the_numbers_that_blocks_store():
    assert [outcome.value for outcome in Outcome] == [0, 1, 2, 3]
