"""What a unit is, for people and for programs: its kind, its parameters, and what its values mean."""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from ampeld.daemon.authors import AuthorCodeError, ModuleLoader
from ampeld.daemon.features import UnitFinder, installed_units, units_in
from ampeld.daemon.files import ChannelFiles, read_module
from ampeld.errors import ConfigError
from ampeld.feature.builtin import BUILTIN
from ampeld.feature.unit import Dependency, Unit, Value
from ampeld.params import REQUIRED, ParameterError, parameters
from ampeld.testing.describe import UNIT, comments_of, type_name

_HEADING: Final = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)
_ITEM: Final = re.compile(r"^(\w[\w, ]*?)(?: : .*)?\n((?:[ \t]+\S.*\n?|\s*\n)+)", re.MULTILINE)


class UnitParameter(msgspec.Struct, frozen=True):
    """A parameter of a unit."""

    name: str
    type: str
    required: bool
    default: Any
    """None where it is required."""
    unit: str | None
    """What stands in brackets in its description."""
    description: str


class UnitText(msgspec.Struct, frozen=True, kw_only=True):
    """A unit."""

    unit: str
    """As channel files name it."""
    origin: str
    """``built-in``, the name of the package that brings it, or the file."""
    problem: str | None = None
    """Why it cannot be used; the rest is empty then."""
    kind: str = ""
    summary: str = ""
    version: str = ""
    slow: bool = False
    """Whether it is measured behind the flow, from a ticket."""
    min_points: int = 0
    reads: list[str] = []
    parameters: list[UnitParameter] = []
    values: list[Value] = []
    dependencies: list[Dependency] | None = []
    """With the parameters' defaults; None where these alone do not make a unit."""
    doc: str = ""


def list_units(directory: Path) -> list[UnitText]:
    """Return every unit: the built-in ones, those of installed packages, and those of the channels' directory."""
    loader = ModuleLoader()
    finder = UnitFinder(loader)
    found = [_tried(name, "built-in", finder) for name in BUILTIN]
    found += [_tried(name, point.module.partition(".")[0], finder) for name, point in installed_units().items()]
    for path in sorted(directory.glob("*.py")) if directory.is_dir() else ():
        found += _beside(path, loader)
    return found


def describe_unit(name: str, kind: type[Unit], origin: str) -> UnitText:
    """Return what a unit is.

    Parameters
    ----------
    name
        As channel files name it.
    kind
        Its class.
    origin
        Where it comes from.
    """
    doc = inspect.cleandoc(kind.__doc__ or "")
    return UnitText(
        unit=name,
        origin=origin,
        kind=kind.kind,
        summary=doc.partition("\n")[0],
        version=kind.version,
        slow=kind.slow,
        min_points=kind.min_points,
        reads=list(kind.reads),
        parameters=list(_parameters(kind)),
        values=list(kind.values),
        dependencies=_dependencies(kind),
        doc=doc,
    )


def _tried(name: str, origin: str, finder: UnitFinder) -> UnitText:
    try:
        return describe_unit(name, finder(name), origin)
    except (AuthorCodeError, ParameterError) as error:
        return UnitText(unit=name, origin=origin, problem=str(error))


def _beside(path: Path, loader: ModuleLoader) -> Iterator[UnitText]:
    """Yield the units of a module in the channels' directory; one that imports nothing of features has none."""
    try:
        files: ChannelFiles = read_module(path)
        if "ampeld.feature" not in files.modules[path.name] or path.name.startswith("test_"):
            return
        for name, kind in units_in(loader.module(path.name, files)).items():
            yield describe_unit(f"{path.name}:{name}", kind, str(path))
    except (AuthorCodeError, ConfigError) as error:
        yield UnitText(unit=path.name, origin=str(path), problem=str(error))


def _parameters(kind: type[Unit]) -> Iterator[UnitParameter]:
    comments = comments_of(kind)
    texts = _parameter_texts(kind)
    for name, parameter in parameters(kind).items():
        doc = texts.get(name) or comments.get(name, "")
        unit = UNIT.search(doc)
        required = parameter.default is REQUIRED
        yield UnitParameter(
            name=name,
            type=type_name(parameter.type),
            required=required,
            default=None if required else msgspec.to_builtins(parameter.default),
            unit=unit[1] if unit else None,
            description=doc,
        )


def _parameter_texts(kind: type) -> Mapping[str, str]:
    """Return what the docstrings of a class and its bases say of each parameter."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        doc = inspect.cleandoc(base.__doc__ or "")
        parts = _HEADING.split(doc)
        section = dict(zip(parts[1::2], parts[2::2], strict=True)).get("Parameters", "")
        for names, text in _ITEM.findall(section + "\n"):
            found |= dict.fromkeys(re.split(r", *", names), " ".join(text.split()))
    return found


def _dependencies(kind: type[Unit]) -> list[Dependency] | None:
    if kind.dependencies is Unit.dependencies:
        return []
    try:
        return list(kind().dependencies())
    except (Exception, SystemExit):  # noqa: BLE001  science code; mostly a parameter that has no default
        return None
