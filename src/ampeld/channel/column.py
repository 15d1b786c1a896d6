"""One value for each alert of a batch, as authors write it: ``a.rb > 0.5``, ``np.hypot(a.x, a.y)``."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Condition, Mask
from ampeld.channel.elementwise import Cells, cells_of, evaluate
from ampeld.channel.limits import Limits, compared
from ampeld.channel.memo import NO_MEMO, Memo
from ampeld.channel.operators import SYMBOLS, Operators
from ampeld.channel.valued import Valued


@final
class Column(Valued[Condition]):
    """A number or text for each alert of a batch; some may be missing.

    A comparison gives a `Condition`, which for a missing value is neither true nor false;
    arithmetic and numpy's elementwise functions give another column.

    Parameters
    ----------
    values : shape (n,), float64, int64, or object for text
        A number that is not finite counts as missing.
    missing : shape (n,), bool
    name
        What it is called in explanations: a field, or the function that made it of the operands.
    operands
        What a computed column was computed from, for explanations.
    """

    __slots__ = ()

    def __init__(self, values: NDArray[Any], missing: Mask, name: str = "", operands: tuple[object, ...] = ()) -> None:
        super().__init__(cells_of(values, missing), name, operands, NO_MEMO)

    @classmethod
    def of(cls, cells: Cells, name: str, operands: tuple[object, ...], memo: Memo) -> "Column":
        """Return the column of values that are as `Cells` are to be."""
        column = cls.__new__(cls)
        Valued.__init__(column, cells, name, operands, memo)
        return column

    def __len__(self) -> int:
        return len(self.cells.values)

    def __repr__(self) -> str:
        return f"<Column {self.name or '?'} of {len(self)} alerts, {self.cells.missing.sum()} missing>"

    def _condition(self, true: Mask, missing: tuple[Mask, ...], operator: str, operands: tuple[Any, ...]) -> Condition:
        return Condition(true, None, operator, operands, missing)

    def _compute(self, ufunc: np.ufunc, inputs: tuple[object, ...]) -> Any:
        operands: list[object] = []
        for one in inputs:
            if type(one) is Column:
                if len(one.cells.values) != len(self.cells.values):
                    raise ValueError(f"columns of {len(self)} and {len(one)} alerts do not go together")
                operands.append(one.cells)
            elif type(one) is Limits and ufunc.__name__ in SYMBOLS and inputs[1] is one:
                return compared(ufunc, self.cells, one, SYMBOLS[ufunc.__name__], self)
            elif isinstance(one, Operators):
                return NotImplemented  # a column of lists knows how to spread this one over its lists
            else:
                operands.append(one)
        outputs = evaluate(ufunc, operands, len(self.cells.values))
        results = [self._result(ufunc, inputs, output) for output in outputs]
        return results[0] if len(results) == 1 else tuple(results)

    def _result(self, ufunc: np.ufunc, inputs: tuple[object, ...], output: Cells) -> "Column | Condition":
        if output.values.dtype == np.bool_:
            true = np.greater(output.values, output.missing)
            return self._condition(true, (output.missing,), SYMBOLS.get(ufunc.__name__, ufunc.__name__), inputs)
        return Column.of(output, ufunc.__name__, inputs, self.memo)
