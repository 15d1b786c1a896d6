"""The walker accepts exactly what the schema allows; kernel and second look agree, which says what is wrong."""

import io
import itertools
import json
import math

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.verdicts import accepts

from ampeld.alert import wire
from ampeld.alert.fault import explain
from ampeld.alert.schema import parse, to_fastavro
from ampeld.alert.walker import compile_walk
from ampeld.errors import PoisonError


def record(**types):
    return {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in types.items()]}


RICH = record(
    flag="boolean",
    small="int",
    number=["null", "long"],
    measure=["float", "null"],
    text=["null", "string"],
    kind={"type": "enum", "name": "k", "symbols": ["a", "b", "c"]},
    raw={"type": "fixed", "name": "x", "size": 3},
    blob="bytes",
    points={
        "type": "array",
        "items": {
            "type": "record",
            "name": "p",
            "fields": [{"name": "jd", "type": "double"}, {"name": "pid", "type": "long"}],
        },
    },
    extra=["null", {"type": "map", "values": ["null", "int"]}],
)
VALUES = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "measure": st.none() | st.floats(width=32, allow_nan=False),
        "text": st.none() | st.text(max_size=80),
        "kind": st.sampled_from("abc"),
        "raw": st.binary(min_size=3, max_size=3),
        "blob": st.binary(max_size=200),
        "points": st.lists(
            st.fixed_dictionaries({"jd": st.floats(allow_nan=False), "pid": st.integers(-(2**63), 2**63 - 1)}),
            max_size=4,
        ),
        "extra": st.none()
        | st.dictionaries(st.from_regex(r"\A[a-zé.]{0,4}\Z"), st.none() | st.integers(-9, 9), max_size=4),
    }
)
TYPE = parse(json.dumps(RICH).encode())[0]
WALK = compile_walk(TYPE)
PARSED = fastavro.parse_schema(to_fastavro(TYPE))


def encoded(value, schema=PARSED):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def look(schema, data):
    """Return what is wrong with the data, having asked all walkers."""
    found = parse(json.dumps(schema).encode())[0]
    reason = explain(found, data)
    assert compile_walk(found)(data) == accepts(found, data) == (reason is None)
    return reason


@given(value=VALUES)
def test_what_fastavro_writes_is_accepted_and_reads_back(value):
    data = encoded(value)
    assert WALK(data)
    assert explain(TYPE, data) is None
    assert fastavro.schemaless_reader(io.BytesIO(data), PARSED, None) == value


@given(value=VALUES, data=st.data())
def test_all_walkers_agree_on_damaged_bytes_and_fastavro_reads_what_they_accept(value, data):
    damaged = bytearray(encoded(value))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged)
    accepted = WALK(damaged)
    assert accepted == accepts(TYPE, damaged) == (explain(TYPE, damaged) is None)
    if accepted:
        fastavro.schemaless_reader(io.BytesIO(damaged), PARSED, None)


@given(junk=st.binary(max_size=60))
@example(junk=b"\x80" * 60)
def test_all_walkers_agree_on_random_bytes(junk):
    assert WALK(junk) == accepts(TYPE, junk) == (explain(TYPE, junk) is None)


