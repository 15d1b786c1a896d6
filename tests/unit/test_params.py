from typing import ClassVar, Literal

import pytest

from ampeld.channel.filter import Filter
from ampeld.params import ParameterError, build, parameters


class Base(Filter):
    min_rb: float
    limits: ClassVar[int] = 3
    _own: int = 0
    max_age = 30.0


class Derived(Base):
    min_rb = 0.5
    bands: list[int] = [1, 2]  # noqa: RUF012  what an author writes
    ndet: "int" = 2
    mode: Literal["fast", "slow"] = "fast"
    flag: bool = False
    name: str | None = None


def test_parameters_are_inherited_and_a_value_makes_them_optional():
    assert list(parameters(Derived)) == ["min_rb", "bands", "ndet", "mode", "flag", "name"]
    assert build(Derived, {}).min_rb == 0.5
    assert build(Derived, {"bands": [3], "name": "x"}).bands == [3]
    with pytest.raises(ParameterError, match="'min_rb' of Base is missing"):
        build(Base, {})


def test_an_int_is_a_float_and_becomes_one():
    assert isinstance(build(Base, {"min_rb": 1}).min_rb, float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ndet": 1.5}, "ndet: expected int, got float"),
        ({"ndet": True}, "ndet: expected int, got bool"),
        ({"min_rb": True}, "min_rb: expected float, got bool"),
        ({"min_rb": "0.3"}, "min_rb: expected float, got str"),
        ({"min_rb": float("nan")}, r"min_rb: not a number \(nan\)"),
        ({"flag": 1}, "flag: expected bool, got int"),
        ({"bands": [1, "r"]}, r"bands: expected int, got str - at \[1\]"),
        ({"mode": "fats"}, "mode: invalid enum value 'fats'"),
        ({"min_br": 0.3}, r"min_br: Derived has no such parameter; did you mean 'min_rb'\?"),
        ({"limits": 1}, "limits: Derived has no such parameter"),
        ({"max_age": 10.0}, "max_age: Derived has it without a type: write `max_age: float = 30.0`"),
        ({"prepare": 1}, "prepare: Derived has no such parameter"),
        ({"_own": 1}, "_own: Derived has no such parameter"),
    ],
)
def test_a_wrong_parameter_is_named(given, message):
    with pytest.raises(ParameterError, match=message):
        build(Derived, given)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ParameterError) as caught:
        build(Base, {"min_br": 1, "max_rb": "x"})
    assert [key for key, _ in caught.value.errors] == ["min_br", "max_rb", None]
    assert caught.value.problems[2] == "parameter 'min_rb' of Base is missing: it has no default"


class Picky(Filter):
    low: float = 0.0
    high: float = 1.0

    def prepare(self):
        if self.low > self.high:
            raise ValueError("low: lies above high")
        if self.high > 10:
            raise ValueError("that is too much")


def test_a_filter_may_refuse_a_parameter_by_name():
    with pytest.raises(ParameterError) as caught:
        build(Picky, {"low": 2.0})
    assert caught.value.errors == [("low", "lies above high")]


def test_a_filter_may_refuse_without_naming_one():
    with pytest.raises(ParameterError) as caught:
        build(Picky, {"high": 20})
    assert caught.value.errors == [(None, "that is too much")]


class Odd(Filter):
    thing: object()  # type: ignore[valid-type]


class Unreadable(Filter):
    thing: "Nowhere"  # noqa: F821


def test_an_annotation_that_is_no_type_is_told():
    with pytest.raises(ParameterError, match="thing: the type"):
        build(Odd, {"thing": 1})
    with pytest.raises(ParameterError, match="annotations of Unreadable cannot be read"):
        build(Unreadable, {})
