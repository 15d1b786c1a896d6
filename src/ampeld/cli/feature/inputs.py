"""Bodies that are handed in: ``--input CatalogMatch=matches.json``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ampeld.errors import ConfigError

Body = Mapping[str, Any]


class Inputs(msgspec.Struct, frozen=True):
    """What was handed in, by name of the unit."""

    for_all: Mapping[str, Body]
    """Bodies for whatever object."""
    by_object: Mapping[str, Mapping[str, Body]]
    """By unit and name of the object."""

    @property
    def units(self) -> frozenset[str]:
        """Return the names of the units."""
        return frozenset((*self.for_all, *self.by_object))

    def of(self, name: str) -> dict[str, Body]:
        """Return the bodies for one object."""
        own = {unit: bodies[name] for unit, bodies in self.by_object.items() if name in bodies}
        return {**self.for_all, **own}


def read_inputs(options: Sequence[str]) -> Inputs:
    """Read the files that ``--input`` options name.

    Raises
    ------
    ConfigError
        Naming every option whose file cannot be read, or holds no body.
    """
    for_all: dict[str, Body] = {}
    by_object: dict[str, dict[str, Body]] = {}
    problems: list[str] = []
    for option in options:
        unit, equals, file = option.partition("=")
        if not equals or not unit or not file:
            problems.append(f"--input {option}: expected UNIT=FILE.json")
            continue
        try:
            found = msgspec.json.decode(Path(file).read_bytes())
            if isinstance(found, dict):
                for_all[unit] = found
            else:
                by_object[unit] = {str(one["object"]): dict(one["body"]) for one in found if one["body"] is not None}
        except OSError as error:
            problems.append(f"--input {option}: {file} cannot be read: {error.strerror}")
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            problems.append(f"--input {option}: {file} holds neither a body nor what `feature run --json` prints")
    if problems:
        raise ConfigError(problems)
    return Inputs(for_all, by_object)
