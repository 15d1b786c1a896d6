"""Collections and indexes are made once, and a server in trouble is a RetryableError within the time-out."""

import asyncio

import pytest
from pymongo import MongoClient
from support.servers import Mongod
from support.store import a_state, an_account, an_object, filtered, new_point

from ampeld.store.check import check_server
from ampeld.store.connection import EXPIRING, INDEXES
from ampeld.store.errors import OPERATOR, UNKNOWN_DURABILITY, StoreUnavailableError, UnstorableError
from ampeld.store.mongodb import MongoStore

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database, timeout_s=5.0)
    yield real
    await real.close()


@pytest.fixture
def failing(mongodb):
    """Make the next of some commands of the test's daemon fail on the server."""
    client = MongoClient(mongodb)

    def fail(times, **data):
        mode = {"times": times} if times else "off"
        client.admin.command(
            {
                "configureFailPoint": "failCommand",
                "mode": mode,
                **({"data": {"appName": "ampeld", **data}} if times else {}),
            }
        )

    yield fail
    fail(0)
    client.close()


async def test_preparing_makes_what_is_missing_and_may_be_repeated(store):
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(store.prepare(keep_days=30), name="prepare")

    assert set(await store.connection.database.list_collection_names()) == set(INDEXES)
    for collection, indexes in INDEXES.items():
        present = await store.connection[collection].index_information()
        assert {index.document["name"] for index in indexes} <= present.keys()


async def test_blocks_expire_after_the_days_that_were_asked_for_last(store):
    await store.prepare(keep_days=30)
    await store.prepare(keep_days=0.5)

    index = (await store.connection["verdict_blocks"].index_information())[EXPIRING["verdict_blocks"]]
    assert index["expireAfterSeconds"] == 43_200


async def test_without_an_end_blocks_stay(store):
    await store.prepare()

    assert EXPIRING["verdict_blocks"] not in await store.connection["verdict_blocks"].index_information()


async def test_the_position_of_a_partition_is_read_from_an_index(store):
    await store.prepare()
    for start in range(0, 50, 5):
        await store.write_account(an_account(filtered(start, through=start + 4), filtered(1000, partition=1)))

    assert await store.covered_to("g", "night", 0) == 50
    assert await store.covered_to("g", "night", 1) == 1001


async def test_another_daemon_finds_the_same_cut_numbers(store, mongodb, database):
    await store.cut_numbers("v1", ["rb", "drb"])
    other = MongoStore(mongodb, database)
    try:
        assert await other.cut_numbers("v1", ["young", "drb"]) == {"rb": 0, "drb": 1, "young": 2}
        assert await store.cut_numbers("v1", ["fwhm"]) == {"rb": 0, "drb": 1, "young": 2, "fwhm": 3}
    finally:
        await other.close()


async def test_a_ping_answers_with_the_servers_clock(store):
    assert await store.ping() > 1_700_000_000


@pytest.mark.parametrize(
    "data",
    [
        {"failCommands": ["insert"], "closeConnection": True},
        {"failCommands": ["insert"], "errorCode": 10107, "errorLabels": ["RetryableWriteError"]},
    ],
)
async def test_a_passing_trouble_is_retried_by_the_driver(store, failing, data):
    await store.prepare()
    failing(1, **data)

    await store.write_points([new_point(900)], [])
    assert 900 in (await store.find_points([7]))[7]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"errorCode": 14031}, OPERATOR),
        ({"errorCode": 13}, OPERATOR),
        ({"writeConcernError": {"code": 64, "errmsg": "waiting"}}, UNKNOWN_DURABILITY),
        ({"writeConcernError": {"code": 100, "errmsg": "few"}}, UNKNOWN_DURABILITY),
    ],
)
async def test_trouble_that_stays_is_raised_by_every_write(store, failing, data, kind):
    await store.prepare()
    writes = [
        lambda: store.write_points([new_point(900)], []),
        lambda: store.swap_objects([(0, an_object())]),
        lambda: store.write_states([a_state()]),
        lambda: store.write_account(an_account(filtered(1))),
        lambda: store.record_gap({"topic": "night", "partition": 0, "first": 1, "end": 2}),
        lambda: store.cut_numbers("v1", ["rb"]),
    ]
    for write in writes:
        failing(1, failCommands=["insert", "update", "findAndModify"], **data)
        with pytest.raises(StoreUnavailableError) as caught:
            await write()
        assert caught.value.kind == kind
        failing(0)
        await write()  # the same again goes through


async def test_a_body_that_bson_cannot_hold_names_its_point(store):
    await store.prepare()
    bad = new_point(901, body={"jd": 1.0, "programid": 1, "x": 2**70})

    with pytest.raises(UnstorableError, match="document 901"):
        await store.write_points([new_point(900), bad], [])


async def test_a_server_that_hangs_is_given_up_in_time_and_served_again(server_directory):
    with Mongod(server_directory) as mongod:
        store = MongoStore(mongod.uri, "ampeld", timeout_s=1.0)
        try:
            await store.prepare()
            mongod.freeze()
            async with asyncio.timeout(15):  # the driver by itself would wait for ever
                with pytest.raises(StoreUnavailableError):
                    await store.write_points([new_point(900)], [])
                with pytest.raises(StoreUnavailableError):
                    await store.ping()
            mongod.thaw()
            async with asyncio.timeout(20):
                while not await _written(store):
                    await asyncio.to_thread(mongod.wait_ready)
        finally:
            await store.close()


async def test_what_was_acknowledged_survives_kill_9(server_directory):
    with Mongod(server_directory) as mongod:
        store = MongoStore(mongod.uri, "ampeld", timeout_s=10.0)
        try:
            await store.prepare()
            await store.write_points([new_point(id_) for id_ in range(1, 50)], [])
            await asyncio.to_thread(mongod.kill)
            await asyncio.to_thread(mongod.start)
            assert len((await store.find_points([7]))[7]) == 49
        finally:
            await store.close()


async def _written(store):
    try:
        await store.write_points([new_point(900)], [])
    except StoreUnavailableError:
        return False
    return True


async def test_a_check_finds_a_good_server_good(mongodb, database, store):
    await store.prepare()

    findings = {finding.what: finding for finding in await check_server(mongodb, database)}

    assert {what for what, finding in findings.items() if finding.level == "error"} == set()
    assert findings["indexes"].level == findings["write"].level == findings["clock"].level == "ok"
    assert findings["members"].level == "warning"
    assert "probe" not in await store.connection.database.list_collection_names()


async def test_a_check_names_missing_indexes(mongodb, database):
    findings = {finding.what: finding for finding in await check_server(mongodb, database)}

    assert findings["indexes"].level == "warning"
    assert "t1.stock_link" in findings["indexes"].message


async def test_a_check_says_that_nothing_answers():
    (finding,) = await check_server("mongodb://127.0.0.1:9", "ampeld", 0.5)

    assert (finding.what, finding.level) == ("server", "error")


async def test_a_check_says_that_the_uri_is_wrong():
    (finding,) = await check_server("mongodb://user:hunter2@[", "ampeld", 0.5)

    assert finding.level == "error"
    assert "hunter2" not in finding.message
