"""One numpy function on values some of which are missing: what comes of a missing value is missing."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.condition import Mask
from ampeld.channel.operators import SYMBOLS

_BY_ZERO = frozenset({"floor_divide", "remainder", "fmod"})
_NUMBER = int | float | np.number
_STRINGS = "text has no order of size and no arithmetic: compare it with text, or use .isin([...])"


class Cells(NamedTuple):
    """Values and where they are missing; text is an array of objects, None where missing.

    Numbers are float64, NaN where missing and finite elsewhere, or int64, without meaning where missing.
    """

    values: NDArray[Any]
    missing: Mask


def cells_of(values: NDArray[Any], missing: Mask) -> Cells:
    """Return values and where they are missing as `Cells` are to be; a number that is not finite counts as missing.

    Parameters
    ----------
    values : shape (n,), float64, int64, or object for text
        Of any kind where missing.
    missing : shape (n,), bool
    """
    if values.dtype.kind == "f":
        bad = np.logical_or(missing, ~np.isfinite(values))
        if np.count_nonzero(bad):
            return Cells(np.where(bad, np.nan, values), bad)
    return Cells(values, missing)


def check_operand(operand: object, length: int) -> None:
    """Refuse an operand that would not mean one value for each element.

    Raises
    ------
    TypeError
        If it is no number, text, or array of numbers of the right length (numpy hands its own scalars on as arrays).
    """
    if isinstance(operand, str) or (isinstance(operand, _NUMBER) and not isinstance(operand, bool)):
        return
    if isinstance(operand, np.ndarray) and operand.shape in ((), (length,)) and operand.dtype.kind in "iuf":
        return
    if operand is None:
        raise TypeError("nothing compares with None: a missing value is found by .missing, any other by .present")
    raise TypeError(f"a column does not go together with {type(operand).__name__}")


def evaluate(ufunc: np.ufunc, operands: Sequence[object], length: int) -> list[Cells]:
    """Return the outputs of a numpy function, one element for each element of the operands.

    A number that is not finite counts as missing, as it does in an alert.

    Parameters
    ----------
    operands
        `Cells`, at least one; numbers; text; arrays of numbers.

    Raises
    ------
    TypeError
        If an operand does not fit, or the function cannot be applied to text.
    """
    missing: Mask | None = None
    text = False
    plain: list[Any] = []
    for operand in operands:
        if type(operand) is Cells:
            missing = operand.missing if missing is None else missing | operand.missing
            text = text or operand.values.dtype == object
            plain.append(operand.values)
            continue
        if type(operand) is not float:
            check_operand(operand, length)
            text = text or isinstance(operand, str)
        plain.append(operand)
    assert missing is not None, "one of the operands is a column"
    if text:
        return [Cells(_compare_text(ufunc, operands), missing)]
    if ufunc.__name__ in SYMBOLS:
        return [Cells(ufunc(*plain), missing)]
    if ufunc.__name__ in _BY_ZERO:
        missing = missing | np.equal(plain[1], 0)
    with np.errstate(all="ignore"):
        result = ufunc(*plain)
    return [_finite(output, missing) for output in (result if isinstance(result, tuple) else (result,))]


def _finite(output: NDArray[Any], missing: Mask) -> Cells:
    if output.dtype.kind == "f":
        return cells_of(output.astype(np.float64, copy=False), missing)
    if output.dtype.kind in "iu":
        return Cells(output.astype(np.int64, copy=False), missing)
    return Cells(output, missing)


def _compare_text(ufunc: np.ufunc, operands: Sequence[object]) -> Mask:
    if ufunc.__name__ not in SYMBOLS:
        raise TypeError(_STRINGS)
    texts: list[Any] = []
    for operand in operands:
        if isinstance(operand, str):
            texts.append(operand)
        elif isinstance(operand, Cells) and operand.values.dtype == object:
            texts.append(np.where(operand.missing, "", operand.values))
        else:
            raise TypeError(_STRINGS)
    return np.asarray(ufunc(*texts), dtype=np.bool_)


def is_in(cells: Cells, wanted: Sequence[object]) -> Mask:
    """Return where a value is one of those wanted, missing values aside.

    Raises
    ------
    TypeError
        If text is looked for among numbers or numbers among text.
    """
    text = cells.values.dtype == object
    for value in wanted:
        if isinstance(value, str) != text:
            raise TypeError(_STRINGS)
        check_operand(value, len(cells.values))
    if text:
        among = frozenset(wanted)
        return np.fromiter((value in among for value in cells.values), np.bool_, len(cells.values))
    # one by one: np.isin would bring identifiers and fractions to float64, where identifiers get lost
    mask = np.zeros(len(cells.values), dtype=np.bool_)
    for value in wanted:
        mask |= cells.values == value
    return mask
