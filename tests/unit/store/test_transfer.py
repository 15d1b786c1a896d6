"""An object as one line of text: everything comes back as it was, and what is no object is told so."""

import json
from datetime import UTC, datetime

import bson
import pytest
from bson import Int64
from support.dossiers import a_dossier, feature

from ampeld.store.transfer import LineError, from_line, to_line

ODD = {
    "$date": "x",
    "$oid": {"$numberLong": "5"},
    "$c": [{"$$numberDouble": "NaN", "$numberInt": "1"}],
    "$ref": "there",
    "a.b": float("nan"),
    "minus": float("-inf"),
    "long": Int64(5),
    "short": 5,
    "zero": -0.0,
    "then": datetime(1960, 1, 1, 1, 1, 1, 123000, tzinfo=UTC),
}


def test_keys_that_extended_json_has_for_itself_come_back_as_they_were():
    dossier = a_dossier(feature("Odd", -6, ODD))
    line = to_line(dossier)
    assert line.isascii()
    assert "\n" not in line
    back = from_line(line)
    assert bson.encode({"t2": back.t2}) == bson.encode({"t2": dossier.t2})
    assert to_line(back) == line


def test_an_object_that_is_just_being_purged_does_not_take_the_mark_with_it():
    dossier = a_dossier()
    line = to_line(dossier)
    dossier.stock["purging"] = {"run": "r9", "until": 1.0}
    assert to_line(dossier) == line


def stored(part, value):
    line = json.loads(to_line(a_dossier(feature("Odd", -6, {"x": 1.0}))))
    return json.dumps(line | {part: value})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "3",
        "null",
        "{}",
        "[" * 100_000,
        stored("ampeld", 2),
        stored("t0", "x"),
        stored("t0", [1]),
        stored("t2", None),
        stored("traces", {"a": 1}),
        stored("stock", 7),
        stored("stock", {"name": ["ZTF20aaaaaaa"]}),
        stored("stock", {"_id": True, "name": ["ZTF20aaaaaaa"]}),
        stored("stock", {"_id": 1 << 70, "name": ["ZTF20aaaaaaa"]}),
        stored("stock", {"_id": 7}),
        stored("stock", {"_id": 7, "name": []}),
        stored("t0", [{"_id": 1, "stock": [8], "since": {"8": 1.0}}]),
        stored("t0", [{"_id": 1, "stock": [7]}]),
        stored("t1", [{"stock": 8, "link": 1}]),
        stored("t2", [{"stock": 7, "link": 1 << 70}]),
    ],
)
def test_a_line_that_is_no_object_is_refused_before_anything_is_written(line):
    with pytest.raises(LineError):
        from_line(line)
