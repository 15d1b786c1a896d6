"""Whatever a unit returns becomes a body that every store can hold, or a complaint that names the value."""

import enum
import math
from collections import OrderedDict
from datetime import UTC, datetime

import bson
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.feature.body import MOST_CHARACTERS, MOST_LEAVES, NonsenseError, settle
from ampeld.feature.unit import Undefined


class Colour(enum.IntEnum):
    RED = 3


keys = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
    | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
anything = st.recursive(
    plain
    | st.floats()
    | st.integers()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.builds(Undefined, st.text(), st.text())
    | st.sampled_from(
        [np.float32("nan"), np.int64(3), np.str_("x"), np.array([1.5, math.inf]), object(), {1}, Colour.RED]
    )
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys.filter(lambda key: key != "undefined"), plain))
def test_plain_values_stay_as_they_are(values):
    assert settle(values) == values


@given(st.dictionaries(st.text(max_size=9) | st.just("undefined"), anything) | anything)
def test_what_is_settled_can_be_stored_and_sent_and_the_rest_is_nonsense(values):
    try:
        body = settle(values)
    except NonsenseError:
        return
    assert msgspec.json.decode(msgspec.json.encode(body)) == body
    assert bson.decode(bson.encode(body)) == body


def test_an_undefined_value_is_none_and_its_reason_stands_beside_the_body():
    body = settle(
        {
            "slope": Undefined("too_few_points", "1 of 2"),
            "bands": {"g": [1.0, Undefined("no_band")]},
            "undefined": {"tau": Undefined("not_converged"), "old": "never measured"},
        }
    )
    assert body == {
        "slope": None,
        "bands": {"g": [1.0, None]},
        "undefined": {
            "slope": "too_few_points: 1 of 2",
            "bands.g[1]": "no_band",
            "tau": "not_converged",
            "old": "never measured",
        },
    }


def test_a_body_that_is_undefined_as_a_whole_says_why():
    assert settle(Undefined("no_detection")) == {"undefined": {"*": "no_detection"}}


def test_numbers_and_containers_of_libraries_become_plain():
    body = settle(
        OrderedDict(
            a=np.float64(1.5),
            b=np.int32(2),
            c=np.bool_(True),
            d=np.array([[1, 2]]),
            e=(1, "x"),
            f=Colour.RED,
            g=np.str_("y"),
        )
    )
    assert body == {"a": 1.5, "b": 2, "c": True, "d": [[1, 2]], "e": [1, "x"], "f": 3, "g": "y"}
    assert {type(value) for value in body.values()} == {float, int, bool, list, str}


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"a": {"b": [1.0, math.nan]}}, "a.b[1] is nan: say Undefined with a reason instead"),
        ({"a": np.float32("inf")}, "a is inf"),
        ({"a": -(2**63) - 1}, "a does not fit 64 bits: it has 64"),
        ({"a": 10**400}, "a does not fit 64 bits"),
        ({"a": object()}, "a is of type object, which no body can hold"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "a is of type datetime"),
        ({"a": b"x"}, "a is of type bytes"),
        ({"a": {1: 2}}, "a has a key that is no text: 1"),
        ({"a\0b": 2}, "the body has a key with a null character"),
        ({"a": "\ud800"}, "a holds text that is no Unicode"),
        ({"a": Undefined("no_band", "\ud800")}, "undefined.a holds text that is no Unicode"),
        ({"undefined": 5}, "undefined is of type int, not a mapping of reasons"),
        ({"undefined": {"\ud800": "x"}}, "undefined holds text that is no Unicode"),
        ({"a": "x" * (MOST_CHARACTERS + 1)}, "characters of text, at a"),
        ({"a": Undefined("no_band", "x" * MOST_CHARACTERS)}, "characters of text, at undefined.a"),
        ({"k" * 1000: [Undefined("no_band")] * 1000}, "characters of text, at k"),
        ({"a": [0] * (MOST_LEAVES + 1)}, "more than 20000 values, at a"),
        ({"a": np.zeros(MOST_LEAVES + 1)}, "more than 20000 values"),
        ([1.0], "measure returned list, not a mapping nor Undefined"),
        (None, "measure returned NoneType"),
    ],
)
def test_nonsense_is_named(values, what):
    with pytest.raises(NonsenseError) as caught:
        settle(values)
    assert what in str(caught.value)


def test_a_body_that_holds_itself_is_nonsense():
    body = {}
    body["a"] = body
    with pytest.raises(NonsenseError, match="deeper than 20 levels"):
        settle(body)
