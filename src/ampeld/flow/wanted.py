"""What channels want measured, as plain values that travel between processes and need no author's code to be read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

UnitKind = Literal["point", "state", "object"]
UnitLink = Literal["same", "first", "last", "object"]
Selection = Literal["first", "last", "all"]


class Recipe(msgspec.Struct, frozen=True):
    """A unit with its parameters and with what it builds upon: everything that a value depends on beside the data."""

    unit: str
    """As channels write it: ``RiseDecline``, ``decay.py:Decay``, or the name of an entry point."""
    kind: UnitKind
    params: Mapping[str, Any]
    """All of them, defaults filled in, as plain values."""
    config: int
    """Signed 64-bit hash of the parameters, the dependencies and the unit's version (`ampeld.feature.recipe`)."""
    slow: bool = False
    """Whether it is never measured in the flow."""
    reads: tuple[str, ...] = ()
    """Fields of the points' bodies beyond those of every light curve; ``*`` is all of them."""
    min_points: int = 0
    depends: tuple[tuple["Recipe", UnitLink], ...] = ()
    """What it builds upon, in the order in which its ``measure`` is handed their bodies."""

    @property
    def key(self) -> tuple[str, int]:
        """Return unit and configuration: what is equal for two recipes that give the same values."""
        return self.unit, self.config


class Eligible(msgspec.Struct, frozen=True):
    """What a channel wants a unit to measure."""

    points: Selection = "first"
    """For a unit that measures points: which detections of the state, in the order of time."""
    min_points: int = 0
    """States with fewer points are left out."""
    min_detections: int = 0
    """States with fewer detections are left out."""


class Wanted(msgspec.Struct, frozen=True):
    """A feature as one channel asks for it."""

    recipe: Recipe
    group: int | None = None
    """Measure only what the channel accepted in this group; None: whatever it accepted."""
    eligible: Eligible = Eligible()


def closure(recipes: Iterable[Recipe]) -> Iterator[Recipe]:
    """Yield the recipes and all that they build upon, each once and behind what it builds upon itself."""
    seen: set[tuple[str, int]] = set()

    def of(recipe: Recipe) -> Iterator[Recipe]:
        if recipe.key in seen:
            return
        seen.add(recipe.key)
        for below, _ in recipe.depends:
            yield from of(below)
        yield recipe

    for recipe in recipes:
        yield from of(recipe)
