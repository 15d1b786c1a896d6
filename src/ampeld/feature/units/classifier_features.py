"""From the names of features to a row of numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Feature(NamedTuple):
    """One value of a unit's body."""

    unit: str
    keys: tuple[str, ...]
    """From the body downwards."""
    text: str
    """As it was written."""


def parse_feature(text: str) -> Feature:
    """Return what ``Unit.key`` means; a unit of a module beside the channel file is ``decay.py:Decay.key``.

    Raises
    ------
    ValueError
        If it names no key; the message begins with the parameter ``features``.
    """
    module, colon, rest = text.rpartition(":")
    unit, *keys = rest.split(".")
    if not unit or not keys or not all(keys):
        raise ValueError(f"features: {text!r} is not of the form Unit.key")
    return Feature(module + colon + unit, tuple(keys), text)


def unit_names(features: Sequence[Feature]) -> list[str]:
    """Return the units, each once, in the order in which they are named first."""
    return list(dict.fromkeys(feature.unit for feature in features))


def vector(
    features: Sequence[Feature], bodies: Mapping[str, Mapping[str, Any] | None]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the values of shape (len(features),), NaN where one is missing, and the names of those that are.

    Parameters
    ----------
    features
        In the model's order.
    bodies
        By unit; None where it has none.
    """
    row = np.array([_value(feature, bodies.get(feature.unit)) for feature in features], dtype=np.float64)
    return row, [feature.text for feature, value in zip(features, row.tolist(), strict=True) if math.isnan(value)]


def _value(feature: Feature, body: Mapping[str, Any] | None) -> float:
    value: Any = body
    for key in feature.keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, bool | int | float) else math.nan
