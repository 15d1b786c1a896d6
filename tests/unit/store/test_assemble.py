"""Assembled documents are those that a dictionary gives, byte for byte but for the order of the fields."""

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.store import meta, new_point, where

from ampeld.store.assemble import assemble_points, raw_body
from ampeld.store.encode import encode_point
from ampeld.store.errors import UnstorableError

META = meta()
BODY = {
    "jd": 2459000.5,
    "rcid": 12,
    "pid": 594425771515,
    "programid": 1,
    "field": "ü",
    "rb": None,
    "extra": {"a": "$b"},
}

points = st.builds(
    new_point,
    id_=st.integers(-(2**63), 2**63 - 1),
    stock=st.sampled_from([0, 7, 2**40]),
    channel=st.sampled_from([("bright",), ("bright", "young")]),
    tag=st.sampled_from([("ZTF",), ("ZTF", "ZTF_G")]),
    body=st.sampled_from([BODY, {}, raw_body(bson.encode(BODY))]),
    since=st.sampled_from([2459000.5, 2459001.5]),
    first=st.none() | st.builds(where, st.integers(0, 9)),
    meta=st.sampled_from([META, meta(901)]),
)


@given(st.lists(points, max_size=8))
def test_a_document_is_that_of_its_dictionary_whatever_the_company(some):
    found = [bson.decode(document.raw) for document in assemble_points(some)]
    assert found == [bson.decode(bson.encode(encode_point(point))) for point in some]


def test_a_raw_body_is_taken_as_it_is():
    body = bson.encode(BODY)
    (document,) = assemble_points([new_point(900, body=raw_body(body))])
    assert body in document.raw
    assert raw_body(body)["field"] == "ü"


@pytest.mark.parametrize("body", [{"a": 2**63}, {"a": "\ud800"}, {"a": object()}, {"a\x00": 1}])
def test_what_bson_cannot_hold_is_named(body):
    with pytest.raises(UnstorableError, match="BSON cannot hold it") as caught:
        assemble_points([new_point(899), new_point(900, body=body)])
    assert caught.value.document == 900


def test_a_number_beyond_64_bits_is_named():
    with pytest.raises(UnstorableError):
        assemble_points([new_point(2**63)])
