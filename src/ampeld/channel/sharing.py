"""Expressions without parameters, computed once for a batch whatever the number of channels that use them."""

from collections.abc import Callable
from functools import reduce, wraps
from operator import and_
from typing import TypeVar

from ampeld.channel.columns import Columns, memo_of
from ampeld.channel.condition import Condition

T = TypeVar("T")


def shared(function: Callable[[Columns], T]) -> Callable[[Columns], T]:
    """Let a function of the columns alone be evaluated once for each batch.

    >>> @shared
    ... def colour(a):
    ...     return a.sgmag1 - a.srmag1

    Parameters
    ----------
    function
        What it returns must follow from the columns, and not be None.
    """

    @wraps(function)
    def once(a: Columns) -> T:
        memo = memo_of(a)
        found: T | None = memo.get(function)
        if found is None:
            found = function(a)
            memo.put(function, found)
        return found

    return once


def all_present(a: Columns, *names: str) -> Condition:
    """Return for which alerts none of the fields is missing.

    Parameters
    ----------
    a
        The alerts of a batch.
    *names
        Fields of the alert's own point, at least one.
    """
    present: Condition = reduce(and_, (getattr(a, name).present for name in names))
    return present
