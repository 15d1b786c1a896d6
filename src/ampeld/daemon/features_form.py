"""The ``[[feature]]`` tables of a channel file, read one by one while their problems gather."""

from typing import Any, Final

from ampeld.daemon.authors import AuthorCodeError, ModuleLoader
from ampeld.daemon.features import UnitFinder, make_recipe
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.toml import Key, TomlFile
from ampeld.feature.registry import DependencyError, Registry
from ampeld.flow.verdict import MAX_GROUP
from ampeld.flow.wanted import Eligible, Recipe, Selection, Wanted
from ampeld.names import did_you_mean
from ampeld.params import ParameterError

_KEYS: Final = ("unit", "params", "group", "eligible")
_ELIGIBLE: Final = ("points", "min_points", "min_detections")
_POINTS: Final[tuple[Selection, ...]] = ("first", "last", "all")


def read_features(toml: TomlFile, files: ChannelFiles, loader: ModuleLoader) -> tuple[tuple[Wanted, ...], list[str]]:
    """Return what a channel wants measured, and everything that is wrong with how it says so.

    Parameters
    ----------
    toml
        The channel file.
    files
        Its texts.
    loader
        Executes the modules beside it.
    """
    form = _FeaturesForm(toml, files, loader)
    return form.read(), form.problems


class _FeaturesForm:
    def __init__(self, toml: TomlFile, files: ChannelFiles, loader: ModuleLoader) -> None:
        self.problems: list[str] = []
        self._toml = toml
        self._registry = Registry(UnitFinder(loader, files))

    def read(self) -> tuple[Wanted, ...]:
        tables = self._toml.data.get("feature", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._refuse("expected tables: [[feature]], each with a unit", "feature")
            return ()
        wanted: list[Wanted] = []
        seen: dict[tuple[object, ...], int] = {}
        for number, table in enumerate(tables):
            one = self._one(number, table)
            if one is None:
                continue
            first = seen.setdefault((*one.recipe.key, one.group), number)
            if first != number:
                self._refuse(f"is asked for in feature[{first}] already, with the same parameters", "feature", number)
            wanted.append(one)
        return tuple(wanted)

    def _refuse(self, message: str, *keys: Key) -> None:
        self.problems.append(self._toml.problem(message, *keys))

    def _one(self, number: int, table: dict[str, Any]) -> Wanted | None:
        at: tuple[Key, ...] = ("feature", number)
        for key in table.keys() - set(_KEYS):
            self._refuse(f"a feature has no such key{did_you_mean(key, _KEYS)}", *at, key)
        recipe = self._recipe(table, at)
        group = self._number(table, "group", 1, (*at, "group"))
        eligible = self._eligible(table.get("eligible", {}), recipe, (*at, "eligible"))
        return None if recipe is None else Wanted(recipe, group or None, eligible)

    def _recipe(self, table: dict[str, Any], at: tuple[Key, ...]) -> Recipe | None:
        params = table.get("params", {})
        if not isinstance(params, dict):
            self._refuse("expected a table: [feature.params]", *at, "params")
            params = {}
        unit = table.get("unit")
        if not isinstance(unit, str) or not unit:
            meaning = "a unit's name, as `ampeld feature list` has them, or 'file.py:Class' beside this file"
            self._refuse(f"{'missing' if unit is None else 'expected text'}: {meaning}", *at, "unit")
            return None
        try:
            return make_recipe(self._registry, unit, params)
        except ParameterError as error:
            for parameter, message in error.errors:
                self._refuse(message, *at, "params", *(() if parameter is None else (parameter,)))
        except DependencyError as error:
            self._refuse(str(error), *at, "unit")
        except AuthorCodeError as error:
            if error.source is None:
                self._refuse(str(error), *at, "unit")
            else:
                self.problems.append(f"{error.source}: {error} (the unit {unit} of {self._toml.path})")
        return None

    def _eligible(self, table: Any, recipe: Recipe | None, at: tuple[Key, ...]) -> Eligible:
        if not isinstance(table, dict):
            self._refuse("expected a table: { min_points = 3 }", *at)
            return Eligible()
        for key in table.keys() - set(_ELIGIBLE):
            self._refuse(f"there is no such rule{did_you_mean(key, _ELIGIBLE)}", *at, key)
        points = table.get("points", _POINTS[0])
        if points not in _POINTS:
            near = did_you_mean(points, _POINTS) if isinstance(points, str) else ""
            self._refuse(f"{points!r} is not one of {', '.join(_POINTS)}{near}", *at, "points")
            points = _POINTS[0]
        elif "points" in table and recipe is not None and recipe.kind != "point":
            self._refuse(f"{recipe.unit} measures no single points: it has no choice of them", *at, "points")
        return Eligible(
            points=_POINTS[_POINTS.index(points)],
            min_points=self._number(table, "min_points", 0, (*at, "min_points")),
            min_detections=self._number(table, "min_detections", 0, (*at, "min_detections")),
        )

    def _number(self, table: dict[str, Any], key: str, least: int, at: tuple[Key, ...]) -> int:
        """Return a small whole number, 0 where none is given."""
        value = table.get(key, 0)
        if key not in table:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_GROUP:
            self._refuse(f"expected a whole number, {least} to {MAX_GROUP}, got {value!r}", *at)
            return 0
        return value
