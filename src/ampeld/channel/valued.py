"""What columns and columns of lists have in common: values some of which are missing, and results that are shared."""

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Logic, Mask, read_only
from ampeld.channel.elementwise import Cells, is_in
from ampeld.channel.memo import Memo, key_of
from ampeld.channel.operators import SYMBOLS, Operators

L_co = TypeVar("L_co", bound=Logic, covariant=True)


class Valued(Operators[L_co]):
    """Numbers or text; what is computed from them once is not computed again, if a memo is given.

    Parameters
    ----------
    cells
        The values.
    name
        What they are called in explanations: a field, or the function that made them of the operands.
    operands
        What computed values were computed from, for explanations.
    memo
        Where results are remembered.
    """

    __slots__ = ("cells", "memo", "name", "operands")

    def __init__(self, cells: Cells, name: str, operands: tuple[object, ...], memo: Memo) -> None:
        self.cells = cells
        self.name = name
        self.operands = operands
        self.memo = memo
        self.token = object()

    @abstractmethod
    def _condition(self, true: Mask, missing: tuple[Mask, ...], operator: str, operands: tuple[Any, ...]) -> L_co:
        """Return truth values of this shape that are true where the mask is, which is nowhere where one is missing."""

    @abstractmethod
    def _compute(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        """Return the result of a numpy function."""

    def remembered(self, memo: Memo) -> Self:
        """Remember results there from now on, and return this."""
        self.memo = memo
        return self

    @property
    def values(self) -> NDArray[Any]:
        """Return the array behind: read-only, without meaning where a value is missing."""
        return read_only(self.cells.values)

    @property
    def missing(self) -> L_co:
        """Return where there is no value."""
        return self._flag("missing")

    @property
    def present(self) -> L_co:
        """Return where there is a value."""
        return self._flag("present")

    def between(self, low: object, high: object) -> L_co:
        """Return where ``low <= value <= high``; both ends belong to it."""
        inside = (self >= low) & (self <= high)
        return inside.renamed("between", (self, low, high))

    def isin(self, wanted: Collection[object]) -> L_co:
        """Return where the value is one of those given."""
        missing = self.cells.missing
        mask = np.greater(is_in(self.cells, list(wanted)), missing)
        return self._condition(mask, (missing,), "isin", (self, tuple(wanted)))

    def _flag(self, name: str) -> L_co:
        return self.memo.once((self.token, name), lambda: self._flagged(name))

    def _flagged(self, name: str) -> L_co:
        missing = self.cells.missing
        return self._condition(missing if name == "missing" else ~missing, (), name, (self,))

    def _compare(self, ufunc: np.ufunc, other: object) -> L_co:
        kind = type(other)
        if kind is not float and kind is not int:
            return self._apply(ufunc, (self, other))  # type: ignore[no-any-return]
        key = (self.token, ufunc, kind, other)
        found: L_co | None = self.memo.get(key)
        if found is None:
            found = self._compared(ufunc, other)
            self.memo.put(key, found)
        return found

    def _compared(self, ufunc: np.ufunc, limit: object) -> L_co:
        values, missing = self.cells
        kind = values.dtype.kind
        if kind == "O":
            return self._compute(ufunc, (self, limit))  # type: ignore[no-any-return]  # says what is wrong
        true = ufunc(values, limit)
        if kind != "f" or ufunc is np.not_equal:  # any other comparison with NaN is false as it is
            true = np.greater(true, missing)
        return self._condition(true, (missing,), SYMBOLS[ufunc.__name__], (self, limit))

    def _combine(self, ufunc: np.ufunc, other: object) -> Self:
        kind = type(other)
        if kind is type(self):
            key: tuple[object, ...] = (self.token, ufunc, other.token)  # type: ignore[attr-defined]  # it is like this
        elif (kind is float or kind is int) and other:  # 0.0 and -0.0 are equal, and what comes of them is not
            key = (self.token, ufunc, kind, other)
        else:
            return self._apply(ufunc, (self, other))  # type: ignore[no-any-return]
        found: Self | None = self.memo.get(key)
        if found is None:
            found = self._compute(ufunc, (self, other))
            self.memo.put(key, found)
        return found

    def __abs__(self) -> Self:
        return self._apply(np.absolute, (self,))  # type: ignore[no-any-return]

    def _apply(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        key = key_of(ufunc, inputs)
        if key is None:
            return self._compute(ufunc, inputs)
        found = self.memo.get(key)
        if found is None:
            found = self._compute(ufunc, inputs)
            if found is not NotImplemented:
                self.memo.put(key, found)
        return found
