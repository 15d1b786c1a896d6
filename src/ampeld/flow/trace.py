"""Where a value came from beside the data: a unit, its code, its parameters, its libraries and its models."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Trace(msgspec.Struct, frozen=True):
    """Everything that a unit's values depend on beside the data; kept once, and referred to by its number."""

    id: int
    """Signed 64-bit hash of all the rest."""
    unit: str
    version: str
    """What the unit's author calls it."""
    digest: str
    """Of the source of the unit's module and of all that it imports from its own package, or from beside it."""
    params: Mapping[str, Any]
    config: int
    py: str
    """The version of Python."""
    libraries: Mapping[str, str]
    """By name: the versions of the installed packages that the unit's modules import."""
    resources: Mapping[str, str] = {}
    """By name: the digests of the catalogues, models and maps that it measures with."""
