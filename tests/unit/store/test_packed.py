"""Points packed for another process: the compiled way and the driver's own say the same of all that is stored."""

import subprocess
import sys
from datetime import UTC, datetime

import bson
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.alert.point import TIMELESS
from ampeld.alert.survey import LSST
from ampeld.store.documents import StoredBody
from ampeld.store.packed import PackedPoint, pack_point, read_points, rows_by_driver

repacking = pytest.importorskip("ampeld.store.repacking", reason="built without a compiler")

texts = st.text(st.characters(codec="utf-8"), max_size=300)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
numbers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 127, 128, -1, -(2**31), 2**31])
simple = st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | texts | st.binary(max_size=300)
values = st.recursive(simple, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=5)
times = st.fixed_dictionaries({}, optional={"jd": st.floats(allow_nan=False), "midpointMjdTai": st.floats(0, 1e5)})
bodies = st.builds(lambda body, time: body | time, st.dictionaries(names, values, max_size=5), times)
documents = st.fixed_dictionaries(
    {"_id": numbers}, optional={"first": st.just({"offset": 7}), "body": bodies, "channel": st.lists(texts)}
)


def batch_of(found):
    return b"".join(bson.encode(document) for document in found)


def unpacked(rows):
    return [(*row, msgspec.msgpack.decode(body)) for *row, body in rows]


@given(st.lists(documents, max_size=4))
def test_points_are_packed_as_the_driver_and_msgspec_would(found):
    batch = batch_of(found)
    assert unpacked(repacking.repack(batch)) == unpacked(rows_by_driver(batch))


@given(documents, st.data())
def test_documents_that_end_early_are_refused(document, data):
    whole = batch_of([document])
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ValueError, match=r"."):
        repacking.repack(whole[:cut])


@given(documents, st.data())
def test_damaged_documents_are_read_as_the_driver_reads_them_or_refused(document, data):
    batch = bytearray(batch_of([document]))
    for _ in range(data.draw(st.integers(1, 3))):
        batch[data.draw(st.integers(0, len(batch) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows = repacking.repack(bytes(batch))
    except ValueError:
        return
    assert len(rows) >= 1
    assert all(isinstance(body, bytes) and body for *_, body in rows)


def test_what_alerts_do_not_have_is_left_to_the_driver():
    seen = datetime(2026, 1, 2, tzinfo=UTC)
    batch = batch_of([{"_id": 1, "body": {"jd": 2.5, "seen": seen}}])
    with pytest.raises(ValueError, match="kind 9"):
        repacking.repack(batch)
    point = read_points([batch])[1]
    assert point.jd == 2.5
    assert msgspec.msgpack.decode(point.body) == {"jd": 2.5, "seen": "2026-01-02T00:00:00"}


def test_a_body_deeper_than_a_document_may_be_is_refused():
    body = {}
    for _ in range(99):
        body = {"d": body}
    assert unpacked(repacking.repack(batch_of([{"_id": 1, "body": body}])))[0][-1] == body
    with pytest.raises(ValueError, match="too deep"):
        repacking.repack(batch_of([{"_id": 1, "body": {"d": body}}]))


def test_points_have_their_survey_s_time():
    batch = batch_of(
        [
            {"_id": -5, "body": {"jd": 2459000.5}},
            {"_id": 6, "first": {"offset": 3}, "body": {"midpointMjdTai": 60000.25}},
            {"_id": 7, "body": {"firstDiaSourceMjdTai": 60000.25}},
        ]
    )
    found = read_points([batch, batch_of([{"_id": 8}])])
    assert {number: (point.jd, point.full) for number, point in found.items()} == {
        -5: (2459000.5, False),
        6: (LSST.jd_of(60000.25), True),
        7: (TIMELESS, False),
        8: (TIMELESS, False),
    }
    assert [msgspec.msgpack.decode(found[number].body) for number in (-5, 8)] == [{"jd": 2459000.5}, {}]


def test_a_point_whose_body_is_known_keeps_its_tags():
    body = {"jd": 2459000.5, "magpsf": 18.0}
    point = pack_point(StoredBody(("ZTF", "ZTF_G"), body, True))
    assert point == PackedPoint(2459000.5, True, msgspec.msgpack.encode(body), ("ZTF", "ZTF_G"))


WITHOUT = """
import sys

sys.modules["ampeld.store.repacking"] = None  # as if it had not been compiled
import bson
from ampeld.store.packed import read_points

print(read_points([bson.encode({"_id": 1, "body": {"jd": 2.5}})])[1])
"""


def test_without_the_kernel_the_driver_reads_points():
    ran = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, timeout=60, text=True)
    assert ran.stdout.strip() == repr(pack_point(StoredBody((), {"jd": 2.5}, False)))
