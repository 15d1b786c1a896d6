"""The sources of the installed filters that a channel uses, so that its version changes with them."""

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from ampeld.daemon.filters_imports import imports

_AUTHORS = "ampeld.channel"
"""What every filter imports; a change in it is a change of ampeld, not of a channel."""


def installed_sources(filters: Iterable[str], modules: Mapping[str, str]) -> dict[str, str]:
    """Return by module name the sources of installed filters, and of what they import from their own package.

    Nothing is executed.

    Parameters
    ----------
    filters
        ``package.module:Class``; a file beside the channel is none.
    modules
        The channel's own modules by file name: built-in filters that they import count too.
    """
    named = [place for words in filters if not (place := words.rpartition(":")[0]).endswith(".py")]
    named += [
        name
        for file, source in modules.items()
        if file.endswith(".py")
        for level, name in imports(source)
        if not level and name.startswith(f"{_AUTHORS}.")
    ]
    return {name: source for module in named for name, source in _closure(module) if name not in _common()}


@cache
def _common() -> frozenset[str]:
    return frozenset(name for name, _ in _closure(_AUTHORS))


@cache
def _closure(module: str) -> tuple[tuple[str, str], ...]:
    """Return the names and sources of a module and of all that it imports from its own package, directly or not."""
    package = _AUTHORS if f"{module}.".startswith(f"{_AUTHORS}.") else module.partition(".")[0]
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        origin = None if name in found else origin_of(name)
        if origin is None:
            continue
        try:
            found[name] = origin.read_text()
        except (OSError, UnicodeDecodeError):
            continue
        above = name.split(".")[: None if origin.stem == "__init__" else -1]
        for level, imported in imports(found[name]):
            absolute = ".".join([*above[: len(above) + 1 - level], imported]) if level else imported
            if f"{absolute}.".startswith(f"{package}."):
                waiting.append(absolute)
    return tuple(sorted(found.items()))


def origin_of(module: str) -> Path | None:
    """Return the file of an installed module, found step by step: `find_spec` would execute the packages above it."""
    places: list[str] | None = None
    above = module.rpartition(".")[0]
    name = ""
    for part in above.split(".") if above else ():
        name = f"{name}.{part}" if name else part
        if name in sys.modules:
            places = list(getattr(sys.modules[name], "__path__", ()))
        elif (spec := _spec(name, places)) is not None:
            places = list(spec.submodule_search_locations or ())
        else:
            return None
    spec = _spec(module, places)
    return Path(spec.origin) if spec is not None and spec.origin is not None and spec.origin.endswith(".py") else None


def _spec(name: str, places: list[str] | None) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, places)
    except (ImportError, ValueError):
        return None
