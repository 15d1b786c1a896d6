"""Whatever arrives becomes a row or poison; nothing raises."""

import io
import json
import math

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import tables
from support.ztf import TARBALLS, real_alerts, tarball
from support.ztf_packets import CANDID, candidate, encode, forced, header_size, limit, packet, ztf_schema

from ampeld.alert.decode import Decoder

LIMIT = 10_000_000
ALERT = encode(packet(fp_hists=[forced()]))
WARM = Decoder(LIMIT)
ORACLE = Decoder(LIMIT, kernel=False)
for decoder in (WARM, ORACLE):
    decoder.decode([ALERT, ALERT])  # its schema is compiled by now
CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
SCHEMAS = {"ztf.alert 3.0", "ztf.alert 3.1", "ztf.alert 3.2", "ztf.alert 3.3", "ztf.alert 4.01"}


def one(value):
    """Decode one payload: a row or poison, never both or neither."""
    decoded = WARM.decode([value])
    tables.assert_same_batch(decoded, ORACLE.decode([value]))
    assert decoded.poison == Decoder(LIMIT).decode([value]).poison
    assert (len(decoded.table), decoded.rows, len(decoded.poison)) in ((1, [0], 0), (0, [], 1))
    for poison in decoded.poison:
        assert 0 < len(poison.reason) <= 1000
        assert poison.index == 0
    return decoded.poison[0] if decoded.poison else decoded.table.packet(0)


@pytest.mark.golden
def test_every_real_alert_is_read_as_fastavro_reads_it():
    values = real_alerts()
    decoder = Decoder(LIMIT)
    decoded = decoder.decode(values)
    assert decoded.poison == []
    assert decoded.rows == list(range(len(values)))
    assert set(decoder.schemas.values()) == SCHEMAS
    assert all(len(fingerprint) == 16 for fingerprint in decoder.schemas)
    for row, value in enumerate(values):
        whole = next(fastavro.reader(io.BytesIO(value)))
        cutouts = {name: whole[name] for name in CUTOUTS}
        assert decoded.table.packet(row) | cutouts == whole


def test_rows_and_poison_keep_their_places():
    decoded = Decoder(LIMIT).decode([b"", ALERT, b"junk", ALERT, ALERT[:-1]])
    assert decoded.rows == [1, 3]
    assert [poison.index for poison in decoded.poison] == [0, 2, 4]
    assert [bool(poison.schema) for poison in decoded.poison] == [False, False, True]
    assert decoded.table.candid.tolist() == [CANDID, CANDID]


def test_a_batch_of_nothing_is_decoded():
    assert len(Decoder(LIMIT).decode([]).table) == 0


def test_a_message_above_the_limit_is_not_read():
    assert Decoder(10).decode([b"x" * 11]).poison[0].reason == "message of 11 bytes above source.max_message_bytes = 10"


def test_fingerprints_are_stable_and_tell_schemas_apart():
    first, second = Decoder(LIMIT).decode([ALERT]), Decoder(LIMIT).decode([ALERT])
    other = ztf_schema() | {"version": "4.03"}
    assert first.table.schema == second.table.schema
    assert Decoder(LIMIT).decode([encode(packet(), schema=other)]).table.schema != first.table.schema


