"""Conditions on a catalogue's columns, in MongoDB's words for comparisons."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ampeld.names import did_you_mean

Query = dict[str, Any]
"""By column: the value it must have, or a table of comparisons of which all must hold."""


def _compare(operation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: Any, limit: Any) -> bool:
        # numbers and texts are never in order with each other
        return value is not None and isinstance(value, str) == isinstance(limit, str) and operation(value, limit)

    return compare


_OPERATIONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$eq": lambda value, other: bool(value == other),
    "$ne": lambda value, other: bool(value != other),
    "$lt": _compare(lambda value, limit: bool(value < limit)),
    "$lte": _compare(lambda value, limit: bool(value <= limit)),
    "$gt": _compare(lambda value, limit: bool(value > limit)),
    "$gte": _compare(lambda value, limit: bool(value >= limit)),
    "$in": lambda value, some: value in some,
    "$nin": lambda value, some: value not in some,
    "$exists": lambda value, wanted: (value is not None) == bool(wanted),
}


def check_query(query: Query) -> str | None:
    """Return what is wrong with a query, or None."""
    for column, condition in query.items():
        if column.startswith("$"):
            return f"{column} stands where a column is expected: logical operators are not known"
        for name, operand in condition.items() if isinstance(condition, Mapping) else ():
            if name not in _OPERATIONS:
                return f"{column}: {name!r} is no comparison{did_you_mean(name, _OPERATIONS)}"
            if name in ("$in", "$nin") and not isinstance(operand, list | tuple):
                return f"{column}: {name} wants a list"
            if name in ("$lt", "$lte", "$gt", "$gte") and not isinstance(operand, int | float | str):
                return f"{column}: {name} wants a number or a text"
    return None


def fits(row: Mapping[str, Any], query: Query) -> bool:
    """Return whether a source fulfils a query that `check_query` has passed."""
    for column, condition in query.items():
        value = row.get(column)
        if not isinstance(condition, Mapping):
            if value != condition:
                return False
        elif not all(_OPERATIONS[name](value, operand) for name, operand in condition.items()):
            return False
    return True
