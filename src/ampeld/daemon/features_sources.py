"""The sources that a unit's values depend on: its module, and what that imports from its own package or beside it."""

import ast
import hashlib
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

import msgspec

from ampeld.daemon.features import installed_units
from ampeld.daemon.features_words import named_in_source
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.filters_imports import local_file
from ampeld.daemon.filters_installed import origin_of
from ampeld.feature.builtin import BUILTIN

_OURS = "ampeld"


class Sources(msgspec.Struct, frozen=True):
    """What was found without executing anything."""

    texts: Mapping[str, str]
    """By module or file name."""
    libraries: Mapping[str, str]
    """By name of the package: the versions of what they import from elsewhere."""

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits of BLAKE2b over names and texts."""
        digest = hashlib.blake2b(digest_size=16)
        for name, text in sorted(self.texts.items()):
            for part in (name.encode(), text.encode()):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


def sources_of(unit: str, files: ChannelFiles) -> Sources:
    """Return the sources of a unit.

    Parameters
    ----------
    unit
        Its name, as in a channel file.
    files
        The texts of the channel that asks for it.
    """
    place, colon, _ = unit.rpartition(":")
    if colon and place.endswith(".py"):
        return _beside(place, files.modules)
    module = BUILTIN.get(unit) or installed_units()[unit].module
    return _installed(module)


@cache
def _installed(module: str) -> Sources:
    texts: dict[str, str] = {}
    foreign: set[str] = set()
    _follow(module, texts, foreign)
    return Sources(texts, _versions(foreign))


def _beside(place: str, modules: Mapping[str, str]) -> Sources:
    texts: dict[str, str] = {}
    foreign: set[str] = set()
    waiting = [place]
    while waiting:
        file = waiting.pop()
        if file in texts or file not in modules:
            continue
        texts[file] = modules[file]
        waiting += named_in_source(modules[file])
        for level, name in _imports(modules[file]):
            top = name.partition(".")[0]
            near = local_file(top, file) if level <= 1 else None
            if near in modules:
                waiting.append(str(near))
            elif not level:
                foreign.add(top)
                if top == _OURS:  # a unit may derive from one of ours
                    _follow(name, texts, foreign)
    return Sources(texts, _versions(foreign))


def _follow(module: str, texts: dict[str, str], foreign: set[str]) -> None:
    """Take a module, and all that it imports from its own package; note which other packages are imported."""
    own = module.partition(".")[0]
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in texts or (file := origin_of(name)) is None:
            continue
        try:
            texts[name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        above = name.split(".")[: None if file.stem == "__init__" else -1]
        for level, imported in _imports(texts[name]):
            absolute = ".".join([*above[: len(above) + 1 - level], imported]) if level else imported
            if f"{absolute}.".startswith(f"{own}."):
                waiting.append(absolute)
            else:
                foreign.add(absolute.partition(".")[0])


@cache
def _imports(source: str) -> tuple[tuple[int, str], ...]:
    """Return (leading dots, name) of every module that a source may import, names behind ``from`` among them."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    found: dict[tuple[int, str], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= dict.fromkeys((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = f"{node.module}." if node.module else ""
            if node.module:
                found[node.level, node.module] = None
            found |= dict.fromkeys((node.level, above + alias.name) for alias in node.names)
    return tuple(found)


def _versions(foreign: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for top in sorted(foreign - sys.stdlib_module_names):
        for name in _distributions_of(top):
            try:
                found[name.lower().replace("_", "-")] = version(name)
            except PackageNotFoundError:  # between two installations
                continue
    return found


@cache
def _distributions_of(top: str) -> Sequence[str]:
    """Return the installed packages that bring a module; most bear its name, and to look at all takes half a second."""
    try:
        version(top)
    except PackageNotFoundError:
        return _distributions().get(top, ())
    return (top,)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()
