"""One parameter of several filters, so that a comparison answers for all of them at once."""

from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Condition, Logic, Mask
from ampeld.channel.operators import Operators


@final
class Limits:
    """The numbers that a parameter has in several filters. Columns are compared with them; nothing else works.

    Parameters
    ----------
    values : shape (k, 1), float64 or int64
        One number for each filter.
    """

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("values",)

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    def __bool__(self) -> NoReturn:
        raise TypeError("the filters of a family differ here")

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Operators):
            return NotImplemented  # the column knows
        raise TypeError("the filters of a family differ here")

    __ne__ = __eq__


@final
class FamilyCondition(Logic):
    """One truth value for each filter of a family and each alert, shape (k, n)."""

    __slots__ = ()

    def _like(self, true: Mask, false: Mask | None, operator: str, operands: tuple[Any, ...]) -> "FamilyCondition":
        return FamilyCondition(true, false, operator, operands)

    def _coerce(self, other: object) -> Any:
        if isinstance(other, FamilyCondition | Condition):  # one for all alerts holds for each of the filters
            return other
        return None


def compared(
    ufunc: np.ufunc, cells: tuple[NDArray[Any], Mask], limits: Limits, operator: str, column: object
) -> FamilyCondition:
    """Return where ``column operator limit`` holds, for each filter and alert."""
    values, missing = cells
    if values.dtype.kind not in "fi":
        raise TypeError("only numbers are compared with limits")
    true = ufunc(values, limits.values)
    if values.dtype.kind != "f" or ufunc is np.not_equal:  # any other comparison with NaN is false as it is
        true = np.greater(true, missing)
    return FamilyCondition(true, None, operator, (column, limits), (missing,))
