import pytest
from fakes.table import JD
from support.filters import cuts_of, good, said

from ampeld.channel.multi import BasicMultiFilter
from ampeld.params import ParameterError


def requirement(length, *criteria, operator=">=", connection="AND"):
    asked = [dict(zip(("attribute", "operator", "value"), one, strict=True)) for one in criteria]
    return {"criteria": asked, "len": length, "operator": operator, "logicalConnection": connection}


def alert(*magnitudes, rb=0.9, **own):
    points = tuple(
        {"jd": JD - i, "candid": 20 + i, "rb": rb, "magpsf": mag} for i, mag in enumerate(magnitudes, start=1)
    )
    return good(detections=points, limits=(1.0,), rb=0.9, **{"magpsf": 18.0, **own})


def one(filters, packet):
    return said(BasicMultiFilter(filters=filters), packet)[0]


@pytest.mark.parametrize(
    ("operator", "accepted"), [(">", {3}), (">=", {2, 3}), ("<", {1}), ("<=", {1, 2}), ("==", {2}), ("!=", {1, 3})]
)
def test_detections_that_meet_all_criteria_are_counted_and_compared(operator, accepted):
    filters = [requirement(2, ("rb", ">", 0.5), ("magpsf", "<", 19), operator=operator)]
    alerts = {1: alert(20.0), 2: alert(18.5, 19.0), 3: alert(18.5, 18.0)}
    assert {number for number, packet in alerts.items() if one(filters, packet) == "accepted"} == accepted


@pytest.mark.parametrize(
    ("operator", "met"), [(">", False), (">=", True), ("<", False), ("<=", True), ("==", True), ("!=", False)]
)
def test_criteria_are_as_strict_as_they_are_written(operator, met):
    assert one([requirement(1, ("magpsf", operator, 18.0))], alert()) == ("accepted" if met else "requirement 1")


def test_one_criterion_needs_no_list():
    single = {"criteria": {"attribute": "rb", "operator": ">", "value": 0.5}, "len": 1, "operator": ">="}
    assert one([single], alert()) == "accepted"


def test_upper_limits_and_missing_values_are_not_counted():
    assert one([requirement(1)], alert()) == "accepted"
    assert one([requirement(2)], alert()) == "requirement 1"
    assert one([requirement(2, ("rb", "<", 1))], alert(18.0, rb=None)) == "requirement 1"
    assert one([requirement(2, ("rb", "!=", 1))], alert(18.0, rb=None)) == "requirement 1"


NO, YES = requirement(9), requirement(1)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([YES, NO], "requirement 2"),
        ([YES, NO | {"logicalConnection": "OR"}], "accepted"),
        ([NO, YES | {"logicalConnection": "OR"}, NO], "requirement 3"),
        ([NO, NO, YES | {"logicalConnection": "OR"}], "accepted"),  # (no and no) or yes
        ([NO, YES | {"logicalConnection": "OR"}, NO, NO | {"logicalConnection": "OR"}], "requirements 1 to 4"),
        ([NO | {"logicalConnection": "OR"}, YES], "requirement 1"),  # the first has nothing to be connected to
    ],
)
def test_requirements_are_connected_from_left_to_right(chain, expected):
    assert one(chain, alert()) == expected


def test_what_stands_behind_the_last_or_is_counted_apart():
    chain = [YES, YES | {"logicalConnection": "OR"}, YES, YES]
    assert cuts_of(BasicMultiFilter(filters=chain)) == ["requirements 1 to 2", "requirement 3", "requirement 4"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ([], "nothing is required"),
        ([requirement(-1)], "len of requirement 1 is negative"),
        ([requirement(1, ("rb", "AND", 1.0))], "operator"),
        ([{"criteria": [], "len": 1}], "operator"),
        ([requirement(1) | {"lenght": 2}], "lenght"),
    ],
)
def test_mistakes_are_refused_in_words(filters, words):
    with pytest.raises(ParameterError) as caught:
        BasicMultiFilter(filters=filters)
    assert caught.value.errors[0][0] == "filters"
    assert words in caught.value.errors[0][1]
