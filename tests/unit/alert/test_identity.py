"""AMPEL's numbers for objects, upper limits and states."""

import struct

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from support.ztf import TARBALLS, golden

from ampeld.alert.identity import body_id, link_of, name_of, stock_of, upper_limit_id

NAMES = st.from_regex(r"\AZTF(1[789]|2[0-9]|3[012])[a-z]{7}\Z")


@given(name=NAMES)
def test_a_name_comes_back_from_its_number(name):
    assert name_of(stock_of(name)) == name
    assert 0 <= stock_of(name) < 2**37


@given(one=NAMES, other=NAMES)
def test_different_names_have_different_numbers(one, other):
    assert (stock_of(one) == stock_of(other)) == (one == other)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ZTF",
        "ZTF16aaaaaaa",
        "ZTF33aaaaaaa",
        "ZTF18abcdef",
        "ZTF18abcdefgh",
        "ZTF18ABCDEFG",
        "ZTF18abcdef\n",
        "ztf18abcdefg",
        "ZTF\u0661\u0668abcdefg",
        " ZTF18abcdefg",
    ],
)
def test_what_is_no_name_has_no_number(name):
    with pytest.raises(ValueError, match="not the name of a ZTF object"):
        stock_of(name)


@pytest.mark.parametrize("stock", [-1, 26**7 << 4])
def test_what_is_no_number_has_no_name(stock):
    with pytest.raises(ValueError, match="not the number"):
        name_of(stock)


@pytest.mark.parametrize(
    ("jd", "rcid", "limit", "number"),
    [
        (2458089.7405324, 335240532815 % 10000 // 100, 19.0248, -3352405322819025),
        (2459141.8900463, 1387390043915 % 10000 // 100, 19.615, -13873900463919615),
        (2459141.8900463, 57, 19.615, -13873900465719615),
    ],
)
def test_upper_limits_have_the_numbers_of_ampel(jd, rcid, limit, number):
    assert upper_limit_id(jd, rcid, limit) == number


@pytest.mark.golden
@pytest.mark.parametrize("name", TARBALLS)
def test_objects_have_the_numbers_of_ampel(name):
    for alert in golden(name)["alerts"]:
        assert stock_of(alert["object"]) == alert["stock"]


@pytest.mark.golden
@pytest.mark.parametrize("name", TARBALLS)
def test_states_have_the_links_of_ampel(name):
    for state in golden(name)["db_nofilter_flush_per_alert"]["states"]:
        assert link_of(state["dps"]) == state["link"]


@given(ids=st.lists(st.integers(-(2**63), 2**63 - 1)), random=st.randoms(use_true_random=False))
def test_a_link_is_of_32_bits_and_does_not_depend_on_the_order(ids, random):
    link = link_of(ids)
    random.shuffle(ids)
    assert link_of(ids) == link
    assert -(2**31) <= link < 2**31


def test_the_number_of_a_body_is_the_signed_hash_of_its_sorted_bson():
    # BSON by hand (bsonspec.org): the length, each field as type, name and value, and a zero byte.
    fields = b"\x02band\x00" + struct.pack("<i", 2) + b"r\x00" + b"\x01flux\x00" + struct.pack("<d", 1.5)
    fields += b"\x10n\x00" + struct.pack("<i", 7) + b"\x12visit\x00" + struct.pack("<q", 2**40)
    fields += b"\x08was\x00\x01" + b"\x0awhy\x00"
    document = struct.pack("<i", len(fields) + 5) + fields + b"\x00"
    expected = xxhash.xxh64_intdigest(document)
    expected -= 2**64 if expected >= 2**63 else 0
    body = {"why": None, "flux": 1.5, "visit": 2**40, "was": True, "n": 7, "band": "r"}
    assert body_id(body) == expected


BODIES = st.dictionaries(
    st.text("abcXYZ_", min_size=1, max_size=8),
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text("grizy")),
    max_size=8,
)


@given(body=BODIES, random=st.randoms())
def test_the_number_of_a_body_does_not_depend_on_the_order_of_its_fields(body, random):
    fields = list(body.items())
    random.shuffle(fields)
    assert body_id(dict(fields)) == body_id(body)
    assert -(2**63) <= body_id(body) < 2**63


@given(body=BODIES.filter(bool), data=st.data())
def test_a_body_that_differs_in_one_field_has_another_number(body, data):
    name = data.draw(st.sampled_from(sorted(body)))
    assert body_id(body | {name: "something else"}) != body_id(body)
