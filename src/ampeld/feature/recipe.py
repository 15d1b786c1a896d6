"""The identity of a measurement: a hash of all parameters, defaults filled in, and of what the unit builds upon."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import xxhash

from ampeld.flow.wanted import Recipe, UnitLink
from ampeld.names import did_you_mean
from ampeld.params import REQUIRED, ParameterError, check, parameters

Depends = Sequence[tuple[Recipe, UnitLink]]
_INFINITIES = {math.inf: "Infinity", -math.inf: "-Infinity"}
_INT64 = range(-(2**63), 2**63)


def fill_params(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of a unit as plain values: what is given, and the defaults of the rest.

    A number that is written as ``1`` where the unit says ``1.0`` comes out the same.

    Raises
    ------
    ParameterError
        If any is unknown, missing, or of the wrong type.
    """
    defaults = {name: p.default for name, p in parameters(cls).items() if p.default is not REQUIRED}
    values = check(cls, msgspec.to_builtins(defaults) | given)
    plain: dict[str, Any] = _listed(msgspec.to_builtins(values, order="deterministic"))
    if problems := [(name, "is beyond 64 bits") for name, value in plain.items() if not _fits(value)]:
        raise ParameterError(list(problems))
    return plain


def config_id(params: Mapping[str, Any], depends: Depends, version: str) -> int:
    """Return the signed 64-bit xxh64 of the canonical JSON of parameters, dependencies and the unit's version.

    Parameters
    ----------
    params
        All of them, as `fill_params` returns them.
    depends
        What the unit builds upon, in its order.
    version
        `ampeld.feature.unit.Unit.version`.
    """
    below = [[recipe.unit, recipe.config, link] for recipe, link in depends]
    return canonical_hash({"params": params, "depends": below, "version": version})


def canonical_hash(value: Any) -> int:
    """Return the signed 64-bit xxh64 of a plain value's JSON, with sorted keys."""
    number = xxhash.xxh64_intdigest(msgspec.json.encode(_speak(value), order="deterministic"))
    return number - 2**64 if number >= 2**63 else number


def unknown(name: str, known: Sequence[str]) -> str:
    """Return the complaint that there is no such unit."""
    near = did_you_mean(name, known)
    return f"there is no unit {name!r}{near or '; `ampeld feature list` names them all'}"


def _speak(value: Any) -> Any:
    """Return the value with infinities as texts: JSON would say null, which is another parameter."""
    if isinstance(value, Mapping):
        return {str(key): _speak(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_speak(item) for item in value]
    return _INFINITIES.get(value, value) if isinstance(value, float) else value


def _listed(value: Any) -> Any:
    """Return the value with lists for tuples: as it comes out of every message and every store."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _fits(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_fits, value.values()))
    if isinstance(value, list):
        return all(map(_fits, value))
    return not isinstance(value, int) or value in _INT64
