"""Single values from the bytes: as fastavro gives them, and an error where there is none."""

import io
import json
import math

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.alert import bodies
from ampeld.alert.schema import parse, to_fastavro
from ampeld.alert.shape import finite

INNER = {"type": "record", "name": "inner", "fields": [{"name": "a", "type": ["null", "float"]}]}
KINDS = {
    "flag": "boolean",
    "number": ["long", "null"],
    "single": "float",
    "measure": ["null", "string", "double"],
    "kind": {"type": "enum", "name": "k", "symbols": ["x", "y"]},
    "raw": {"type": "fixed", "name": "f", "size": 2},
    "blob": "bytes",
    "one": INNER,
    "many": {"type": "array", "items": ["null", "inner"]},
    "named": {"type": "map", "values": {"type": "array", "items": "int"}},
    "nothing": "null",
}
FIELDS = [{"name": name, "type": kind} for name, kind in KINDS.items()]
TYPE = parse(json.dumps({"type": "record", "name": "r", "fields": FIELDS}).encode())[0]
SCHEMA = fastavro.parse_schema(to_fastavro(TYPE))
SINGLE = st.floats(width=32)
POINT = st.fixed_dictionaries({"a": st.none() | SINGLE})
VALUES = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "single": SINGLE,
        "measure": st.none() | st.text() | st.floats(),
        "kind": st.sampled_from("xy"),
        "raw": st.binary(min_size=2, max_size=2),
        "blob": st.binary(),
        "one": POINT,
        "many": st.lists(st.none() | POINT, max_size=3),
        "named": st.dictionaries(st.text(max_size=3), st.lists(st.integers(-9, 9), max_size=3), max_size=3),
        "nothing": st.none(),
    }
)


def encoded(value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, value)
    return out.getvalue()


def decoded(data, at=0, **how):
    return bodies.decode(bodies.reader(TYPE, **how), np.frombuffer(data, dtype=np.uint8), at)


@given(value=VALUES)
def test_a_value_is_what_fastavro_reads_but_for_numbers_that_are_not_finite(value):
    expected = fastavro.schemaless_reader(io.BytesIO(encoded(value)), SCHEMA, None)
    assert decoded(b"xx" + encoded(value), 2) == finite(expected)
    assert repr(decoded(encoded(value), finite=False)) == repr(expected)


@given(value=VALUES)
def test_fields_that_are_left_out_are_passed(value):
    expected = finite(value)
    del expected["blob"], expected["one"]
    assert decoded(encoded(value), dropped={"blob", "one"}) == expected


@given(value=VALUES, data=st.data())
def test_bytes_that_end_early_are_an_error(value, data):
    whole = encoded(value)
    with pytest.raises(ValueError, match=r"end|encoding|items"):
        decoded(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(junk=st.binary(max_size=80), at=st.integers(-2, 82))
def test_any_bytes_are_a_value_or_an_error(junk, at):
    try:
        assert isinstance(decoded(junk, at), dict)
    except ValueError:
        return


def test_a_single_number_that_is_not_finite_is_none_only_where_that_is_wanted():
    avro_type = parse(b'{"type": "record", "name": "r", "fields": [{"name": "a", "type": "double"}]}')[0]
    data = np.frombuffer(np.float64(math.nan).tobytes(), dtype=np.uint8)
    assert bodies.decode(bodies.reader(avro_type), data, 0) == {"a": None}
    assert math.isnan(bodies.decode(bodies.reader(avro_type, finite=False), data, 0)["a"])
