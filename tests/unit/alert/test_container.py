"""The container around an alert: exactly one record, the right markers, nothing left over."""

import zlib

import pytest
from support.ztf_packets import encode, header_size, packet

from ampeld.alert.container import MAX_INFLATED, read_header, read_record
from ampeld.errors import PoisonError

ALERT = encode(packet())
HEAD = ALERT[: header_size(ALERT) + 16]
SYNC = b"ampeld-test-sync"


def varint(number):
    raw = (number << 1) ^ (number >> 63)
    out = bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    return bytes([*out, raw])


def block(data, count=1, size=None, sync=SYNC):
    return varint(count) + varint(len(data) if size is None else size) + data + sync


def header(**entries):
    entries = {"avro.schema": b'"null"'} | {name.replace("_", "."): text for name, text in entries.items()}
    pairs = b"".join(varint(len(key)) + key.encode() + varint(len(text)) + text for key, text in entries.items())
    return b"Obj\x01" + varint(len(entries)) + pairs + b"\x00" + SYNC


def record(value):
    return read_record(value, read_header(value))


def test_the_record_and_its_place_are_found():
    data, at = record(ALERT)
    assert ALERT[at : at + len(data)] == data
    assert at + len(data) + 16 == len(ALERT)


def test_a_deflated_record_is_inflated():
    assert record(encode(packet(), codec="deflate")) == (record(ALERT)[0], 0)


def test_blocks_of_nothing_beside_the_record_are_allowed():
    assert record(header() + block(b"", 0) + block(b"one") + block(b"", 0))[0] == b"one"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty payload"),
        (b"Ob", "the data end at byte 2, inside the header of the container"),
        (b'  {"candid": 1}', "JSON text"),
        (b"[1, 2]", "JSON text"),
        (b"\x1f\x8b\x08\x00\x00", "gzip data"),
        (b"\x00\x00\x00\x03\x84\xb4\x82", "Confluent frame with schema id 900: another survey's packet?"),
        (b"\x00", "not an Avro object container"),
        (b"random bytes", "not an Avro object container"),
        (ALERT[:20], "length 4 with 3 bytes left at byte 16 .header of the container"),
        (HEAD, "container of no records"),
        (HEAD[:-1], "inside the container"),
        (ALERT[:-1], "inside the container"),
        (ALERT[:-17], "inside the container"),
        (ALERT + b"\x00", "1 bytes left over behind the record"),
        (ALERT + b"garbage!" * 9, "72 bytes left over behind the record"),
        (ALERT[:-16] + b"another sync mrk", "wrong sync marker at byte"),
        (encode(packet(), packet()), "container of 2 records"),
        (ALERT + block(ALERT[len(HEAD) :]), "container of 2 records"),
        (header() + block(b"x", 0), "block of no records with 1 bytes"),
        (header() + block(b"x", -1), "block of a negative size"),
        (header() + block(b"x", 1, -5), "block of a negative size"),
        (header() + block(b"x", 1, 2**40), "inside the container"),
        (header() + b"\xff" * 1000, "varint longer than 64 bits"),
        (b"Obj\x01\x00" + SYNC, "container without a schema"),
        (b"Obj\x01" + varint(2**40), "items with"),
        (header(avro_codec=b"snappy"), "codec"),
        (header(**{f"key{n}": b"" for n in range(200)}), "more than 100 entries"),
        (b"Obj\x01" + varint(-1) + varint(2) + varint(1) + b"a\x00\x00", "does not end where it says"),
        (header(avro_codec=b"deflate") + block(b"\xff\xff\xff"), "deflated block is broken"),
        (header(avro_codec=b"deflate") + block(zlib.compress(b"x" * 99, wbits=-15)[:-2]), "deflated block ends early"),
        (header(avro_codec=b"deflate") + block(zlib.compress(b"x", wbits=-15) + b"y"), "left over behind its deflated"),
        (
            header(avro_codec=b"deflate") + block(zlib.compress(bytes(MAX_INFLATED + 1), wbits=-15)),
            "deflated block is larger",
        ),
    ],
)
def test_what_is_no_container_of_one_record_is_poison_with_a_reason(value, reason):
    with pytest.raises(PoisonError, match=reason):
        record(value)


def test_a_block_may_inflate_to_the_very_limit():
    value = header(avro_codec=b"deflate") + block(zlib.compress(bytes(MAX_INFLATED), wbits=-15))
    assert len(record(value)[0]) == MAX_INFLATED


def test_every_truncation_is_poison():
    for size in range(len(ALERT)):
        with pytest.raises(PoisonError):
            record(ALERT[:size])
