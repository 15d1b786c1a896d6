"""One value for each alert of a batch, as authors write it: ``a.rb > 0.5``, ``np.hypot(a.x, a.y)``."""

from collections.abc import Collection
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Condition, Mask
from ampeld.channel.elementwise import Cells, evaluate, is_in
from ampeld.channel.operators import SYMBOLS, Operators


@final
class Column(Operators[Condition]):
    """A number or text for each alert of a batch; some may be missing.

    A comparison gives a `Condition`, which for a missing value is neither true nor false;
    arithmetic and numpy's elementwise functions give another column.

    Parameters
    ----------
    values : shape (n,), float64, int64, or object for text
    missing : shape (n,), bool
    name
        What it is called in explanations.
    """

    __slots__ = ("cells", "name")

    def __init__(self, values: NDArray[Any], missing: Mask, name: str = "") -> None:
        values.setflags(write=False)
        missing.setflags(write=False)
        self.cells = Cells(values, missing)
        self.name = name

    @property
    def values(self) -> NDArray[Any]:
        """Return the array behind: read-only, without meaning where the value is missing."""
        return self.cells.values

    @property
    def missing(self) -> Condition:
        """Return for which alerts there is no value."""
        return Condition.of(self.cells.missing, None, "missing", (self,))

    @property
    def present(self) -> Condition:
        """Return for which alerts there is a value."""
        return Condition.of(~self.cells.missing, None, "present", (self,))

    def __len__(self) -> int:
        return len(self.cells.values)

    def __repr__(self) -> str:
        return f"<Column {self.name or '?'} of {len(self)} alerts, {self.cells.missing.sum()} missing>"

    def between(self, low: object, high: object) -> Condition:
        """Return where ``low <= value <= high``; both ends belong to it."""
        inside = (self >= low) & (self <= high)
        return Condition(inside.true, inside.false, "between", (self, low, high))

    def isin(self, wanted: Collection[object]) -> Condition:
        """Return where the value is one of those given."""
        mask = is_in(self.cells, list(wanted))
        return Condition.of(mask, self.cells.missing, "isin", (self, tuple(wanted)))

    def _apply(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        operands: list[object] = []
        for one in inputs:
            if type(one) is Column:
                if len(one.cells.values) != len(self.cells.values):
                    raise ValueError(f"columns of {len(self)} and {len(one)} alerts do not go together")
                operands.append(one.cells)
            elif isinstance(one, Operators):
                return NotImplemented  # a column of lists knows how to spread this one over its lists
            else:
                operands.append(one)
        outputs = evaluate(ufunc, operands, len(self.cells.values))
        results = [self._result(ufunc, inputs, output) for output in outputs]
        return results[0] if len(results) == 1 else tuple(results)

    def _result(self, ufunc: np.ufunc, inputs: tuple[object, ...], output: Cells) -> "Column | Condition":
        if output.values.dtype == np.bool_:
            return Condition.of(output.values, output.missing, SYMBOLS.get(ufunc.__name__, ufunc.__name__), inputs)
        return Column(output.values, output.missing, ufunc.__name__)
