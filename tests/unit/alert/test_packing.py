"""A body packed from the bytes is the one that is decoded and encoded, byte for byte."""

import io

import bson
import fastavro
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ztf import real_alerts

from ampeld.alert.decode import Decoder
from ampeld.alert.schema import parse
from ampeld.alert.shape import finite

packing = pytest.importorskip("ampeld.alert.packing", reason="built without a compiler")

MARK = {"type": "enum", "name": "Mark", "symbols": ["A", "B"]}
RAW = {"type": "fixed", "name": "Raw", "size": 3}
INNER = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": ["null", "double"]}]}
SCHEMA = {
    "type": "record",
    "name": "Own",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "large", "type": ["null", "long"]},
        {"name": "single", "type": "float"},
        {"name": "real", "type": ["double", "null"]},
        {"name": "text", "type": "string"},
        {"name": "raw", "type": "bytes"},
        {"name": "fix", "type": RAW},
        {"name": "mark", "type": ["null", MARK]},
        {"name": "inner", "type": INNER},
        {"name": "again", "type": ["null", "Inner"]},
        {"name": "dropped", "type": "string"},
    ],
}
PARSED = fastavro.parse_schema(SCHEMA)
TYPE, _ = parse(orjson.dumps(SCHEMA))

inner = st.fixed_dictionaries({"x": st.none() | st.floats()})
records = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "large": st.none() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**31), 2**31 - 1, 2**31]),
        "single": st.floats(width=32),
        "real": st.none() | st.floats(),
        "text": st.text(st.characters(codec="utf-8")),
        "raw": st.binary(max_size=9),
        "fix": st.binary(min_size=3, max_size=3),
        "mark": st.sampled_from([None, "A", "B"]),
        "inner": inner,
        "again": st.none() | inner,
        "dropped": st.text(st.characters(codec="utf-8")),
    }
)


def encoded(record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, PARSED, record)
    return out.getvalue()


def as_bytes(data):
    return np.frombuffer(data, dtype=np.uint8)


@given(records, st.binary(max_size=5))
def test_what_is_packed_is_what_fastavro_decodes_and_bson_encodes(record, before):
    data = before + encoded(record)
    oracle = finite(fastavro.schemaless_reader(io.BytesIO(data[len(before) :]), PARSED, None))
    del oracle["dropped"]
    assert packing.pack(packing.packer(TYPE, frozenset(["dropped"])), as_bytes(data), len(before)) == bson.encode(
        oracle
    )


@given(records, st.data())
def test_bytes_that_end_early_are_refused(record, data):
    whole = encoded(record)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"."):
        packing.pack(packing.packer(TYPE), as_bytes(whole[:cut]), 0)


@given(st.binary(max_size=200), st.integers(-3, 210))
def test_any_bytes_are_packed_or_refused(data, at):
    try:
        packed = packing.pack(packing.packer(TYPE), as_bytes(data), at)
    except ValueError:
        return
    assert list(bson.decode(packed)) == [field["name"] for field in SCHEMA["fields"]]


@pytest.mark.parametrize("part", [{"type": "array", "items": "int"}, {"type": "map", "values": "int"}])
def test_arrays_and_maps_are_left_to_others(part):
    found, _ = parse(orjson.dumps({"type": "record", "name": "Own", "fields": [{"name": "part", "type": part}]}))
    with pytest.raises(TypeError):
        packing.packer(found)
    with pytest.raises(TypeError):
        packing.packer(found.parts[0])


def test_the_points_of_real_alerts_are_packed_as_they_are_shaped():
    table = Decoder(2 * 2**20).decode(real_alerts()).table
    packed = 0
    for row in range(len(table)):
        for head in table.heads(row):
            body = table.packed_body(row, head.index)
            packed += body is not None
            assert body in (None, bson.encode(table.body(row, head.index)))
    assert packed > 100
