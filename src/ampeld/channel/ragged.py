"""A list of values for each alert of a batch, such as the magnitudes of its history."""

from collections.abc import Callable, Collection
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel import segments
from ampeld.channel.column import Column
from ampeld.channel.condition import Condition, Logic, Mask
from ampeld.channel.elementwise import Cells, evaluate, is_in
from ampeld.channel.operators import SYMBOLS, Operators
from ampeld.channel.segments import Offsets


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

    __slots__ = ("offsets",)

    def __init__(
        self, true: Mask, false: Mask, operator: str, operands: tuple[Any, ...] = (), *, offsets: Offsets
    ) -> None:
        super().__init__(true, false, operator, operands)
        self.offsets = offsets

    def _like(self, true: Mask, false: Mask, operator: str, operands: tuple[Any, ...]) -> "RaggedCondition":
        return RaggedCondition(true, false, operator, operands, offsets=self.offsets)

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
        true = segments.count(self.offsets, self.true) > 0
        return Condition(true, self._none(~self.false), "any", (self,))

    def all(self) -> Condition:
        """Return whether each of the list is true; of an empty list it is."""
        false = segments.count(self.offsets, self.false) > 0
        return Condition(self._none(~self.true), false, "all", (self,))

    def count(self) -> Column:
        """Return how many of the list are true."""
        number = segments.count(self.offsets, self.true)
        return Column(number, np.zeros(len(number), dtype=np.bool_), "count")

    def _none(self, mask: Mask) -> Mask:
        return np.equal(segments.count(self.offsets, mask), 0)


@final
class RaggedColumn(Operators[RaggedCondition]):
    """A list of numbers or text for each alert of a batch; missing ones are left out of sums and extremes.

    An empty list, or one of missing values only, has no minimum, sum and so on: they are missing; its count is 0.
    A column of the batch spreads over the lists: ``a.detections.magpsf - a.magpsf``.

    Parameters
    ----------
    values, missing : shape (m,)
        As in `Column`.
    offsets : shape (n + 1,), int64
        The list of alert ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    """

    __slots__ = ("cells", "name", "offsets")

    def __init__(self, values: NDArray[Any], missing: Mask, offsets: Offsets, name: str = "") -> None:
        values.setflags(write=False)
        missing.setflags(write=False)
        self.cells = Cells(values, missing)
        self.offsets = offsets
        self.name = name

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
        same_lists(self.offsets, condition.offsets)
        kept = segments.keep(self.offsets, condition.true)
        return RaggedColumn(self.cells.values[condition.true], self.cells.missing[condition.true], kept, self.name)

    @property
    def values(self) -> NDArray[Any]:
        """Return the array behind, all lists after one another: read-only."""
        return self.cells.values

    @property
    def missing(self) -> RaggedCondition:
        """Return which elements have no value."""
        return self._condition(self.cells.missing, np.zeros_like(self.cells.missing), "missing", (self,))

    @property
    def present(self) -> RaggedCondition:
        """Return which elements have a value."""
        return self._condition(~self.cells.missing, np.zeros_like(self.cells.missing), "present", (self,))

    def between(self, low: object, high: object) -> RaggedCondition:
        """Return where ``low <= value <= high``; both ends belong to it."""
        return (self >= low) & (self <= high)

    def isin(self, wanted: Collection[object]) -> RaggedCondition:
        """Return where the value is one of those given."""
        mask = is_in(self.cells, list(wanted))
        return self._condition(mask, self.cells.missing, "isin", (self, tuple(wanted)))

    def count(self) -> Column:
        """Return how many values each list has, missing ones not counted."""
        number = segments.count(self.offsets, ~self.cells.missing)
        return Column(number, np.zeros(len(number), dtype=np.bool_), f"{self.name}.count()")

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
        if self.cells.values.dtype == object and name not in {"first", "last"}:
            raise TypeError(f"{self.name} is text and has no {name}; it has .first(), .last() and .count()")
        with np.errstate(all="ignore"):
            cells = segments.reduce(self.offsets, self.cells, function)
        return Column(cells.values, cells.missing, f"{self.name}.{name}()")

    def _condition(self, mask: Mask, missing: Mask, operator: str, operands: tuple[Any, ...]) -> RaggedCondition:
        return RaggedCondition(mask & ~missing, ~mask & ~missing, operator, operands, offsets=self.offsets)

    def _apply(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
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
            return self._condition(output.values, output.missing, SYMBOLS.get(name, name), inputs)
        return RaggedColumn(output.values, output.missing, self.offsets, name)
