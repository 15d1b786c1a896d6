import itertools
import math
from typing import ClassVar

import msgspec
import pytest
import xxhash

from ampeld.feature import Dependency, ObjectUnit, PointUnit, StateUnit
from ampeld.feature.recipe import canonical_hash, config_id, fill_params
from ampeld.feature.registry import DependencyError, Registry
from ampeld.flow.wanted import Recipe, Wanted, closure
from ampeld.params import ParameterError


class Slope(StateUnit):
    band: str = "r"
    days: float = 1
    cuts: dict[str, float] = {"a": 1.0}  # noqa: RUF012  read once, as the default of a parameter
    most: float | None = None


class Later(Slope):
    version: ClassVar[str] = "2"


class Score(PointUnit):
    pass


class Names(ObjectUnit):
    pass


class Sum(StateUnit):
    link: str = "same"
    reads: ClassVar[tuple[str, ...]] = ("chinr",)
    min_points: ClassVar[int] = 3
    slow: ClassVar[bool] = True

    def dependencies(self):
        return (Dependency("Slope", {"band": "g"}), Dependency("Score", {}, self.link), Dependency("Names"))


class Loop(StateUnit):
    def dependencies(self):
        return (Dependency("Knot"),)


class Knot(StateUnit):
    def dependencies(self):
        return (Dependency("Loop"),)


class Endless(StateUnit):
    n: int = 0

    def dependencies(self):
        return (Dependency("Endless", {"n": self.n + 1}),)


class Boundless(StateUnit):
    def dependencies(self):
        return itertools.repeat(Dependency("Slope"))


class OfPoint(PointUnit):
    def dependencies(self):
        return (Dependency("Slope"),)


class Wrong(StateUnit):
    def dependencies(self):
        return (Dependency("Slope", {"bant": "g"}),)


CLASSES = {
    cls.__name__: cls for cls in (Slope, Later, Score, Names, Sum, Loop, Knot, Endless, Boundless, OfPoint, Wrong)
}  # fmt: skip


def make(name, **params):
    return Registry(CLASSES.__getitem__).make(name, params)


def test_what_is_given_and_the_same_as_the_default_is_the_same_configuration():
    assert make("Slope") == make("Slope", band="r", days=1, cuts={"a": 1})
    assert make("Slope").params == {"band": "r", "days": 1.0, "cuts": {"a": 1.0}, "most": None}
    assert isinstance(make("Slope").params["days"], float)


def test_the_order_of_parameters_and_of_tables_in_them_changes_nothing():
    one = make("Slope", cuts={"x": 1, "y": 2}, band="g")
    assert one.config == make("Slope", band="g", cuts={"y": 2.0, "x": 1.0}).config


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Slope", {}), ("Slope", {"band": "g"})),
        (("Slope", {"most": math.inf}), ("Slope", {"most": None})),
        (("Slope", {"most": math.inf}), ("Slope", {"most": -math.inf})),
        (("Slope", {}), ("Later", {})),
        (("Sum", {"link": "first"}), ("Sum", {"link": "last"})),
    ],
)
def test_what_gives_other_values_is_another_configuration(one, other):
    assert make(one[0], **one[1]).config != make(other[0], **other[1]).config


def test_a_configuration_is_the_same_in_every_process():
    text = b'{"depends":[],"params":{"a":1.5,"b":[1,null]},"version":"1"}'
    assert config_id({"b": [1, None], "a": 1.5}, (), "1") % 2**64 == xxhash.xxh64_intdigest(text)
    assert canonical_hash({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_hash({"a": {"c": 3, "d": 2}, "b": 1})


def test_a_recipe_holds_what_must_be_known_without_the_unit_and_travels():
    recipe = make("Sum", link="last")
    assert [(below.unit, link) for below, link in recipe.depends] == [
        ("Slope", "same"),
        ("Score", "last"),
        ("Names", "same"),
    ]
    assert (recipe.kind, recipe.slow, recipe.reads, recipe.min_points) == ("state", True, ("chinr",), 3)
    wanted = Wanted(recipe, group=2)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(wanted), type=Wanted) == wanted
    assert [one.unit for one in closure([recipe, make("Slope", band="g")])] == ["Slope", "Score", "Names", "Sum"]


def test_a_dependency_that_changes_changes_what_builds_upon_it(monkeypatch):
    before = make("Sum").config
    monkeypatch.setattr(Slope, "days", 2.0)
    assert make("Sum").config != before


def test_equal_recipes_share_one_unit():
    registry = Registry(CLASSES.__getitem__)
    registry.make("Sum", {})
    registry.make("Slope", {"band": "g"})
    assert len(registry.units) == 4


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Loop", {}, "builds upon itself: Loop -> Knot -> Loop"),
        ("Endless", {}, "builds upon itself: Endless -> Endless"),
        ("Boundless", {}, "Boundless builds upon more than 1000 units: does `dependencies` come to an end?"),
        ("OfPoint", {}, "OfPoint measures a point and cannot build upon Slope"),
        ("Sum", {"link": "object"}, "Sum builds upon Score with link 'object'; it can be same, first, last"),
        ("Sum", {"link": "frist"}, "did you mean 'first'"),
        ("Wrong", {}, "Wrong builds upon Slope: bant: Slope has no such parameter; did you mean 'band'"),
    ],
)
def test_what_cannot_be_built_upon_is_named_with_the_way_there(name, params, message):
    with pytest.raises(DependencyError) as caught:
        make(name, **params)
    assert message in str(caught.value)


def test_wrong_parameters_are_named_all_at_once():
    with pytest.raises(ParameterError) as caught:
        make("Slope", band=1, dais=2)
    assert [key for key, _ in caught.value.errors] == ["band", "dais"]


def test_a_number_beyond_64_bits_is_refused_before_any_store_is_asked():
    class Big(StateUnit):
        n: int = 0

    with pytest.raises(ParameterError, match="n: is beyond 64 bits"):
        fill_params(Big, {"n": 2**64})


def test_parameters_come_out_of_a_message_as_they_went_in():
    class Pairs(StateUnit):
        pairs: tuple[tuple[str, str], ...] = (("g", "r"),)
        names: frozenset[str] = frozenset(("b", "a"))

    params = fill_params(Pairs, {})
    assert params == {"pairs": [["g", "r"]], "names": ["a", "b"]}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(params)) == params
    assert Pairs(**params).pairs == (("g", "r"),)


def test_a_recipe_is_a_plain_value():
    recipe = Recipe("A", "state", {"x": [1, {"y": None}]}, 5)
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
