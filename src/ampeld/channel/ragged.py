"""A list of values for each alert of a batch, such as the magnitudes of its history."""

from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel import segments
from ampeld.channel.column import Column
from ampeld.channel.condition import Condition, Logic, Mask
from ampeld.channel.elementwise import Cells, cells_of, evaluate
from ampeld.channel.memo import NO_MEMO, Memo
from ampeld.channel.operators import SYMBOLS
from ampeld.channel.segments import Offsets
from ampeld.channel.valued import Valued


def same_lists(one: Offsets, other: Offsets) -> None:
    """Refuse lists of different lengths.

    Raises
    ------
    ValueError
        If some alert's lists differ in length.
    """
    if one is not other and not np.array_equal(one, other):
        raise ValueError("lists of different lengths do not go together: select from both or from none")


@final
class RaggedCondition(Logic):
    """A list of truth values for each alert of a batch."""

    __slots__ = ("memo", "offsets", "token")

    def __init__(
        self,
        true: Mask,
        false: Mask | None,
        operator: str,
        operands: tuple[Any, ...] = (),
        missing: "tuple[Mask, ...] | Logic | None" = None,
        *,
        offsets: Offsets,
    ) -> None:
        super().__init__(true, false, operator, operands, missing)
        self.offsets = offsets
        self.memo = NO_MEMO
        self.token = object()

    def remembered(self, memo: Memo) -> Self:
        """Remember results there from now on, and return this."""
        self.memo = memo
        return self

    def _like(self, true: Mask, false: Mask | None, operator: str, operands: tuple[Any, ...]) -> "RaggedCondition":
        return RaggedCondition(true, false, operator, operands, offsets=self.offsets).remembered(self.memo)

    def _coerce(self, other: object) -> "RaggedCondition | None":
        if isinstance(other, RaggedCondition):
            same_lists(self.offsets, other.offsets)
            return other
        if isinstance(other, Condition):
            owner = segments.owners(self.offsets)
            return self._like(other.true[owner], other.false[owner], "each", (other,))
        return super()._coerce(other)

    def any(self) -> Condition:
        """Return whether one of the list is true; of an empty list none is."""
        return self.memo.once((self.token, "any"), self._any)

    def all(self) -> Condition:
        """Return whether each of the list is true; of an empty list it is."""
        return self.memo.once((self.token, "all"), self._all)

    def count(self) -> Column:
        """Return how many of the list are true."""
        return self.memo.once((self.token, "count"), self._count)

    def _any(self) -> Condition:
        return Condition(self._some(self._true), self._none_but(self.false), "any", (self,))

    def _all(self) -> Condition:
        return Condition(self._none_but(self._true), self._some(self.false), "all", (self,))

    def _count(self) -> Column:
        number = segments.count(self.offsets, self._true)
        return Column.of(Cells(number, np.zeros(len(number), np.bool_)), "count", (self,), self.memo)

    def _some(self, mask: Mask) -> Mask:
        return segments.count(self.offsets, mask) > 0

    def _none_but(self, mask: Mask) -> Mask:
        return np.equal(segments.count(self.offsets, ~mask), 0)


