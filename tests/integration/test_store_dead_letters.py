"""The dead letters as an operator works with them."""

import pytest
from support.store import an_account, letter, record

from ampeld.store import letters
from ampeld.store.dead_letters import DeadLetterBox, LetterMissingError
from ampeld.store.documents import DeadLetter
from ampeld.store.mongodb import MongoStore

pytestmark = pytest.mark.mongodb

WHOLE = record(
    5, value=b"\x00\xff", key=b"k", headers=(("h", b"v"),), timestamp_ms=1_714_521_600_123, after=3, through=7
)


@pytest.fixture
async def store(mongodb, database, tmp_path):
    real = MongoStore(mongodb, database, dead_letter_directory=tmp_path)
    await real.prepare()
    yield real
    await real.close()


@pytest.fixture
async def box(store):
    others = [letter(10), letter(9), letter(1, topic="other")]
    whole = DeadLetter(record=WHOLE, stage="validate", reason="candid: missing", schema="abc")
    await store.write_account(an_account(dead_letters=[*others, whole]))
    return DeadLetterBox(store.connection)


async def test_they_are_listed_by_offset_and_chosen_by_topic_and_stage(box):
    assert [summary.id for summary in await box.list()] == ["night/0/5", "night/0/9", "night/0/10", "other/0/1"]
    assert [summary.id for summary in await box.list(topic="other")] == ["other/0/1"]
    assert [summary.id for summary in await box.list(stage="validate")] == ["night/0/5"]
    assert [summary.id for summary in await box.list(limit=1)] == ["night/0/5"]


async def test_one_is_shown_without_its_payload(box):
    shown = await box.get("night/0/5")

    assert (shown.reason, shown.schema, shown.size, shown.file) == ("candid: missing", "abc", 2, None)
    assert (shown.attempts, shown.resolved) == (1, None)


async def test_the_record_comes_back_as_it_was(box):
    assert await box.record("night/0/5") == WHOLE


async def test_a_resolved_one_says_how(box):
    await box.mark_resolved("night/0/5", "retried: stored")

    assert (await box.get("night/0/5")).resolved.startswith("retried: stored (20")
    assert "night/0/5" not in [summary.id for summary in await box.list(unresolved=True)]
    assert len(await box.list()) == 4


async def test_what_is_not_there_is_an_error(box):
    for attempt in (box.get("x/0/1"), box.record("x/0/1"), box.mark_resolved("x/0/1", "?")):
        with pytest.raises(LetterMissingError, match="x/0/1"):
            await attempt


async def test_a_large_payload_comes_back_from_its_file(store, box):
    big = DeadLetter(record(20, value=bytes(letters.MAX_PAYLOAD + 1)), "source", "too large", None)
    await store.write_account(an_account(dead_letters=[big]))

    summary = await box.get("night/0/20")
    assert summary.file is not None
    assert await box.record("night/0/20") == big.record


async def test_a_payload_whose_file_is_gone_is_an_error(store, box, tmp_path):
    big = DeadLetter(record(20, value=bytes(letters.MAX_PAYLOAD + 1)), "source", "too large", None)
    await store.write_account(an_account(dead_letters=[big]))
    (tmp_path / "night-0-20.bin").unlink()

    with pytest.raises(LetterMissingError, match=r"night-0-20\.bin"):
        await box.record("night/0/20")


async def test_a_payload_of_15_mib_fits_into_its_document(store, box):
    full = DeadLetter(record(21, value=bytes(letters.MAX_PAYLOAD)), "source", "too large", None)
    await store.write_account(an_account(dead_letters=[full]))

    assert (await box.get("night/0/21")).file is None
    assert (await box.record("night/0/21")).value == full.record.value
