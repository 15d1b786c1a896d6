"""Columns, conditions and values as text: what an author wrote, as near as can be told from the objects it made."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ampeld.channel.column import Column
from ampeld.channel.condition import Condition, Logic
from ampeld.channel.named import Named
from ampeld.channel.ragged import RaggedColumn, RaggedCondition

COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
_INFIX: Final = {
    "add": ("+", 1),
    "subtract": ("-", 1),
    "multiply": ("*", 2),
    "divide": ("/", 2),
    "floor_divide": ("//", 2),
    "remainder": ("%", 2),
    "power": ("**", 4),
}
_PLAIN: Final = 9  # binds tighter than any operator
_REDUCED: Final = frozenset({"count", "first", "last", "min", "max", "span", "sum", "mean", "median"})
_CALLED: Final = {"missing": "", "present": "", "any": "()", "all": "()", "between": "({})", "isin": "({})"}
_OWN: Final = {"of": "a mask"}  # Condition.of(mask)
_SHOWN: Final = 8
_DATES: Final = (2.2e6, 2.7e6)  # Julian dates since 1311: six digits would not tell two nights apart


def spell(thing: object) -> str:
    """Return a column, a condition or a constant as an expression: ``abs(gal_lat)``, ``detections.jd.span()``."""
    return _spell(thing)[0]


def _spell(thing: object) -> tuple[str, int]:
    """Return the text and how tightly it binds."""
    if isinstance(thing, Column | RaggedColumn):
        return _column(thing)
    if isinstance(thing, Logic):
        return _condition(thing)
    if isinstance(thing, np.ndarray) and thing.shape:
        return "an array", _PLAIN
    if isinstance(thing, Named):
        return thing.parameter, _PLAIN
    return show(thing), _PLAIN


def _column(column: Column | RaggedColumn) -> tuple[str, int]:
    name, operands = column.name, column.operands
    if not operands:
        return name or "a column", _PLAIN
    if isinstance(operands[-1], RaggedCondition) and isinstance(column, RaggedColumn):
        return f"{_tight(operands[0])}[{spell(operands[1])}]", _PLAIN
    if name in _REDUCED and len(operands) == 1 and isinstance(operands[0], RaggedColumn | RaggedCondition):
        return f"{_tight(operands[0])}.{name}()", _PLAIN
    if name in _INFIX and len(operands) == 2:
        sign, level = _INFIX[name]
        (left, left_level), (right, right_level) = map(_spell, operands)
        left = left if left_level >= level else f"({left})"
        right = right if right_level > level else f"({right})"
        return f"{left} {sign} {right}", level
    if name == "negative":
        return f"-{_tight(operands[0])}", 3
    word = "abs" if name == "absolute" else name
    return f"{word}({', '.join(map(spell, operands))})", _PLAIN


def _condition(condition: Logic) -> tuple[str, int]:
    operator, operands = condition.operator, condition.operands
    if operator in {"is", "each"}:
        return _spell(operands[0])
    if operator in COMPARISONS:
        return f"{spell(operands[0])} {operator} {spell(operands[1])}", 0
    if operator in {"&", "|", "^"}:
        chained = [spell(one) if getattr(one, "operator", "") == operator else _tight(one) for one in operands]
        return f" {operator} ".join(chained), 0
    if operator == "~":
        return f"~{_tight(operands[0])}", 3
    if operator in _CALLED:
        return (
            f"{_tight(operands[0])}.{operator}{_CALLED[operator].format(', '.join(map(spell, operands[1:])))}",
            _PLAIN,
        )
    return (f"{operator}({', '.join(map(spell, operands))})" if operands else _OWN.get(operator, operator)), _PLAIN


def _tight(thing: object) -> str:
    text, level = _spell(thing)
    return text if level == _PLAIN else f"({text})"


def show(value: object) -> str:
    """Return a value as people read it: six digits, and five decimals for a Julian date."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.item() if not value.shape else value.tolist()
    if value is None:
        text = "missing"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = f"{value:.5f}" if _DATES[0] < value < _DATES[1] else f"{value:.6g}"
    elif isinstance(value, int):
        text = str(int(value))
    elif isinstance(value, list | tuple):
        more = ", …" if len(value) > _SHOWN else ""
        text = f"[{', '.join(map(show, value[:_SHOWN]))}{more}]"
    else:
        text = repr(str(value)) if isinstance(value, str) else str(value)
    return text


def value_at(thing: Any, row: int) -> Any:
    """Return what an operand is for one alert: a value, a list of values, None where missing; a constant as it is."""
    if isinstance(thing, RaggedColumn | RaggedCondition):
        mine = range(int(thing.offsets[row]), int(thing.offsets[row + 1]))
        return [_element(thing, i) for i in mine]
    if isinstance(thing, Column | Condition):
        return _element(thing, row)
    if isinstance(thing, np.ndarray) and thing.shape:
        return plain(thing[row])
    return [plain(one) for one in thing] if isinstance(thing, list | tuple) else plain(thing)


def _element(thing: Column | RaggedColumn | Logic, i: int) -> Any:
    if isinstance(thing, Logic):
        return truth_at(thing, i)
    return None if thing.cells.missing[i] else plain(thing.cells.values[i])


def truth_at(condition: Logic, element: int) -> bool | None:
    """Return whether a condition is true of an element, None where that is not known."""
    return True if condition.true[element] else (False if condition.false[element] else None)


def plain(value: Any) -> Any:
    """Return a value without numpy's types and without the name of a parameter."""
    if isinstance(value, np.generic | np.ndarray):
        return value.item()
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def listing(words: Sequence[str], most: int = 4) -> str:
    """Return words joined by *and*, the last ones only counted where there are many."""
    kept = list(words) if len(words) <= most else [*words[: most - 1], f"{len(words) - most + 1} more"]
    return " and ".join(kept)