@final
class RaggedColumn(Valued[RaggedCondition]):
    """A list of numbers or text for each alert of a batch; missing ones are left out of sums and extremes.

    An empty list, or one of missing values only, has no minimum, sum and so on: they are missing; its count is 0.
    A column of the batch spreads over the lists: ``a.detections.magpsf - a.magpsf``.

    Parameters
    ----------
    values, missing : shape (m,)
        As in `Column`.
    offsets : shape (n + 1,), int64
        The list of alert ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    name, operands
        As in `Column`.
    """

    __slots__ = ("offsets",)

    def __init__(
        self,
        values: NDArray[Any],
        missing: Mask,
        offsets: Offsets,
        name: str = "",
        operands: tuple[object, ...] = (),
    ) -> None:
        super().__init__(cells_of(values, missing), name, operands, NO_MEMO)
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"<RaggedColumn {self.name or '?'} of {len(self)} alerts, {len(self.cells.values)} values>"

    def __getitem__(self, condition: RaggedCondition) -> "RaggedColumn":
        """Return the lists of those values for which the condition is true."""
        if not isinstance(condition, RaggedCondition):
            raise TypeError(
                "lists are selected from by a condition on lists, as in a.detections[a.detections.fid == 1]"
            )
        return self.memo.once((self.token, "[]", condition.token), lambda: self._selected(condition))

    def _selected(self, condition: RaggedCondition) -> "RaggedColumn":
        same_lists(self.offsets, condition.offsets)
        mask = condition.true
        chosen = Cells(self.cells.values[mask], self.cells.missing[mask])
        return self._of(chosen, segments.keep(self.offsets, mask), self.name, (self, condition))

    def _of(self, cells: Cells, offsets: Offsets, name: str, operands: tuple[object, ...]) -> "RaggedColumn":
        made = RaggedColumn.__new__(RaggedColumn)
        Valued.__init__(made, cells, name, operands, self.memo)
        made.offsets = offsets
        return made

    def count(self) -> Column:
        """Return how many values each list has, missing ones not counted."""
        return self.memo.once((self.token, "count"), self._count)

    def _count(self) -> Column:
        number = segments.count(self.offsets, ~self.cells.missing)
        return Column.of(Cells(number, np.zeros(len(number), np.bool_)), "count", (self,), self.memo)

    def first(self) -> Column:
        """Return the first value: the one of lowest jd."""
        return self._reduce(segments.first, "first")

    def last(self) -> Column:
        """Return the last value: the one of highest jd."""
        return self._reduce(segments.last, "last")

    def min(self) -> Column:
        """Return the least value."""
        return self._reduce(segments.lowest, "min")

    def max(self) -> Column:
        """Return the greatest value."""
        return self._reduce(segments.highest, "max")

    def span(self) -> Column:
        """Return the greatest value less the least."""
        return self._reduce(segments.span, "span")

    def sum(self) -> Column:
        """Return the sum of the values."""
        return self._reduce(segments.total, "sum")

    def mean(self) -> Column:
        """Return the arithmetic mean of the values."""
        return self._reduce(segments.mean, "mean")

    def median(self) -> Column:
        """Return the middle value, the mean of the middle two where their number is even."""
        return self._reduce(segments.median, "median")

    def _reduce(self, function: Callable[[NDArray[Any], Offsets], NDArray[Any]], name: str) -> Column:
        return self.memo.once((self.token, name), lambda: self._reduced(function, name))

    def _reduced(self, function: Callable[[NDArray[Any], Offsets], NDArray[Any]], name: str) -> Column:
        if self.cells.values.dtype == object and name not in {"first", "last"}:
            raise TypeError(f"{self.name} is text and has no {name}; it has .first(), .last() and .count()")
        with np.errstate(all="ignore"):
            cells = segments.reduce(self.offsets, self.cells, function)
        return Column.of(cells, name, (self,), self.memo)

    def _condition(
        self, true: Mask, missing: tuple[Mask, ...], operator: str, operands: tuple[Any, ...]
    ) -> RaggedCondition:
        made = RaggedCondition(true, None, operator, operands, missing, offsets=self.offsets)
        return made.remembered(self.memo)

    def _compute(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        operands = [self._spread(one) for one in inputs]
        outputs = evaluate(ufunc, operands, len(self.cells.values))
        results = [self._result(ufunc, inputs, output) for output in outputs]
        return results[0] if len(results) == 1 else tuple(results)

    def _spread(self, operand: object) -> object:
        if isinstance(operand, RaggedColumn):
            same_lists(self.offsets, operand.offsets)
            return operand.cells
        if isinstance(operand, Column):
            if len(operand) != len(self):
                raise ValueError(f"columns of {len(self)} and {len(operand)} alerts do not go together")
            owner = segments.owners(self.offsets)
            return Cells(operand.cells.values[owner], operand.cells.missing[owner])
        return operand

    def _result(self, ufunc: np.ufunc, inputs: tuple[object, ...], output: Cells) -> "RaggedColumn | RaggedCondition":
        name = ufunc.__name__
        if output.values.dtype == np.bool_:
            true = np.greater(output.values, output.missing)
            return self._condition(true, (output.missing,), SYMBOLS.get(name, name), inputs)
        return self._of(output, self.offsets, name, inputs)
