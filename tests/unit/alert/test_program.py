"""The flat program of a schema: what is written, what is merged, and what the kernel does with it."""

import json

import numpy as np
import pytest

from ampeld.alert import kernel, program
from ampeld.alert.program import END, NULLABLE, SKIP, UNION, Slots, compile_element, compile_record
from ampeld.alert.schema import parse
from ampeld.alert.survey import ZTF
from ampeld.alert.wire import MAX_DECODED

NAN = float("nan")


def schema(**kinds):
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    return parse(json.dumps({"type": "record", "name": "r", "fields": fields}).encode())[0]


def codes(made):
    return made.reshape(-1, 6)[:, 0].tolist()


def points(**kinds):
    """Return a schema with a history of points."""
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    return schema(
        prv_candidates=["null", {"type": "array", "items": {"type": "record", "name": "p", "fields": fields}}]
    )


def fill(avro_type, data, *fields):
    """Return the values that a program for one element keeps, and where they are missing."""
    slots = Slots([(("prv_candidates", name), kind) for name, kind in fields])
    made = compile_element(avro_type, "prv_candidates", slots)
    arena = np.frombuffer(data, dtype=np.uint8)
    first = np.zeros(1, dtype=np.int64)
    return kernel.fill(arena, [made], first, first, blank=slots.blank, budget=MAX_DECODED)


def test_what_nobody_wants_is_passed_in_one_step():
    made = compile_record(schema(a="float", b="double", c={"type": "fixed", "name": "x", "size": 3}), ZTF, Slots([]))
    assert made.reshape(-1, 6)[:, [0, 2]].tolist() == [[SKIP, 15], [END, 0]]


def test_steps_are_not_merged_across_a_place_that_is_jumped_to():
    kinds = {"a": ["float", "double", "null"], "b": "float", "c": ["null", "float"], "d": "float"}
    made = compile_record(schema(**kinds), ZTF, Slots([]))
    assert codes(made)[0] == UNION
    assert codes(made)[-4:] == [SKIP, SKIP | NULLABLE, SKIP, END]


@pytest.mark.parametrize(("kind", "null"), [(["null", "long"], 0), (["long", "null"], 1)])
def test_a_union_of_null_and_one_plain_type_is_one_step(kind, null):
    made = compile_record(schema(a=kind), ZTF, Slots([]))
    assert codes(made) == [program.LONG | NULLABLE, END]
    assert made[5] == null


def test_values_stand_in_their_slots_whatever_the_order_of_the_fields():
    avro_type = points(
        jd="double", text="string", fid="int", flag=["null", "boolean"], extra="float", rb=["null", "int"]
    )
    data = np.float64(2.5).tobytes() + b"\x04ab" + b"\x09" + b"\x02\x01" + bytes(4) + b"\x02\x06"
    wanted = [
        ("rb", "float"),
        ("absent", "float"),
        ("flag", "bool"),
        ("fid", "int"),
        ("jd", "float"),
        ("text", "string"),
    ]
    cells, missing = fill(avro_type, data, *wanted)
    assert missing.tolist() == [[0, 1, 0, 0, 0, 0]]
    assert cells[0, [0, 4]].view(np.float64).tolist() == [3.0, 2.5]
    assert np.isnan(cells[0, 1:2].view(np.float64))
    assert cells[0, [2, 3]].tolist() == [1, -5]
    assert (cells[0, 5] >> program.LENGTH_BITS, cells[0, 5] & 0xFF) == (9, 2)


@pytest.mark.parametrize("value", [NAN, float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_nan_and_not_missing(value):
    cells, missing = fill(points(jd="double"), np.float64(value).tobytes(), ("jd", "float"))
    assert np.isnan(cells.view(np.float64)).tolist() == [[True]]
    assert missing.tolist() == [[0]]


def test_a_history_that_a_schema_lacks_needs_no_step():
    made = compile_element(schema(a="int"), "prv_candidates", Slots([]))
    assert codes(made) == [END]


def test_what_is_no_program_or_does_not_fit_is_refused_before_any_byte_is_read():
    one, good = np.zeros(1, dtype=np.int64), compile_record(schema(a="int"), ZTF, Slots([]))
    blank = {"blank": one, "blanks": [], "cutouts": 0, "budget": 100}
    for bad in (np.zeros(0, dtype=np.int64), np.zeros(5, dtype=np.int64), np.ones(6, dtype=np.int64)):
        with pytest.raises(ValueError, match="no program"):
            kernel.walk([b"\x02"], [bad], one, one, one, **blank)
    with pytest.raises(ValueError, match="one number for each value"):
        kernel.walk([b"\x02", b"\x02"], [good], one, one, one, **blank)
    with pytest.raises(ValueError, match="one program for each element"):
        kernel.fill(np.zeros(1, dtype=np.uint8), [good], np.zeros(2, dtype=np.int64), one, blank=one, budget=1)
    with pytest.raises(ValueError, match="one flag"):
        kernel.locate([b""], [b"x"], np.zeros(2, dtype=np.uint8))


@pytest.mark.parametrize(("which", "begin", "end"), [(1, 0, 1), (-1, 0, 1), (0, 0, 2), (0, 1, 0), (0, -1, 1)])
def test_a_record_that_is_not_inside_its_value_or_has_no_program_is_none(which, begin, end):
    good = compile_record(schema(a="int"), ZTF, Slots([]))
    at = (np.array([number], dtype=np.int64) for number in (which, begin, end))
    one = np.zeros(1, dtype=np.int64)
    rows, *_ = kernel.walk([b"\x02"], [good], *at, blank=one, blanks=[], cutouts=0, budget=100)
    assert rows.tolist() == []


@pytest.mark.parametrize("at", [-1, 2, 1 << 40])
def test_an_element_that_is_not_in_the_arena_is_an_error(at):
    made = compile_element(points(fid="int"), "prv_candidates", Slots([]))
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="not in the arena"):
        kernel.fill(np.full(2, 255, dtype=np.uint8), [made], one, one + at, blank=one, budget=1)
