"""What a comparison of columns gives: true, false or not known, for every alert of a batch at once."""

from abc import ABC, abstractmethod
from typing import Any, NoReturn, Self, final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class Logic(ABC):
    """Three-valued logic on arrays (Kleene's): an element is true, false, or neither, where a value is missing.

    Whoever asks for the true elements thus gets "no" for a missing value, under ``~`` too.

    Parameters
    ----------
    true, false : shape (n,), bool
        Never both true for one element.
    operator
        How it came to be: ``<``, ``isin``, ``&`` and so on, or the name of a flag.
    operands
        What the operator was applied to: columns and limits, or conditions.
    """

    __array_ufunc__ = None  # an array on the left leaves the operator to us
    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("false", "operands", "operator", "true")

    def __init__(self, true: Mask, false: Mask, operator: str, operands: tuple[Any, ...] = ()) -> None:
        true.setflags(write=False)
        false.setflags(write=False)
        self.true = true
        self.false = false
        self.operator = operator
        self.operands = operands

    def __len__(self) -> int:
        return len(self.true)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.operator}: {self.true.sum()} of {len(self)} true>"

    @abstractmethod
    def _like(self, true: Mask, false: Mask, operator: str, operands: tuple[Any, ...]) -> Self:
        """Return one of the same kind and shape."""

    def _coerce(self, other: object) -> "Self | None":
        """Return the other operand in this one's shape, or None when that has no meaning."""
        if isinstance(other, bool | np.bool_):
            mask = np.full(len(self), bool(other))
        elif isinstance(other, np.ndarray) and other.dtype == np.bool_ and other.shape == self.true.shape:
            mask = other.copy()
        else:
            return None
        return self._like(mask, ~mask, "is", (other,))

    def __and__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        return self._like(self.true & that.true, self.false | that.false, "&", (self, that))

    def __or__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        return self._like(self.true | that.true, self.false & that.false, "|", (self, that))

    def __xor__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        true = (self.true & that.false) | (self.false & that.true)
        false = (self.true & that.true) | (self.false & that.false)
        return self._like(true, false, "^", (self, that))

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __invert__(self) -> Self:
        return self._like(self.false, self.true, "~", (self,))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a condition holds for each alert of a batch and is not one truth value: combine conditions with & | ~ "
            "instead of 'and', 'or', 'not', each in parentheses; instead of 'lo < a.x < hi' write a.x.between(lo, hi) "
            "or (lo < a.x) & (a.x < hi)"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a condition is not compared: use it as it is, or under ~ (as in ~a.isdiffpos)")

    def __ne__(self, other: object) -> NoReturn:
        raise TypeError("a condition is not compared: use it as it is, or under ~ (as in ~a.isdiffpos)")

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "a condition is not an array: combine conditions with & | ~, or take its .true and .false masks"
        )


@final
class Condition(Logic):
    """One truth value for each alert of a batch: true, false, or neither where a value is missing."""

    __slots__ = ()

    @classmethod
    def of(cls, mask: Mask, missing: Mask | None = None, operator: str = "of", operands: tuple[Any, ...] = ()) -> Self:
        """Return the condition that is true where the mask is, and not known where a value is missing.

        Parameters
        ----------
        mask : shape (n,), bool
            One element for each alert of the batch.
        missing : shape (n,), bool, optional
            Where neither true nor false can be said; by default nowhere.
        operator, operands
            How the mask was made, for explanations.

        Raises
        ------
        TypeError
            If the mask is no array of booleans.
        """
        if getattr(mask, "dtype", None) != np.bool_:
            raise TypeError("a mask is an array of booleans, one for each alert")
        known = np.ones(len(mask), dtype=np.bool_) if missing is None else ~missing
        true = mask & known
        return cls(true, known ^ true, operator, operands)

    def _like(self, true: Mask, false: Mask, operator: str, operands: tuple[Any, ...]) -> Self:
        return type(self)(true, false, operator, operands)

    def _coerce(self, other: object) -> "Self | None":
        if type(other) is Condition:
            if len(other) != len(self):
                raise ValueError(f"conditions on {len(self)} and {len(other)} alerts cannot be combined")
            return other
        return super()._coerce(other)

    @property
    def missing(self) -> Self:
        """Return where the truth is not known, because a value is missing."""
        return self.of(~(self.true | self.false), None, "missing", (self,))

    @property
    def present(self) -> Self:
        """Return where the truth is known."""
        return self.of(self.true | self.false, None, "present", (self,))
