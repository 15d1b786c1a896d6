"""From a unit's name and parameters to a recipe, with everything that it builds upon."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from ampeld.errors import AmpeldError
from ampeld.feature.recipe import canonical_hash, config_id, fill_params
from ampeld.feature.unit import Dependency, Unit
from ampeld.flow.wanted import Recipe, UnitKind, UnitLink
from ampeld.names import did_you_mean
from ampeld.params import ParameterError

Find = Callable[[str], type[Unit]]
"""Returns the class that a name means, or raises what names the mistake."""

DEEPEST: Final = 20
"""Units built upon one another; more are a dependency that never ends."""

MOST_BELOW: Final = 1000
"""Units that one builds upon; more are a list that never ends."""

LINKS: Final[Mapping[tuple[UnitKind, UnitKind], tuple[UnitLink, ...]]] = {
    ("point", "point"): ("same",),
    ("point", "object"): ("same", "object"),
    ("state", "point"): ("same", "first", "last"),
    ("state", "state"): ("same",),
    ("state", "object"): ("same", "object"),
    ("object", "object"): ("same", "object"),
}
"""By kind of a unit and of what it builds upon: the links that mean something. A point belongs to many states, and an
object outlives each of them: neither can build upon what is measured of a state."""


class DependencyError(AmpeldError):
    """A unit builds upon what cannot be."""


class Registry:
    """Makes recipes; of equal recipes it makes the unit once.

    Parameters
    ----------
    find
        From a name to a class.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self.units: dict[tuple[str, int], Unit] = {}
        """By name and configuration: the units of all recipes so far, and of what they build upon; not opened."""

    def make(self, name: str, given: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a unit.

        Parameters
        ----------
        name
            As in a channel file.
        given
            The parameters that are not left to their defaults.

        Raises
        ------
        ParameterError
            If any is unknown, missing or wrong.
        DependencyError
            If it builds upon itself, or upon what its kind cannot; the way there is named.
        """
        return self._make(name, given, ())

    def _make(self, name: str, given: Mapping[str, Any], above: tuple[tuple[str, int], ...]) -> Recipe:
        cls = self._find(name)
        params = fill_params(cls, given)
        here = (name, canonical_hash(params))
        way = (*above, here)
        if here in above or len(above) >= DEEPEST:
            names = [one for one, _ in way[way.index(here) :]] if here in above else [one for one, _ in way]
            raise DependencyError(f"builds upon itself: {' -> '.join(names)}")
        unit = cls(**params)
        below = list(islice(unit.dependencies(), MOST_BELOW + 1))
        if len(below) > MOST_BELOW:
            raise DependencyError(
                f"{name} builds upon more than {MOST_BELOW} units: does `dependencies` come to an end?"
            )
        depends = tuple((self._below(name, cls.kind, one, way), one.link) for one in below)
        recipe = Recipe(
            unit=name,
            kind=cls.kind,
            params=params,
            config=config_id(params, depends, cls.version),
            slow=cls.slow,
            reads=tuple(unit.reads),
            min_points=cls.min_points,
            depends=depends,
        )
        self.units.setdefault(recipe.key, unit)
        return recipe

    def _below(self, name: str, kind: UnitKind, dependency: Dependency, way: tuple[tuple[str, int], ...]) -> Recipe:
        try:
            recipe = self._make(dependency.unit, dependency.params, way)
        except ParameterError as error:
            raise DependencyError(f"{name} builds upon {dependency.unit}: {'; '.join(error.problems)}") from error
        links = LINKS.get((kind, recipe.kind))
        if links is None:
            raise DependencyError(f"{name} measures {_of(kind)} and cannot build upon {recipe.unit}: {_why(recipe)}")
        if dependency.link not in links:
            near = did_you_mean(dependency.link, links)
            raise DependencyError(
                f"{name} builds upon {recipe.unit} with link {dependency.link!r}; it can be {', '.join(links)}{near}"
            )
        return recipe


def _of(kind: UnitKind) -> str:
    return {"point": "a point", "state": "a state", "object": "an object"}[kind]


def _why(recipe: Recipe) -> str:
    return f"that measures {_of(recipe.kind)}, of which there may be many"
