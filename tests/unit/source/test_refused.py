"""Batches that cannot be read become records; the corrections of aiokafka do what they say."""

import struct
import zlib
from pathlib import Path

import cramjam
import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from ampeld.source import bounded, corrections
from ampeld.source.refused import CRC_TRIES, GuardedRecords, RefusedBatch

corrections.install()
PARTITION = TopicPartition("topic", 0)
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def memory_kb(what: str) -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(what))


def batch(base: int, *values: bytes, codec: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 2**31 - 1)
    for number, value in enumerate(values):
        builder.append(number, 0, None, value, [])
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)  # outside of the check sum: the broker's
    return bytes(raw)


def unpack(raw: bytes, position: int = 0) -> tuple[list[object], int]:
    records = fetcher.PartitionRecords(PARTITION, fetcher.MemoryRecords(raw), None, position, None, None, True, 0)
    assert isinstance(records, GuardedRecords)
    return list(records), records.next_fetch_offset


@pytest.mark.parametrize("codec", [0, *CODECS.values()])
def test_good_batches_are_read_as_ever(codec: int) -> None:
    records, position = unpack(batch(10, b"a", b"b", codec=codec) + batch(12, b"c", codec=codec), 11)
    assert [(record.offset, record.value) for record in records] == [(11, b"b"), (12, b"c")]  # type: ignore[attr-defined]
    assert position == 13


@pytest.mark.parametrize("name", CODECS)
def test_a_compressed_batch_of_real_size_is_read(name: str) -> None:
    alert = bytes(range(256)) * 256
    (record,), _ = unpack(batch(0, alert, codec=CODECS[name]))
    assert record.value == alert  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CODECS)
def test_a_bomb_of_every_codec_is_one_refusal_and_the_next_batch_is_read(name: str) -> None:
    raw = batch(0, b"a", bytes(bounded.LIMIT_BYTES), b"b", codec=CODECS[name])
    (refused, after), position = unpack(raw + batch(3, b"good"))
    assert isinstance(refused, RefusedBatch)
    assert (refused.offset, refused.through, refused.value) == (0, 2, raw)
    assert "inflates to more than" in refused.reason
    assert after.value == b"good"  # type: ignore[attr-defined]
    assert position == 4


def test_256_mib_in_8_kb_are_refused_without_being_made() -> None:
    compressor = cramjam.zstd.Compressor()
    for _ in range(256):
        compressor.compress(bytes(1024 * 1024))
    bomb = bytes(compressor.finish())
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    before = memory_kb("VmRSS")
    with pytest.raises(bounded.TooLargeError):
        bounded.zstd_decode(bomb)
    assert memory_kb("VmHWM") - before < 2 * bounded.LIMIT_BYTES / 1024


def test_a_wrong_check_sum_is_tried_again_before_it_is_refused() -> None:
    good, bad = batch(0, b"good"), bytearray(batch(1, b"bad", b"bad too"))
    bad[-5] ^= 1
    raw = good + bytes(bad)
    for _ in range(CRC_TRIES - 1):
        records, position = unpack(raw)
        assert [record.offset for record in records] == [0]  # type: ignore[attr-defined]
        assert position == 1
    (_, refused), position = unpack(raw)
    assert isinstance(refused, RefusedBatch)
    assert (refused.offset, refused.through, position) == (1, 2, 3)
    assert refused.reason == "batch of offsets 1 to 2: its check sum (CRC-32C) is wrong"


def test_how_far_a_spoilt_header_reaches_is_not_believed() -> None:
    bad = bytearray(batch(5, b"a", b"b"))
    struct.pack_into(">i", bad, 23, 1_000_000)  # last offset delta
    for _ in range(CRC_TRIES - 1):
        assert unpack(bytes(bad), 5) == ([], 5)
    (refused,), position = unpack(bytes(bad), 5)
    assert isinstance(refused, RefusedBatch)
    assert (refused.offset, refused.through, position) == (5, 5, 6)
    for _ in range(CRC_TRIES - 1):
        assert unpack(bytes(bad) + batch(7, b"next"), 5) == ([], 5)
    records, position = unpack(bytes(bad) + batch(7, b"next"), 5)
    assert (records[0].through, position) == (6, 8)  # type: ignore[attr-defined]


def test_records_before_the_spoilt_one_of_a_batch_are_delivered() -> None:
    raw = bytearray(batch(0, b"one", b"two"))
    at = raw.index(b"two")
    raw[at - 1] = 0x7F  # a length beyond the end
    struct.pack_into(">I", raw, 17, _crc32c(bytes(raw[21:])))
    (first, refused), position = unpack(bytes(raw))
    assert first.value == b"one"  # type: ignore[attr-defined]
    assert isinstance(refused, RefusedBatch)
    assert (refused.offset, refused.through, position) == (1, 1, 2)


def _crc32c(data: bytes) -> int:
    from aiokafka.record.util import calc_crc32c  # noqa: PLC0415  private to this test

    return int(calc_crc32c(data))


@given(st.binary(max_size=300), st.sampled_from(sorted(CODECS)))
def test_rubbish_is_refused_by_every_codec_with_a_known_error(rubbish: bytes, name: str) -> None:
    try:
        bounded_bytes = getattr(bounded, f"{name}_decode")(rubbish)
    except (bounded.CorruptRecordException, zlib.error, cramjam.DecompressionError):
        return
    assert len(bounded_bytes) <= bounded.LIMIT_BYTES


@given(st.integers(0, 400), st.integers(1, 255))
def test_no_flipped_byte_raises_or_moves_the_position_back(at: int, flip: int) -> None:
    raw = bytearray(batch(0, b"x" * 100, b"y" * 100, codec=0) + batch(2, b"z" * 100))
    raw[at % len(raw)] ^= flip
    for _ in range(CRC_TRIES):
        records, position = unpack(bytes(raw))
        assert position >= 0
        throughs = [getattr(record, "through", record.offset) for record in records]  # type: ignore[attr-defined]
        assert throughs == sorted(throughs)


def test_xerial_blocks_are_read_and_bounded() -> None:
    from aiokafka.codec import snappy_encode  # noqa: PLC0415  private to this test

    assert bounded.snappy_decode(snappy_encode(b"a" * 100_000, xerial_compatible=True)) == b"a" * 100_000
    with pytest.raises(bounded.TooLargeError):
        bounded.snappy_decode(snappy_encode(bytes(bounded.LIMIT_BYTES + 1), xerial_compatible=True))


async def test_an_error_through_a_fetch_does_not_leak_its_count() -> None:
    state = SubscriptionState()
    for _ in range(3):
        with pytest.raises(ValueError, match="out"), state.fetch_context():
            raise ValueError("out")
    assert state._fetch_count == 0
    assert state.fetcher_idle_time < 10
