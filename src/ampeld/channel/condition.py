"""What a comparison of columns gives: true, false or not known, for every alert of a batch at once."""

# An operand is of the same class, whose masks behind `true` and `false` it may use as they are.
# ruff: noqa: SLF001

from abc import ABC, abstractmethod
from typing import Any, NoReturn, Self, final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def read_only(mask: Mask) -> Mask:
    """Return the mask so that no filter can write what another one reads."""
    mask.setflags(write=False)
    return mask.view()


class Logic(ABC):
    """Three-valued logic on arrays (Kleene's): an element is true, false, or neither, where a value is missing.

    Whoever asks for the true elements thus gets "no" for a missing value, under ``~`` too.

    Parameters
    ----------
    true : shape (n,), bool
        Where it is true.
    false : shape (n,), bool, optional
        Where it is false, never where it is true. Few ask, so that it may be left out, to be found when asked for.
    operator
        How it came to be: ``<``, ``isin``, ``&`` and so on, or the name of a flag.
    operands
        What the operator was applied to: columns and limits, or conditions.
    missing
        What ``false`` is found from: the masks of what is missing, or the condition whose ``false`` is this one's too;
        without them the operands of ``&`` and ``|``.
    """

    __array_ufunc__ = None  # an array on the left leaves the operator to us
    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("_false", "_missing", "_true", "operands", "operator")

    def __init__(
        self,
        true: Mask,
        false: Mask | None,
        operator: str,
        operands: tuple[Any, ...] = (),
        missing: "tuple[Mask, ...] | Logic | None" = None,
    ) -> None:
        self._true = true
        self._false = false
        self._missing = missing
        self.operator = operator
        self.operands = operands

    @property
    def true(self) -> Mask:
        """Return where it is true: read-only."""
        return read_only(self._true)

    @property
    def false(self) -> Mask:
        """Return where it is false, and not merely unknown: read-only."""
        return read_only(self._known_false())

    def _known_false(self) -> Mask:
        false = self._false
        if false is None:
            if self._missing is None:
                one, other = (operand._known_false() for operand in self.operands)
                false = one | other if self.operator == "&" else one & other
            elif isinstance(self._missing, Logic):
                false = self._missing._known_false()
            else:
                false = ~self._true
                for mask in self._missing:
                    false = np.greater(false, mask)  # false and not missing, in one step
            self._false = false
        return false

    def __len__(self) -> int:
        return len(self._true)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.operator}: {self._true.sum()} of {len(self)} true>"

    def renamed(self, operator: str, operands: tuple[Any, ...]) -> Self:
        """Return the same truth values under another name, for explanations."""
        renamed = self._like(self._true, self._false, operator, operands)
        renamed._missing = self
        return renamed

    @abstractmethod
    def _like(self, true: Mask, false: Mask | None, operator: str, operands: tuple[Any, ...]) -> Self:
        """Return one of the same kind and shape."""

    def _coerce(self, other: object) -> "Self | None":
        """Return the other operand in this one's shape, or None when that has no meaning."""
        if isinstance(other, bool | np.bool_):
            mask = np.full(len(self), bool(other))
        elif isinstance(other, np.ndarray) and other.dtype == np.bool_ and other.shape == self._true.shape:
            mask = other.copy()
        else:
            return None
        return self._like(mask, ~mask, "is", (other,))

    def __and__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        return self._like(self._true & that._true, None, "&", (self, that))

    def __or__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        return self._like(self._true | that._true, None, "|", (self, that))

    def __xor__(self, other: object) -> Self:
        that = self._coerce(other)
        if that is None:
            return NotImplemented
        here, there = (self._true, self._known_false()), (that._true, that._known_false())
        true = (here[0] & there[1]) | (here[1] & there[0])
        false = (here[0] & there[0]) | (here[1] & there[1])
        return self._like(true, false, "^", (self, that))

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __invert__(self) -> Self:
        return self._like(self._known_false(), self._true, "~", (self,))

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
        if missing is None:
            return cls(mask.copy(), None, operator, operands, ())
        return cls(mask & ~missing, None, operator, operands, (missing,))

    def _like(self, true: Mask, false: Mask | None, operator: str, operands: tuple[Any, ...]) -> Self:
        return type(self)(true, false, operator, operands)

    def _coerce(self, other: object) -> "Self | None":
        if type(other) is Condition:
            if len(other._true) != len(self._true):
                raise ValueError(f"conditions on {len(self)} and {len(other)} alerts cannot be combined")
            return other
        return super()._coerce(other)

    @property
    def missing(self) -> Self:
        """Return where the truth is not known, because a value is missing."""
        return type(self)(~(self._true | self._known_false()), None, "missing", (self,), ())

    @property
    def present(self) -> Self:
        """Return where the truth is known."""
        return type(self)(self._true | self._known_false(), None, "present", (self,), ())