def test_schemas_in_turn_are_told_apart_and_a_refused_one_stays_refused():
    other = encode(packet(), schema=ztf_schema() | {"version": "4.03"})
    refused = encode({"a": 1}, schema={"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]})
    decoded = Decoder(LIMIT).decode([ALERT, other, refused] * 3)
    assert len(set(decoded.table.schema)) == 2
    assert len({(poison.reason, poison.schema) for poison in decoded.poison}) == 1
    assert decoded.rows == [0, 1, 3, 4, 6, 7]


def test_the_memory_for_schemas_is_bounded():
    decoder = Decoder(LIMIT)
    for version in range(40):
        value = encode(packet(), schema=ztf_schema() | {"version": str(version)})
        assert len(decoder.decode([value]).table) == 1
    assert len(decoder.schemas) == 32
    assert "ztf.alert 39" in decoder.schemas.values()


def test_a_deflated_container_is_read():
    assert one(encode(packet(), codec="deflate"))["candid"] == CANDID


def _varint(number):
    raw, out = number << 1, bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    return bytes([*out, raw])


def _container(body, schema):
    """Return any bytes as the only record of a container with this schema."""
    text, sync = json.dumps(schema).encode(), b"ampeld-test-sync"
    head = b"Obj\x01\x02" + _varint(11) + b"avro.schema" + _varint(len(text)) + text + b"\x00"
    return head + sync + _varint(1) + _varint(len(body)) + body + sync


def _body(value):
    """Return the bytes of the record of `encode`: behind marker, count and a size of two bytes, before a marker."""
    return value[header_size(value) + 16 + 3 : -16]


def test_a_candid_beyond_64_bits_is_named():
    beyond = _body(ALERT).replace(_varint(CANDID), b"\xff" * 9 + b"\x7f", 1)
    poison = one(_container(beyond, ztf_schema()))
    assert poison.stage == "decode"
    assert poison.reason.startswith("varint longer than 64 bits at byte")
    assert poison.reason.endswith("(candid)")


def test_logical_types_stay_plain_numbers():
    schema = ztf_schema()
    field = next(field for field in schema["fields"][4]["type"]["fields"] if field["name"] == "tblid")
    field["type"] = ["null", {"type": "long", "logicalType": "timestamp-millis"}]
    value = encode(packet(candidate=candidate(tblid=2**62)))
    assert one(_container(_body(value), schema))["candidate"]["tblid"] == 2**62


@given(junk=st.binary(max_size=300))
def test_random_bytes_are_poison(junk):
    for value in (junk, b"Obj\x01" + junk, ALERT[: header_size(ALERT) + 16] + junk, ALERT + (junk or b"\x00")):
        assert one(value).reason


@given(data=st.data())
def test_damaged_packets_never_raise_and_what_passes_can_be_shaped(data):
    damaged = bytearray(ALERT)
    start = header_size(ALERT) if data.draw(st.booleans()) else 0
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(start, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    decoded = WARM.decode([bytes(damaged)])
    tables.assert_same_batch(decoded, ORACLE.decode([bytes(damaged)]))
    for row in range(len(decoded.table)):
        table = decoded.table
        assert table.heads(row)[0].id == table.candid[row] > 0
        assert all(abs(head.id) < 2**63 for head in table.heads(row))
        assert table.stock[row] >= 0
        assert math.isfinite(table.jd[row])


@pytest.mark.golden
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_real_packets_never_raise(data):
    values = list(tarball(TARBALLS[0]).values())
    value = values[data.draw(st.integers(0, len(values) - 1))]
    damaged = bytearray(value)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    one(bytes(damaged))
    one(value[: data.draw(st.integers(0, len(value) - 1))])


AVRO = st.recursive(
    st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string", "r", "x", 5, None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(lambda item: {"type": "map", "values": item}, inner),
        st.builds(lambda name, symbols: {"type": "enum", "name": name, "symbols": symbols}, st.sampled_from("xyz"), st.lists(st.sampled_from("abc"), max_size=3)),
        st.builds(lambda name, size: {"type": "fixed", "name": name, "size": size}, st.sampled_from("xyz"), st.integers(0, 9)),
        st.builds(lambda name, kinds: {"type": "record", "name": name, "fields": [{"name": f"f{i}", "type": k} for i, k in enumerate(kinds)]}, st.sampled_from("rstu"), st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)  # fmt: skip


@given(novel=AVRO, junk=st.binary(max_size=20))
def test_no_schema_of_a_further_field_makes_it_raise(novel, junk):
    schema = ztf_schema()
    schema["fields"].append({"name": "novel", "type": novel})
    one(_container(_body(ALERT) + junk, schema))


def test_the_path_of_a_fault_in_the_history_is_named():
    value = bytearray(encode(packet(prv_candidates=[limit(), limit(pdiffimfilename="a.fits")])))
    value[value.index(b"a.fits", header_size(bytes(value)))] = 0xFF
    assert "string that is not UTF-8" in one(bytes(value)).reason
    assert one(bytes(value)).reason.endswith("(prv_candidates[1].pdiffimfilename)")
