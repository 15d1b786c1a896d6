"""What every store promises of features, asked of the one in memory and of MongoDB."""

import asyncio
import random
from itertools import permutations

import msgspec
import pytest
from fakes.store import MemoryStore
from pymongo.errors import DuplicateKeyError
from support.features_stored import KEY, addition, alter, any_change, document_of, result, ticket, timeless
from support.store import new_point, where
from support.units import wanted, wanting
from support.wanted_features import Flow, alert

from ampeld.flow.codes import ERROR, EXCEPTION, NEW, OK, PENDING_DEPENDENCY, RERUN_REQUESTED, RUNNING
from ampeld.store.documents import FeatureKey, StoredBody
from ampeld.store.errors import UnstorableError
from ampeld.store.features import encode_feature
from ampeld.store.features_merge import result_update
from ampeld.store.mongodb import MongoStore

LEASE = {"owner": "other", "token": "t", "expires": 5.0}


@pytest.fixture
async def mongo(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare()
    yield real
    await real.close()


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def store(request):
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("mongo")


async def found(store, key=KEY):
    return (await store.find_features([key])).get(key)


class TestBodies:
    async def test_a_body_is_found_with_the_fields_that_are_read(self, store):
        await store.write_points([new_point(900, first=where(3)), new_point(901)], [])

        bodies = await store.find_bodies([900, 901, 902], ["jd", "magpsf", "never"])

        assert bodies[900] == StoredBody(("ZTF", "ZTF_G"), {"jd": 2459000.5, "magpsf": 18.25}, True)
        assert not bodies[901].full
        assert 902 not in bodies

    async def test_a_whole_body_is_found(self, store):
        point = new_point(900)
        await store.write_points([point], [])

        assert (await store.find_bodies([900], None))[900].body == point.body


class TestResults:
    async def test_a_result_is_found_with_its_newest_body(self, store):
        await store.write_features([result(2)])

        feature = await found(store)

        assert (feature.code, feature.full, feature.due, feature.body) == (OK, 2, None, {"slope": 0.5, "of": 2})
        assert (feature.channel, feature.tag, feature.jd) == ({"bright"}, {"ZTF"}, 2459000.5)

    async def test_what_is_not_there_is_not_found(self, store):
        await store.write_features([])
        assert await found(store) is None

    async def test_whatever_comes_first_the_result_of_the_fullest_bodies_stays_alone(self, store):
        for stock, order in enumerate(permutations([1, 2, 3])):
            key = msgspec.structs.replace(KEY, stock=stock)
            for full in order:
                await store.write_features([result(full, key)])

            document = await document_of(store, key)
            assert document["body"] == [{"slope": 0.5, "of": 3}]
            assert document["full"] == 3

    async def test_a_repeat_changes_nothing(self, store):
        await store.write_features([result(2)])
        before = await document_of(store)
        await store.write_features([result(2, body={"slope": 9.0})])

        assert await document_of(store) == before

    async def test_another_channel_is_added_once(self, store):
        await store.write_features([result(2)])
        for _ in range(2):
            await store.write_features([addition("young", "bright"), result(1, channel=("old",))])

        document = await document_of(store)
        assert sorted(document["channel"]) == ["bright", "old", "young"]
        assert len(document["meta"]) == 1

    async def test_what_is_added_to_nothing_is_passed_over(self, store):
        await store.write_features([addition("young")])
        assert await document_of(store) is None

    async def test_a_failure_is_a_result_without_body(self, store):
        await store.write_features([result(1, code=EXCEPTION)])
        assert (await found(store)).body is None

        await store.write_features([result(2)])

        document = await document_of(store)
        assert (document["code"], document["full"], len(document["body"])) == (OK, 2, 1)
        assert [entry["code"] for entry in document["meta"]] == [EXCEPTION, OK]

    async def test_a_failure_keeps_the_body_of_before(self, store):
        for change in (result(1), result(2, code=ERROR), result(3)):
            await store.write_features([change])

        document = await document_of(store)
        assert [body["of"] for body in document["body"]] == [1, 3]

    async def test_keys_may_be_any_text_without_null(self, store):
        body = {"$slope": {"$set": 1.5, "a.b": None}, "a.b": [2], "": "$x", "_id": {"$$NOW": "$$ROOT"}}
        for full in (1, 2):
            await store.write_features([result(full, body=body)])

        assert (await found(store)).body == body

    async def test_provenance_is_bounded_to_the_newest(self, store):
        for full in range(25):
            await store.write_features([result(full)])

        assert [entry["full"] for entry in (await document_of(store))["meta"]] == list(range(5, 25))


class TestTickets:
    async def test_a_ticket_waits_for_its_first_result(self, store):
        await store.write_features([ticket(2)])
        feature = await found(store)
        assert (feature.code, feature.full, feature.due, feature.body) == (NEW, None, 2, None)

        await store.write_features([result(2)])

        assert (await document_of(store))["code"] == OK

    async def test_what_waits_is_asked_for_once_and_for_the_newest_alert(self, store):
        for jd, full in ((10.0, 2), (30.0, 1), (20.0, 3)):
            await store.write_features([ticket(full, jd=jd)])

        document = await document_of(store)
        assert (document["jd"], document["due"], len(document["meta"])) == (30.0, 3, 1)

    async def test_what_was_measured_from_fewer_full_bodies_waits_again_and_its_body_is_replaced(self, store):
        for change in (result(1), ticket(2)):
            await store.write_features([change])
        assert (await document_of(store))["code"] == NEW
        assert (await found(store)).body["of"] == 1

        await store.write_features([result(2)])

        assert [body["of"] for body in (await document_of(store))["body"]] == [2]

    async def test_what_was_measured_already_does_not_wait(self, store):
        for change in (result(2), ticket(2), ticket(1)):
            await store.write_features([change])

        assert (await document_of(store))["code"] == OK

    async def test_a_result_from_fewer_full_bodies_than_asked_for_leaves_it_waiting(self, store):
        for change in (result(1), ticket(3), result(2)):
            await store.write_features([change])

        document = await document_of(store)
        assert (document["code"], [body["of"] for body in document["body"]]) == (NEW, [2])

    async def test_the_next_result_is_appended_where_full_was_forgotten(self, store):
        await store.write_features([result(2)])
        await alter(store, "full", code=RERUN_REQUESTED)
        await store.write_features([result(2, body={"of": "again"})])

        document = await document_of(store)
        assert [body["of"] for body in document["body"]] == [2, "again"]
        assert document["code"] == OK

    async def test_what_runs_goes_on_when_another_channel_asks_for_the_same(self, store):
        await store.write_features([ticket(2)])
        await alter(store, code=RUNNING, lease=LEASE)
        await store.write_features([ticket(2, channel=("young",))])

        document = await document_of(store)
        assert (document["code"], document["lease"], document["channel"]) == (RUNNING, LEASE, ["bright", "young"])

    async def test_what_runs_on_bodies_that_may_be_old_is_given_up(self, store):
        await store.write_features([ticket(2)])
        await alter(store, code=RUNNING, lease=LEASE)
        await store.write_features([ticket(3)])

        document = await document_of(store)
        assert (document["code"], document["due"], "lease" in document) == (NEW, 3, False)

    async def test_a_result_of_the_flow_ends_a_lease(self, store):
        await store.write_features([ticket(2, code=PENDING_DEPENDENCY)])
        await alter(store, code=RUNNING, lease=LEASE)
        await store.write_features([result(2)])

        document = await document_of(store)
        assert (document["code"], "lease" in document) == (OK, False)

    async def test_a_failure_that_waits_again_gets_a_body_beside_the_one_of_before(self, store):
        for change in (result(1), result(2, code=ERROR), ticket(3), result(3)):
            await store.write_features([change])

        assert [body["of"] for body in (await document_of(store))["body"]] == [1, 3]


@pytest.mark.mongodb
class TestMongo:
    async def test_a_feature_is_unique_whatever_its_id_is(self, mongo):
        await mongo.write_features([result(1)])

        with pytest.raises(DuplicateKeyError):
            await mongo.connection["t2"].insert_one(encode_feature(result(1)) | {"_id": "another"})

    async def test_racing_writers_make_one_document(self, mongo):
        async with asyncio.TaskGroup() as group:
            for full in (3, 1, 2, 3, 1, 2):
                group.create_task(mongo.write_features([result(full, channel=(f"c{full}",))]), name="write")

        document = await document_of(mongo)
        assert (sorted(document["channel"]), document["full"]) == (["c1", "c2", "c3"], 3)
        assert [body["of"] for body in document["body"]] == [3]

    async def test_a_body_that_no_document_can_hold_names_its_feature(self, mongo):
        other = FeatureKey(8, "t1", "Slope", -11, -5)
        with pytest.raises(UnstorableError) as caught:
            await mongo.write_features([result(1, other), result(1, body={"huge": 2**70})])
        assert caught.value.document == "7/t1/-5/Slope/-11"

    async def test_the_result_of_a_lease_ends_it_and_waits_again_if_it_was_overtaken(self, mongo):
        for stock, (seen, due, ends_as) in enumerate([(2, 2, OK), (2, 3, NEW), (2, 1, OK)]):
            key = msgspec.structs.replace(KEY, stock=stock)
            await mongo.write_features([ticket(due, key)])
            await alter(mongo, key=key, code=RUNNING, lease=LEASE)
            await mongo.connection["t2"].update_one({"stock": stock}, result_update(result(seen, key), leased=True))

            document = await document_of(mongo, key)
            assert (document["code"], "lease" in document) == (ends_as, False)
            assert [body["of"] for body in document["body"]] == [seen]

    async def test_flushes_leave_the_same_features_as_in_memory(self, mongo):
        """New objects, a late alert that makes a body full, a second channel, a repeat, and what fails or waits."""
        wishes = [wanting(name, wanted("Tied", "Slow", "OnSlow", "Broken")) for name in ("a", "b")]
        flows = [Flow(*wishes, store=store) for store in (MemoryStore(), mongo)]
        nights = [
            [alert(30, 20, -5), alert(25, stock=2)],
            [alert(40, 30), alert(20)],
            [alert(40, 30, channels=("b",)), alert(30, 20, -5)],
        ]
        for flow in flows:
            for night in nights:
                await flow.flush(*night)

        assert flows[0].measurer.measured == flows[1].measurer.measured
        memory = flows[0].store.features
        assert await mongo.connection["t2"].count_documents({}) == len(memory) > 20
        for key, document in memory.items():
            assert timeless(await document_of(mongo, key)) == timeless(document)

    async def test_any_changes_in_any_order_leave_what_they_leave_in_memory(self, mongo):
        chance = random.Random(7)
        memory = MemoryStore()
        keys = [FeatureKey(stock, "t1", "Slope", 1, stock) for stock in range(300)]
        for step in range(8):
            changes = [any_change(chance, key, step) for key in keys]
            for store in (memory, mongo):
                await store.write_features(changes)
            for key in chance.sample(keys, 60):
                if await document_of(memory, key) is not None:
                    claims = {"code": RUNNING, "lease": LEASE, "trials": 1, "waits": 2}
                    unset, fields = chance.choice([((), claims), (("full", "due"), {"code": RERUN_REQUESTED})])
                    for store in (memory, mongo):
                        await alter(store, *unset, key=key, **fields)

        for key in keys:
            assert await document_of(mongo, key) == await document_of(memory, key)
