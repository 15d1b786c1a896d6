"""Small units of each kind, and channels that want them: what is measured shows from which bodies it was."""

from collections.abc import Sequence
from typing import Any, ClassVar

from fakes.measurer import InPlaceMeasurer
from support.pipelines import channel

from ampeld.channel.channel import Channel
from ampeld.feature import Dependency, LightCurve, ObjectUnit, ObjectView, PointUnit, PointView, StateUnit
from ampeld.feature.registry import Registry
from ampeld.feature.unit import Input, Measured, Unit
from ampeld.flow.wanted import Recipe, Wanted


class Sizes(StateUnit):
    """The points of a state, and which of them were full."""

    reads = ("full",)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        bodies = zip(light_curve.id.tolist(), light_curve.bodies, strict=True)
        return {"ids": light_curve.id.tolist(), "full": [number for number, body in bodies if body.get("full")]}


class Mark(PointUnit):
    """A point, and whether it was full."""

    reads = ("full",)

    def measure(self, point: PointView, *inputs: Input) -> Measured:
        return {"id": point.id, "full": bool(point.body.get("full")), "tag": list(point.tag)}


class Name(ObjectUnit):
    """The names of an object."""

    def measure(self, object: ObjectView, *inputs: Input) -> Measured:  # noqa: A002  as it is called in the field
        return {"name": list(object.name)}


class Tied(StateUnit):
    """What it is handed of a state, of its last detection and of the object."""

    def dependencies(self) -> tuple[Dependency, ...]:
        return (Dependency("Sizes"), Dependency("Mark", link="last"), Dependency("Name", link="object"))

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        return {"inputs": list(inputs), "points": len(light_curve)}


class Slow(StateUnit):
    """A unit that is never measured in the flow."""

    slow: ClassVar[bool] = True

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        return {"points": len(light_curve)}


class OnSlow(StateUnit):
    """A quick unit that builds upon a slow one."""

    def dependencies(self) -> tuple[Dependency, ...]:
        return (Dependency("Slow"),)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        return {"inputs": list(inputs)}


class Broken(StateUnit):
    """A unit that raises what no document can hold as it is."""

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        raise ValueError("broken \ud800 text")


class Nonsense(StateUnit):
    """A unit that returns no number."""

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        return {"value": float("nan")}


class OnBroken(StateUnit):
    """A unit that builds upon one that raises."""

    def dependencies(self) -> tuple[Dependency, ...]:
        return (Dependency("Broken"),)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        return {"inputs": list(inputs)}


CLASSES: dict[str, type[Unit]] = {
    cls.__name__: cls for cls in (Sizes, Mark, Name, Tied, Slow, OnSlow, Broken, Nonsense, OnBroken)
}
REGISTRY = Registry(CLASSES.__getitem__)


def recipe(name: str, **params: Any) -> Recipe:
    """Return the recipe of one of these units."""
    return REGISTRY.make(name, params)


def wanted(*names: str, **how: Any) -> tuple[Wanted, ...]:
    """Return the wish for units."""
    return tuple(Wanted(recipe(name), **how) for name in names)


def wanting(name: str, features: Sequence[Wanted], *, private: bool = False, **more: Any) -> Channel:
    """Return a channel that wants features."""
    access = ("ZTF_PUB", "ZTF_PRIV") if private else ("ZTF_PUB",)
    return channel(name, access=access, features=tuple(features), **more)


def measurer() -> InPlaceMeasurer:
    """Return a measurer of all units that recipes were made of."""
    return InPlaceMeasurer(REGISTRY.units)
