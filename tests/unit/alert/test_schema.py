"""Which schemas may be decoded with."""

import json

import orjson
import pytest
from support.ztf_packets import ztf_schema

from ampeld.alert.schema import MAX_TEXT, parse, to_fastavro
from ampeld.errors import PoisonError


def record(*types, name="r", **more):
    fields = [{"name": f"f{index}", "type": avro_type} for index, avro_type in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields} | more


def nested(levels, inner):
    for level in range(levels):
        inner = record(inner, name=f"r{level}")
    return inner


def doubled(levels):
    """Return a schema of few words that holds 2^levels nulls: each record holds the one before it twice."""
    inner = record("null", name="r0")
    for level in range(1, levels):
        inner = record(inner, f"r{level - 1}", name=f"r{level}")
    return inner


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (record("r"), "recursive schema: r holds itself"),
        (record(["null", "r"]), "recursive schema"),
        (record({"type": "array", "items": "r"}), "recursive schema"),
        (record({"type": "map", "values": "r"}), "recursive schema"),
        (record({"type": "array", "items": "null"}), "array has items without width"),
        (record({"type": "map", "values": "null"}), "map has items without width"),
        (record({"type": "array", "items": record(name="empty")}), "array has items without width"),
        (record({"type": "array", "items": record("null", "null", name="nulls")}), "array has items without width"),
        (
            record({"type": "array", "items": {"type": "fixed", "name": "x", "size": 0}}),
            "array has items without width",
        ),
        (nested(64, "int"), "deeper than 64 levels"),
        (nested(100, "int"), "deeper than 64 levels"),
        (record(*["int"] * 5000), "more than 5000 types"),
        (doubled(50), "more than 5000 types"),
        (record("decimal"), "a type that Avro does not have"),
        (record("later", record(name="later")), "not defined before its use"),
        (record(17), "a type that Avro does not have"),
        (record(None), "a type that Avro does not have"),
        (record({}), "a type that Avro does not have"),
        (record({"type": "array"}), "a type that Avro does not have"),
        (record({"type": "error", "name": "x", "fields": []}), "a type that Avro does not have"),
        (record([]), "union of none"),
        (record(["null", ["int"]]), "in a union"),
        (record(["int"] * 65), "union of more than 64 types"),
        (record(record(name="a"), record(name="a")), "defines a twice"),
        (record({"type": "enum", "name": "int", "symbols": ["a"]}), "defines int twice"),
        ({"type": "record", "fields": []}, "definition that has no name"),
        (record(namespace=17), "definition that has no name"),
        (record(name="$where"), "name that is not valid"),
        (record(name="a..b"), "name that is not valid"),
        (record(name="x" * 300), "name that is not valid"),
        ({"type": "record", "name": "r"}, "record r has no fields"),
        ({"type": "record", "name": "r", "fields": [{"name": "a"}]}, "record r has no fields"),
        (
            {"type": "record", "name": "r", "fields": [{"name": "$a", "type": "int"}]},
            "fields whose names are not valid",
        ),
        ({"type": "record", "name": "r", "fields": [{"type": "int"}]}, "fields whose names are not valid"),
        (
            {"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}] * 2},
            "fields that have the same name",
        ),
        (record({"type": "enum", "name": "e", "symbols": "abc"}), "symbols whose names are not valid"),
        (record({"type": "fixed", "name": "x", "size": -1}), "fixed x has no size"),
        (record({"type": "fixed", "name": "x", "size": True}), "fixed x has no size"),
    ],
)
def test_a_schema_that_is_wrong_or_dangerous_is_poison(schema, reason):
    with pytest.raises(PoisonError, match=reason):
        parse(json.dumps(schema).encode())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"type":' * 1020 + b'"int"' + b"}" * 1020, "deeper than 64 levels"),
        (b" " * (MAX_TEXT + 1), "above 262144"),
    ],
)
def test_a_text_that_is_no_schema_is_poison(text, reason):
    with pytest.raises(PoisonError, match=reason):
        parse(text)


def test_the_top_level_says_its_name_and_version():
    assert parse(orjson.dumps(ztf_schema()))[1] == "ztf.alert 4.02"
    assert parse(b'"int"')[1] == "int"


def test_names_are_resolved_in_their_namespaces():
    inner = record("int", name="inner")
    schema = record(inner, "inner", "space.inner", record("inner", name="other.deep"), name="space.outer")
    with pytest.raises(PoisonError, match="not defined"):
        parse(orjson.dumps(schema))  # "inner" is not in the namespace "other"
    schema["fields"].pop()
    top, _ = parse(orjson.dumps(schema))
    assert top.parts[0] is top.parts[1] is top.parts[2]
    assert top.parts[0].name == "space.inner"


def test_an_enclosing_namespace_can_be_left():
    schema = record({"type": "fixed", "name": "x", "size": 2, "namespace": ""}, "x", name="space.outer")
    assert parse(orjson.dumps(schema))[0].parts[1].name == "x"


def test_fastavro_gets_the_schema_without_logical_types_and_names():
    schema = record({"type": "long", "logicalType": "timestamp-millis"}, ["null", "int"], {"type": {"type": "string"}})
    assert to_fastavro(parse(orjson.dumps(schema))[0]) == {
        "type": "record",
        "name": "T0",
        "fields": [
            {"name": "f0", "type": "long"},
            {"name": "f1", "type": ["null", "int"]},
            {"name": "f2", "type": "string"},
        ],
    }


def test_a_schema_of_sixty_levels_is_read():
    assert parse(orjson.dumps(nested(60, "int")))[0].depth == 61
