"""A dead letter keeps everything; what is too large for a document lies in a file."""

from datetime import UTC, datetime
from pathlib import Path

import bson
import pytest
from support.store import an_account, failure, letter

from ampeld.flow.record import Coordinates
from ampeld.store import letters
from ampeld.store.documents import DeadLetter
from ampeld.store.errors import StoreUnavailableError
from ampeld.store.letters import LetterFiles, by_size, encode_failure, encode_letter, file_name

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def small_documents(monkeypatch):
    monkeypatch.setattr(letters, "MAX_PAYLOAD", 10)


def test_a_dead_letter_keeps_payload_key_headers_and_coordinates():
    dead = letter(5, value=b"\x00bad", key=b"k", headers=(("h", b"v"),), timestamp_ms=1_714_521_600_000, through=7)

    document = encode_letter(dead, an_account(), NOW, None)

    assert document["_id"] == "night/0/5"
    assert (document["payload"], document["key"], document["headers"]) == (b"\x00bad", b"k", [["h", b"v"]])
    assert (document["offset"], document["through"], document["stage"]) == (5, 7, "decode")
    assert document["timestamp"] == NOW
    bson.encode(document)


@pytest.mark.parametrize("timestamp", [None, 2**62, -(2**62)])
def test_an_impossible_time_is_no_time(timestamp):
    assert encode_letter(letter(5, timestamp_ms=timestamp), an_account(), NOW, None)["timestamp"] is None


def test_a_reason_is_bounded_and_always_text():
    dead = DeadLetter(record=letter(5).record, stage="decode", reason="\ud800" + "x" * 5000, schema=None)

    document = encode_letter(dead, an_account(), NOW, None)

    assert len(document["reason"]) == 1024
    bson.encode(document)


def test_headers_beyond_measure_do_not_make_the_letter_unstorable():
    document = encode_letter(letter(5, headers=(("h", b"x" * (17 << 20)),)), an_account(), NOW, None)

    assert (document["headers"], document["envelope_dropped"]) == ([], (17 << 20) + 1)


def test_a_channel_error_can_always_be_stored():
    document = encode_failure(failure(5), an_account(), NOW)

    assert document["_id"] == "young/night/0/5"
    assert (document["version"], document["ampeld"]) == ("v2", "0.1")
    bson.encode(document)


async def test_a_small_payload_needs_no_file(tmp_path):
    assert await LetterFiles(tmp_path).keep(letter(5)) is None


@pytest.mark.usefixtures("small_documents")
async def test_a_large_payload_goes_to_a_file_and_again_to_the_same(tmp_path):
    files = LetterFiles(tmp_path / "letters")
    big = letter(5, topic="/data/night.tar", value=b"x" * 11)

    path = await files.keep(big)

    assert path is not None
    assert path.read_bytes() == b"x" * 11
    assert await files.keep(big) == path
    assert list(path.parent.iterdir()) == [path]
    document = encode_letter(big, an_account(), NOW, path)
    assert (document["payload"], document["file"], document["size"]) == (None, str(path), 11)


@pytest.mark.usefixtures("small_documents")
async def test_what_cannot_be_kept_is_waited_for_and_never_dropped(tmp_path):
    (tmp_path / "file").touch()
    big = letter(5, value=b"x" * 11)

    with pytest.raises(StoreUnavailableError, match="cannot write"):
        await LetterFiles(tmp_path / "file").keep(big)
    with pytest.raises(StoreUnavailableError, match="dead_letter_directory"):
        await LetterFiles(None).keep(big)


def test_letters_are_written_in_groups_of_bounded_size():
    sizes = [letters.MAX_PAYLOAD, 1, 1, letters.MAX_PAYLOAD // 2, letters.MAX_PAYLOAD // 2, 0]
    documents = [{"payload": bytes(size)} for size in sizes] + [{"payload": None}]

    groups = [[len(document["payload"] or b"") for document in group] for group in by_size(documents)]

    assert groups == [[sizes[0]], sizes[1:4], [sizes[4], 0, 0]]
    assert list(by_size([])) == []


def test_file_names_are_names_and_differ():
    long = [file_name(Coordinates("/" + "deep/" * 100 + end, 0, 5)) for end in "ab"]

    assert file_name(Coordinates("night", 3, 5)) == "night-3-5.bin"
    assert file_name(Coordinates("../x/y", 0, 5)) == "..%2Fx%2Fy-0-5.bin"
    assert long[0] != long[1]
    assert all(len(name) < 255 and Path(name).name == name for name in long)
