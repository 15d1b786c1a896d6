"""AMPEL's filter of points, as units have it among their parameters: a field, an operator and a value."""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from ampeld.feature.light_curve import FIELDS
from ampeld.names import did_you_mean

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    # Of texts and numbers that were read from a file, identity means equality.
    "is": operator.eq,
    "is not": operator.ne,
}


class PointFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a point's field must be; without the field, or with None or NaN there, a point does not pass."""

    attribute: str
    operator: Literal[">", "<", ">=", "<=", "==", "!=", "is", "is not"]
    value: bool | int | float | str | None


PointFilters = tuple[PointFilter, ...]
"""All of them must hold."""
POSITIVE: Final[PointFilters] = (PointFilter("isdiffpos", "!=", "f"), PointFilter("isdiffpos", "!=", "0"))
"""Detections that are brighter than the reference image."""


def check_filters(parameter: str, filters: Iterable[PointFilter], reads: Collection[str]) -> None:
    """Refuse a filter on a field that points are not handed over with.

    Parameters
    ----------
    parameter
        Of which the filters are the value.
    filters
        To be looked at.
    reads
        Fields that the unit reads beyond those of every light curve.

    Raises
    ------
    ValueError
        It names the parameter and the field.
    """
    known = {name for fields in FIELDS.values() for name in fields} | set(reads)
    for given in filters:
        if given.attribute not in known:
            near = did_you_mean(given.attribute, sorted(known)) or f" (with: {', '.join(sorted(known))})"
            raise ValueError(f"{parameter}: points are not read with a field {given.attribute!r}{near}")


def passes(filters: Iterable[PointFilter], body: Mapping[str, Any]) -> bool:
    """Tell whether a point passes all filters."""
    for given in filters:
        found = body.get(given.attribute)
        if found is None or (isinstance(found, float) and math.isnan(found)):
            return False
        try:
            if not _OPERATORS[given.operator](found, given.value):
                return False
        except TypeError:  # a text is neither above nor below a number
            return False
    return True
