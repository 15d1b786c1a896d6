"""The operators of columns, written once: each is the numpy function of that name on the columns."""

from abc import ABC, abstractmethod
from typing import Any, Generic, NoReturn, Self, TypeVar, cast

import numpy as np

C_co = TypeVar("C_co", covariant=True)

SYMBOLS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
"""The comparisons, by the name of their numpy function."""

_PRECEDENCE = "& | ^ combine conditions, not values: put each comparison in parentheses, (a.x > 1) & (a.y < 2)"


class Operators(ABC, Generic[C_co]):
    """Arithmetic gives another of the same kind, a comparison gives the kind's condition."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("token",)

    token: object
    """Stands for these values, and no others, where results are remembered."""

    @abstractmethod
    def _apply(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        """Return the result of a numpy function one of whose inputs is this."""

    @abstractmethod
    def _compare(self, ufunc: np.ufunc, other: object) -> C_co:
        """Return the result of a comparison with this on the left."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> Any:
        """Let numpy's elementwise functions work on columns."""
        if method != "__call__" or options:
            raise TypeError(f"np.{ufunc.__name__}.{method} with {sorted(options)} does not work on columns")
        return self._apply(ufunc, inputs)

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "this numpy function would mix the alerts of a batch; elementwise ones (np.abs, np.hypot, np.log10 ...) "
            "work on columns, and .values and .missing are the arrays behind one"
        )

    def __bool__(self) -> NoReturn:
        raise TypeError("a column has a value for each alert and is not one truth value: compare it, as in a.rb > 0.5")

    @abstractmethod
    def _combine(self, ufunc: np.ufunc, other: object) -> Self:
        """Return the result of an arithmetic operator with this on the left."""

    def __lt__(self, other: object) -> C_co:
        return self._compare(np.less, other)

    def __le__(self, other: object) -> C_co:
        return self._compare(np.less_equal, other)

    def __gt__(self, other: object) -> C_co:
        return self._compare(np.greater, other)

    def __ge__(self, other: object) -> C_co:
        return self._compare(np.greater_equal, other)

    def __eq__(self, other: object) -> C_co:  # type: ignore[override]
        return self._compare(np.equal, other)

    def __ne__(self, other: object) -> C_co:  # type: ignore[override]
        return self._compare(np.not_equal, other)

    def __add__(self, other: object) -> Self:
        return self._combine(np.add, other)

    def __radd__(self, other: object) -> Self:
        return cast("Self", self._apply(np.add, (other, self)))

    def __sub__(self, other: object) -> Self:
        return self._combine(np.subtract, other)

    def __rsub__(self, other: object) -> Self:
        return cast("Self", self._apply(np.subtract, (other, self)))

    def __mul__(self, other: object) -> Self:
        return self._combine(np.multiply, other)

    def __rmul__(self, other: object) -> Self:
        return cast("Self", self._apply(np.multiply, (other, self)))

    def __truediv__(self, other: object) -> Self:
        return self._combine(np.true_divide, other)

    def __rtruediv__(self, other: object) -> Self:
        return cast("Self", self._apply(np.true_divide, (other, self)))

    def __floordiv__(self, other: object) -> Self:
        return self._combine(np.floor_divide, other)

    def __rfloordiv__(self, other: object) -> Self:
        return cast("Self", self._apply(np.floor_divide, (other, self)))

    def __mod__(self, other: object) -> Self:
        return self._combine(np.remainder, other)

    def __rmod__(self, other: object) -> Self:
        return cast("Self", self._apply(np.remainder, (other, self)))

    def __pow__(self, other: object) -> Self:
        return self._combine(np.power, other)

    def __rpow__(self, other: object) -> Self:
        return cast("Self", self._apply(np.power, (other, self)))

    def __neg__(self) -> Self:
        return cast("Self", self._apply(np.negative, (self,)))

    def __pos__(self) -> Self:
        return cast("Self", self._apply(np.positive, (self,)))

    def __abs__(self) -> Self:
        return cast("Self", self._apply(np.absolute, (self,)))

    def __and__(self, other: object) -> NoReturn:
        raise TypeError(_PRECEDENCE)

    __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __and__
