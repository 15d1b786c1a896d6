"""Documents have AMPEL's field names and come back as they were."""

import pytest
from support.store import a_state, an_object, meta, new_point, where

from ampeld.store.encode import (
    META_KEPT,
    change_of,
    decode_object,
    decode_point,
    encode_object,
    encode_point,
    encode_state,
    rcid_of,
)


def test_a_point_has_ampels_fields():
    document = encode_point(new_point(900, first=where(3)))

    assert set(document) == {"_id", "id", "stock", "channel", "tag", "body", "since", "meta", "first"}
    assert (document["id"], document["stock"], document["since"]) == (900, [7], {"7": 2459000.5})


def test_a_point_from_a_history_has_no_first():
    assert "first" not in encode_point(new_point(900))
    assert decode_point(encode_point(new_point(900)), 7).first is None


def test_only_a_full_body_replaces():
    assert change_of(new_point(900)).body is None
    assert change_of(new_point(900, first=where(3))).body is not None


@pytest.mark.parametrize(
    ("body", "rcid"), [({"rcid": 0, "pid": 594425771515}, 0), ({"pid": 594425771515}, 15), ({}, None)]
)
def test_the_processing_identifier_holds_the_readout_channel(body, rcid):
    assert rcid_of(body) == rcid


def test_an_object_comes_back_as_it_was():
    assert decode_object(encode_object(an_object())) == an_object()


def test_a_state_has_ampels_fields_and_bounded_provenance():
    document = encode_state(a_state(meta=tuple(meta(alert, jd=float(alert)) for alert in range(30, 0, -1))))

    assert set(document) == {"stock", "link", "dps", "channel", "tag", "code", "meta"}
    assert [entry["alert"] for entry in document["meta"]] == list(range(31 - META_KEPT, 31))
