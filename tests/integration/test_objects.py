"""Objects leave the store and come back as they were, and go when no channel keeps them: on a real mongod."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from ampeld.errors import RetryableError
from ampeld.store.mongodb import MongoStore
from ampeld.store.purge import MARK_S, Purger

pytestmark = pytest.mark.mongodb

DATA = ("stock", "t0", "t1", "t2")


def documents(db):
    return {name: sorted(db[name].find(), key=lambda d: str(d["_id"])) for name in DATA}


def age(db, days, **which):
    """Let some objects be as old as that."""
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for document in db["stock"].find(which):
        times = {name: {**moments, "upd": then} for name, moments in document["ts"].items()}
        db["stock"].update_one({"_id": document["_id"]}, {"$set": {"ts": times}})


def test_an_exported_object_comes_back_bit_by_bit(ampeld, night, db, tmp_path):
    before = documents(db)
    names = [document["name"][0] for document in before["stock"]]
    code, _, err = ampeld("object", "export", *names, "--out", "all.jsonl.gz")
    assert code == 0, err
    assert before["t2"]
    for name in (*DATA, "traces", "feature_configs"):
        db[name].delete_many({})
    code, out, err = ampeld("object", "import", "all.jsonl.gz", "--json")
    assert code == 0, err
    assert json.loads(out)["objects"] == {"new": len(names), "there already": 0, "there, and different": 0}
    assert documents(db) == before
    code, out, _ = ampeld("object", "import", "all.jsonl.gz", "--json")
    assert (code, json.loads(out)["objects"]["there already"]) == (0, len(names))


def test_an_object_that_is_there_and_different_is_left_alone_and_named(ampeld, night, db):
    one = db["stock"].find_one()
    ampeld("object", "export", one["name"][0], "--out", "one.jsonl")
    db["stock"].update_one({"_id": one["_id"]}, {"$inc": {"rev": 1}})
    changed = documents(db)
    code, _, err = ampeld("object", "import", "one.jsonl")
    assert code == 1
    assert one["name"][0] in err
    assert documents(db) == changed


def test_a_line_that_is_no_object_is_named_and_the_others_are_taken(ampeld, night, db, tmp_path):
    one = db["stock"].find_one()
    _, line, _ = ampeld("object", "export", one["name"][0])
    (tmp_path / "some.jsonl").write_text(f'{{"ampeld": 1}}\nnonsense\n{{"ampeld": 99}}\n{line}')
    db["stock"].delete_one({"_id": one["_id"]})
    code, out, err = ampeld("object", "import", "some.jsonl", "--json")
    assert code == 65
    assert json.loads(out)["objects"]["new"] == 1
    assert ["some.jsonl:1:" in err, "some.jsonl:2:" in err, "some.jsonl:3:" in err] == [True] * 3


def test_of_a_damaged_file_the_lines_before_the_damage_and_all_that_can_be_read_are_taken(ampeld, night, db, tmp_path):
    one, other = db["stock"].find().limit(2)
    lines = [ampeld("object", "export", document["name"][0])[1].encode() for document in (one, other)]
    db["stock"].delete_many({"_id": {"$in": [one["_id"], other["_id"]]}})
    packed = gzip.compress(lines[0]) + gzip.compress(lines[1])
    for end, damaged in {"cut": packed[:-100], "flipped": packed[:-100] + bytes(100)}.items():
        (tmp_path / f"{end}.jsonl.gz").write_bytes(damaged)
        code, out, err = ampeld("object", "import", f"{end}.jsonl.gz", "--json")
        assert (code, f"{end}.jsonl.gz: " in err) == (65, True), err
        assert sum(json.loads(out)["objects"].values()) == 1
    (tmp_path / "bytes.jsonl").write_bytes(b"\x80\x81\n" + lines[1])
    code, out, err = ampeld("object", "import", "bytes.jsonl", "--json")
    assert (code, "bytes.jsonl:1:" in err) == (65, True), err
    assert json.loads(out)["objects"]["new"] == 1


def test_who_asks_for_an_object_that_is_not_there_is_told(ampeld, night):
    assert ampeld("object", "export", "ZTF18zzzzzzz")[0] == 1
    assert ampeld("object", "export", "Betelgeuse")[0] == 78


def test_what_no_channel_keeps_goes_with_all_its_documents_and_comes_back_from_the_archive(ampeld, night, db):
    before = documents(db)
    old = [document["_id"] for document in before["stock"][:5]]
    age(db, 11, _id={"$in": old})
    aged = documents(db)
    code, out, _ = ampeld("purge", "--json")
    assert (code, json.loads(out)["to_delete"]) == (0, 5)
    assert documents(db) == aged
    code, out, err = ampeld("purge", "--yes", "--archive", "gone.jsonl.gz", "--json")
    assert code == 0, err
    assert (json.loads(out)["deleted"], json.loads(out)["archived"]) == (5, 5)
    left = documents(db)
    assert [d["_id"] for d in left["stock"]] == [d["_id"] for d in before["stock"][5:]]
    for name in DATA[1:]:
        assert not any(set(old) & set(stocks(d)) for d in left[name]), name
        assert left[name] == [d for d in before[name] if not set(old) & set(stocks(d))]
    ampeld("object", "import", "gone.jsonl.gz")
    assert documents(db) == aged


def test_the_ledger_balances_behind_a_purge_and_tells_of_what_is_lost_otherwise(ampeld, night, db):
    age(db, 11)
    lost = db["stock"].find_one()["_id"]
    code, out, _ = ampeld("purge", "--yes", "--json")
    assert (code, json.loads(out)["deleted"] > 0) == (0, True)
    assert db["t0"].count_documents({}) == 0
    assert ampeld("ledger")[0] == 0
    db["purged"].delete_one({"_id": lost})
    code, out, _ = ampeld("ledger", "--json")
    assert (code, json.loads(out)["balanced"]) == (1, False)


def stocks(document):
    found = document["stock"]
    return found if isinstance(found, list) else [found]


def test_a_point_that_objects_share_goes_with_the_last_of_them(ampeld, night, db):
    first, second = [document["_id"] for document in db["stock"].find(limit=2)]
    point = db["t0"].find_one({"stock": first})
    since = point["since"][str(first)]
    db["t0"].update_one({"_id": point["_id"]}, {"$set": {"stock": [first, second], f"since.{second}": since}})
    age(db, 11, _id=first)
    ampeld("purge", "--yes")
    left = db["t0"].find_one({"_id": point["_id"]})
    assert (left["stock"], left["since"]) == ([second], {str(second): since})
    age(db, 11, _id=second)
    ampeld("purge", "--yes")
    assert db["t0"].find_one({"_id": point["_id"]}) is None


def test_an_object_stays_as_long_as_one_channel_keeps_it_or_has_no_file_any_more(ampeld, night, db, tmp_path):
    first, second, third = db["stock"].find(limit=3)
    age(db, 11)
    now = datetime.now(UTC).timestamp()
    db["stock"].update_one({"_id": first["_id"]}, {"$set": {"channel": ["all", "lost"]}})
    db["stock"].update_one({"_id": second["_id"]}, {"$set": {"ts.all.upd": now}})
    db["stock"].update_one({"_id": third["_id"]}, {"$set": {"ts.any.upd": now, "ts.all.upd": now}})
    ampeld("purge", "--yes")
    assert {d["_id"] for d in db["stock"].find()} == {first["_id"], second["_id"], third["_id"]}


def test_nothing_goes_where_no_channel_says_for_how_long_it_keeps(ampeld, night, db, tmp_path):
    path = tmp_path / "channels" / "all.toml"
    path.write_text(path.read_text().replace("keep_days = 10\n", ""))
    age(db, 4000)
    before = documents(db)
    code, _, err = ampeld("purge", "--yes")
    assert code == 0
    assert "everything is kept" in err
    assert documents(db) == before


@pytest.mark.parametrize("days", ["0.5", "-3", '"ten"', "true", "nan"])
def test_days_that_are_none_are_refused_before_anything_is_deleted(ampeld, night, db, tmp_path, days):
    path = tmp_path / "channels" / "all.toml"
    path.write_text(path.read_text().replace("keep_days = 10", f"keep_days = {days}"))
    age(db, 4000)
    code, _, err = ampeld("purge", "--yes")
    assert code == 78
    assert "all.toml:4: keep_days" in err
    assert db["stock"].count_documents({})


def test_an_archive_without_an_object_leaves_no_file(ampeld, night, tmp_path):
    assert ampeld("purge", "--yes", "--archive", "none.jsonl")[0] == 0
    assert not (tmp_path / "none.jsonl").exists()


def test_an_archive_is_never_written_over(ampeld, night, db, tmp_path):
    (tmp_path / "there.jsonl").write_text("precious")
    age(db, 11)
    assert ampeld("purge", "--yes", "--archive", "there.jsonl")[0] == 78
    assert (tmp_path / "there.jsonl").read_text() == "precious"
    assert db["stock"].count_documents({})


async def test_a_daemon_waits_for_an_object_that_is_being_deleted_and_takes_up_one_that_was_left(
    ampeld, mongodb, database, db
):
    db["stock"].insert_one(
        {"_id": 7, "name": ["x"], "tag": [], "channel": ["all"], "state": {}, "known": {}, "journal": [], "rev": 3}
        | {"ts": {"any": {"tied": 1.0, "upd": 1.0}, "all": {"tied": 1.0, "upd": 1.0}}}
    )
    store = MongoStore(mongodb, database)
    try:
        purger = Purger(store.connection)
        (expired,) = [one async for one in purger.expired({"all": 10.0})]
        now = await store.ping()
        assert await purger.mark(expired, "run", now + MARK_S) is not None
        assert await purger.mark(expired, "run", now + MARK_S) is None
        with pytest.raises(RetryableError, match="deleted"):
            await store.find_objects([7])
        db["stock"].update_one({"_id": 7}, {"$set": {"purging.until": now - 1}})
        assert (await store.find_objects([7]))[7].rev == 4
    finally:
        await store.close()


async def test_what_a_daemon_has_taken_up_meanwhile_is_not_deleted(mongodb, database, db):
    db["stock"].insert_one({"_id": 7, "name": ["x"], "rev": 5, "channel": []})
    store = MongoStore(mongodb, database)
    try:
        assert not await Purger(store.connection).delete({"_id": 7, "rev": 3})
    finally:
        await store.close()
    assert db["stock"].find_one({"_id": 7})["rev"] == 5