@given(value=VALUES)
def test_no_truncation_and_no_byte_more_is_accepted(value):
    data = encoded(value)
    assert accepts(TYPE, data)
    assert not any(WALK(data[:size]) or accepts(TYPE, data[:size]) for size in range(len(data)))
    assert not WALK(data + b"\x00")
    assert not accepts(TYPE, data + b"\x00")
    assert explain(TYPE, data + b"\x00") == f"1 bytes left over behind the record at byte {len(data)}"


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("long", b"\x80" * 10 + b"\x00", "varint longer than 64 bits at byte 0 (f)"),
        ("long", b"\xff" * 9 + b"\x02", "varint longer than 64 bits at byte 0 (f)"),
        ("long", b"\xff" * 9 + b"\x01", None),
        ("long", b"\x80\x00", None),
        ("long", b"\x80", "the data end at byte 1, inside the record (f)"),
        ("int", b"\xff\xff\xff\xff\x0f", None),
        ("int", b"\x80\x80\x80\x80\x10", "int beyond 32 bits at byte 0 (f)"),
        ("boolean", b"\x02", "boolean that is neither 0 nor 1 at byte 0 (f)"),
        (["null", "int"], b"\x04\x02", "union index 2 of 2 branches at byte 0 (f)"),
        (["null", "int"], b"\x01\x02", "union index -1 of 2 branches at byte 0 (f)"),
        (["null", "int"], b"\x82\x00\x02", None),
        (["null", "int"], b"\x80\x00", None),
        ("string", b"\x03", "length -2 with 0 bytes left at byte 0 (f)"),
        ("string", b"\x04a", "length 2 with 1 bytes left at byte 0 (f)"),
        ("string", b"\x04a\xff", "string that is not UTF-8 at byte 2 (f)"),
        ("string", b"\x06\xed\xa0\x80", "string that is not UTF-8 at byte 1 (f)"),
        ("bytes", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", f"length {2**63 - 1} with 0 bytes left at byte 0 (f)"),
        ("double", b"\x00" * 7, "the data end at byte 7, inside the record (f)"),
        ("null", b"", None),
        ({"type": "enum", "name": "e", "symbols": ["a"]}, b"\x02", "enum index 1 of 1 symbols at byte 0 (f)"),
        ({"type": "fixed", "name": "x", "size": 4}, b"abc", "the data end at byte 3, inside the record (f)"),
        ({"type": "array", "items": "int"}, b"\x04\x02\x04\x00", None),
        ({"type": "array", "items": "int"}, b"\x03\x04\x02\x04\x00", None),
        ({"type": "array", "items": "int"}, b"\x03\x02\x02\x04\x00", "block that does not end where it says at byte 4 (f)"),
        ({"type": "array", "items": "int"}, b"\x03\x7e\x02\x04\x00", "block of 63 bytes with 3 left at byte 0 (f)"),
        ({"type": "array", "items": "int"}, b"\x80\x80\x80\x80\x80\x80\x01\x00", f"block of {2**41} items with 1 bytes left at byte 0 (f)"),
        ({"type": "array", "items": "long"}, b"\x04\x02" + b"\xff" * 11, "varint longer than 64 bits at byte 2 (f[1])"),
        ({"type": "map", "values": "int"}, b"\x02\x02\xff\x02\x00", "string that is not UTF-8 at byte 2 (f)"),
        ({"type": "map", "values": "int"}, b"\x02\x04$a\x02\x00", "map key that begins with $ or holds a NUL at byte 1 (f)"),
        ({"type": "map", "values": "int"}, b"\x02\x04a\x00\x02\x00", "map key that begins with $ or holds a NUL at byte 1 (f)"),
        (["null", {"type": "array", "items": ["null", record(deep="boolean")]}], b"\x02\x02\x02\x09\x00", "boolean that is neither 0 nor 1 at byte 3 (f[0].deep)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_byte_and_field(kind, data, reason):
    schema = record(f=kind)
    if isinstance(kind, list) and isinstance(kind[1], dict):
        kind[1]["items"][1]["name"] = "inner"
    assert look(schema, data) == reason


def test_a_union_of_many_branches_is_walked():
    schema = record(f=[{"type": "fixed", "name": f"x{index}", "size": index} for index in range(1, 65)])
    assert look(schema, b"\x00" + b"a") is None
    assert look(schema, b"\x7e" + b"a" * 64) is None
    assert look(schema, b"\xfe\x00" + b"a" * 64) is None
    assert look(schema, b"\x80\x01" + b"a" * 100) == "union index 64 of 64 branches at byte 0 (f)"


def test_small_items_cannot_grow_to_much_memory():
    item = "boolean"
    for level in range(20):
        item = {"type": "record", "name": f"wrap{level}", "fields": [{"name": "inner", "type": item}]}
    head = b"\x80\x92\xf4\x01"  # 2,000,000
    reason = look(record(f={"type": "array", "items": item}), head + b"\x01" * 2_000_000 + b"\x00")
    assert reason == f"decoded arrays above {wire.MAX_DECODED} bytes at byte 0 (f)"


def test_sixty_levels_are_walked():
    schema = "int"
    for level in range(60):
        schema = {"type": "record", "name": f"r{level}", "fields": [{"name": "f", "type": schema}]}
    assert look(schema, b"\x02") is None
    assert look(schema, b"\x80").endswith("inside the record (" + ".".join(["f"] * 60) + ")")


def test_not_a_number_passes_for_it_is_a_value():
    data = encoded({"f": math.nan}, fastavro.parse_schema(record(f="double")))
    assert look(record(f="double"), data) is None


PLAIN = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])


@st.composite
def kinds(draw, depth=3):
    """Return any type, its definitions still without names."""
    shape = draw(
        st.sampled_from(["plain"] * 3 + (["array", "map", "union", "record", "enum", "fixed"] if depth else []))
    )
    inner = kinds(depth=depth - 1)
    match shape:
        case "array":
            return {"type": "array", "items": draw(inner)}
        case "map":
            return {"type": "map", "values": draw(inner)}
        case "union":
            return draw(st.lists(inner.filter(lambda kind: not isinstance(kind, list)), min_size=1, max_size=3))
        case "record":
            return {"type": "record", "fields": draw(st.lists(inner, max_size=3))}
        case "enum":
            return {"type": "enum", "symbols": ["a", "b", "c"][: draw(st.integers(1, 3))]}
        case "fixed":
            return {"type": "fixed", "size": draw(st.integers(0, 5))}
        case _:
            return draw(PLAIN)


def named(kind, count):
    """Return a type with a name for each of its definitions."""
    if isinstance(kind, list):
        return [named(part, count) for part in kind]
    if isinstance(kind, str):
        return kind
    made = dict(kind)
    if made["type"] in ("record", "enum", "fixed"):
        made["name"] = f"n{next(count)}"
    if made["type"] == "record":
        made["fields"] = [{"name": f"f{i}", "type": named(part, count)} for i, part in enumerate(made["fields"])]
    for inner in ("items", "values"):
        if inner in made:
            made[inner] = named(made[inner], count)
    return made


@given(kind=kinds(), junk=st.binary(max_size=40), data=st.data())
def test_all_walkers_agree_on_any_schema(kind, junk, data):
    schema = record(f=named(kind, itertools.count()))
    try:
        parse(json.dumps(schema).encode())
    except PoisonError:
        return
    # zeros are a value of nearly every type, so that much is accepted; a few other bytes decide what is not
    plain = bytearray(data.draw(st.sampled_from([b"", bytes(40)]))) + junk
    for size in range(len(plain) + 1):
        look(schema, bytes(plain[:size]))
