"""Units by the words of a channel file: built in, of a file beside it, or of an installed package."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Final

import msgspec

from ampeld.channel.channel import Channel
from ampeld.daemon.authors import AuthorCodeError, ModuleLoader, package, plain, where
from ampeld.daemon.files import ChannelFiles
from ampeld.feature.builtin import BUILTIN
from ampeld.feature.recipe import unknown
from ampeld.feature.registry import DependencyError, Registry
from ampeld.feature.unit import ObjectUnit, PointUnit, StateUnit, Unit
from ampeld.flow.wanted import Recipe, closure
from ampeld.names import did_you_mean
from ampeld.params import ParameterError

GROUP: Final = "ampeld.features"
"""The entry points by which an installed package brings units."""

_KINDS: Final = (PointUnit, StateUnit, ObjectUnit)


class UnitFinder:
    """Finds the classes that one channel's words mean.

    Parameters
    ----------
    loader
        Shared by channels, it executes a module of the same text once.
    files
        The channel's texts; None where there is no channel, and so no file beside one.
    """

    def __init__(self, loader: ModuleLoader, files: ChannelFiles | None = None) -> None:
        self._loader = loader
        self._files = files

    def __call__(self, name: str) -> type[Unit]:
        """Return the class.

        Raises
        ------
        AuthorCodeError
            If there is none, it is no unit, or its module cannot be executed.
        """
        place, colon, cls = name.rpartition(":")
        if colon and place.endswith(".py"):
            files = self._files or ChannelFiles("", "", "")
            return _class_of(self._loader.module(place, files), cls, place)
        if name in BUILTIN:
            return _class_of(package(BUILTIN[name]), name, BUILTIN[name])
        installed = installed_units()
        if name in installed:
            point = installed[name]
            return _class_of(package(point.module), point.attr, point.value)
        raise AuthorCodeError(unknown(name, [*BUILTIN, *installed]))


class MadeUnit(msgspec.Struct, frozen=True):
    """A unit that is ready to be opened."""

    recipe: Recipe
    unit: Unit
    files: ChannelFiles
    """Of the channel that asked for it first: its files are meant beside that one's."""


def make_recipe(registry: Registry, name: str, params: dict[str, Any]) -> Recipe:
    """Return the recipe of a unit, whatever its author's code does.

    Raises
    ------
    ParameterError
        If any parameter is wrong.
    DependencyError
        If it builds upon what it cannot.
    AuthorCodeError
        If there is no such unit, or its own code fails.
    """
    try:
        return registry.make(name, params)
    except (ParameterError, DependencyError, AuthorCodeError):
        raise
    except (Exception, SystemExit) as error:  # science code: prepare() and dependencies() are the author's
        raise AuthorCodeError(plain(error), where(error, None)) from error


def make_units(
    channels: Sequence[Channel], files: Sequence[ChannelFiles], loader: ModuleLoader | None = None
) -> dict[tuple[str, int], MadeUnit]:
    """Return, by name and configuration, the units that channels want and all that these build upon; none is opened.

    Author's code runs here: this is for filter processes and for the command line, not for the daemon's own process.
    Where two channels that were read at different times bring one unit's file with two texts, the first one's counts.

    Parameters
    ----------
    channels
        Loaded: what they want is known.
    files
        The texts of each, in their order.
    loader
        The one that loaded the channels, so that no module is executed again.

    Raises
    ------
    AuthorCodeError, ParameterError, DependencyError
        If a unit cannot be made any more.
    """
    loader = loader or ModuleLoader()
    made: dict[tuple[str, int], MadeUnit] = {}
    for channel, texts in zip(channels, files, strict=True):
        finder = UnitFinder(loader, texts)
        for recipe in closure(wanted.recipe for wanted in channel.features):
            if recipe.key not in made:
                made[recipe.key] = MadeUnit(recipe, make_unit(finder(recipe.unit), recipe), texts)
    return made


def make_unit(cls: type[Unit], recipe: Recipe) -> Unit:
    """Return the unit of a recipe, whatever its author's code does.

    Raises
    ------
    ParameterError, AuthorCodeError
        If it cannot be made.
    """
    try:
        return cls(**recipe.params)
    except ParameterError:
        raise
    except (Exception, SystemExit) as error:  # science code: prepare() is the author's
        raise AuthorCodeError(plain(error), where(error, None)) from error


@cache
def installed_units() -> dict[str, EntryPoint]:
    """Return the entry points of installed packages by name; a built-in unit's name means the built-in unit."""
    return {point.name: point for point in sorted(entry_points(group=GROUP)) if point.name not in BUILTIN}


def units_in(module: ModuleType) -> dict[str, type[Unit]]:
    """Return the units that a module itself defines, by name of the class."""
    found = {name: value for name, value in vars(module).items() if _is_unit(value)}
    return {name: value for name, value in found.items() if value.__module__ == module.__name__}


def _class_of(module: ModuleType, name: str, place: str) -> type[Unit]:
    found = getattr(module, name, None)
    if found is None:
        near = did_you_mean(name, [key for key, value in vars(module).items() if _is_unit(value)])
        raise AuthorCodeError(f"{place} has no class {name!r}{near}")
    if not _is_unit(found):
        raise AuthorCodeError(f"{place}:{name} is no unit: it derives from none of StateUnit, PointUnit, ObjectUnit")
    if any(found.measure is kind.measure for kind in _KINDS):
        raise AuthorCodeError(f"{place}:{name} has no method measure")
    return found  # type: ignore[no-any-return]  # it was looked at


def _is_unit(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, _KINDS) and value not in _KINDS
