"""Why a condition holds for one alert or does not: the value, the limit and what lies between, in words."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ampeld.channel.condition import Condition, Logic
from ampeld.channel.named import Named
from ampeld.channel.operators import Operators
from ampeld.channel.ragged import RaggedCondition
from ampeld.channel.spell import COMPARISONS, listing, show, spell, truth_at, value_at

_OPPOSITE: Final = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED: Final = {
    **_OPPOSITE,
    "between": "not between",
    "not between": "between",
    "in": "not in",
    "not in": "in",
    "missing": "present",
    "present": "missing",
}


_GIVEN: Final = "is"  # the operator of a constant, such as (self.min_drb <= 0)
_GUARDS: Final = ("missing", "present", _GIVEN)


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a condition is true, false or not known of one alert.

    ``value operator limit`` is what was asked; ``text`` is what is: *rb = 0.21 < 0.3*. Of conditions that were
    combined, value and limit are those of the part that decided, and ``parts`` are all of them.
    """

    passed: bool | None
    value: Any
    operator: str
    limit: Any
    text: str
    parts: tuple["Reason", ...] = ()


def reason(condition: Logic, row: int) -> Reason:
    """Return why a condition of the batch is true, false or not known of one of its alerts."""
    return _WAYS.get(condition.operator, _flag)(condition, row)


def _comparison(condition: Logic, row: int) -> Reason:
    (left, right), operator = condition.operands, condition.operator
    if not isinstance(left, Operators):
        left, right, operator = right, left, _MIRRORED[operator]
    value, limit, passed = value_at(left, row), value_at(right, row), truth_at(condition, row)
    bound = f"{spell(right)} = {show(limit)}" if isinstance(right, Operators) else show(limit)
    bound += _whose(right)
    if passed is None:
        what = spell(left) if value is None else spell(right)
        text = f"{what} is missing (wanted: {spell(left)} {operator} {bound})"
    else:
        text = f"{spell(left)} = {show(value)} {operator if passed else _OPPOSITE[operator]} {bound}"
    return Reason(passed=passed, value=value, operator=operator, limit=limit, text=text)


def _membership(condition: Logic, row: int) -> Reason:
    column, *limits = condition.operands
    value, passed = value_at(column, row), truth_at(condition, row)
    found = [value_at(limit, row) for limit in limits]
    limit = found if condition.operator == "between" else found[0]
    if condition.operator == "between":
        bounds = " to ".join(f"{show(one)}{_whose(of)}" for one, of in zip(found, limits, strict=True))
    else:
        bounds = show(limit)
    if passed is None:
        text = f"{spell(column)} is missing (wanted: in {bounds})"
        if value is not None:
            text = f"the limits of {spell(column)} are missing"
    else:
        text = f"{spell(column)} = {show(value)} {'in' if passed else 'not in'} {bounds}"
    operator = "between" if condition.operator == "between" else "in"
    return Reason(passed=passed, value=value, operator=operator, limit=limit, text=text)


def _presence(condition: Logic, row: int) -> Reason:
    (of,) = condition.operands
    passed, value = truth_at(condition, row), value_at(of, row)
    there = passed is (condition.operator == "present")
    text = f"{spell(of)} is there" if there else f"{spell(of)} is missing"
    return Reason(passed=passed, value=value, operator=condition.operator, limit=None, text=text)


def _flag(condition: Logic, row: int) -> Reason:
    passed = truth_at(condition, row)
    if condition.operator == _GIVEN:
        return Reason(passed=passed, value=passed, operator="is", limit=True, text=f"given as {show(passed)}")
    what = spell(condition)
    text = f"{what} is missing" if passed is None else f"{what} is {show(passed)}"
    values = [(one, value_at(one, row)) for one in condition.operands if isinstance(one, Operators)]
    if values:
        text += f" ({', '.join(f'{spell(one)} = {show(value)}' for one, value in values)})"
    value = values[0][1] if len(values) == 1 else passed
    return Reason(passed=passed, value=value, operator="is", limit=True, text=text)


def _of_list(condition: Logic, row: int) -> Reason:
    (lists,) = condition.operands
    truths = value_at(lists, row)
    column = next((one for one in lists.operands if isinstance(one, Operators)), None)
    simple = lists.operator in COMPARISONS and column is lists.operands[0]
    limit = value_at(lists.operands[1], row) if simple and not isinstance(lists.operands[1], Operators) else True
    values = truths if column is None or not simple else value_at(column, row)
    wanted = "one" if condition.operator == "any" else "all"
    text = f"{spell(lists)} holds for {sum(one is True for one in truths)} of {len(truths)} (wanted: {wanted})"
    if simple and values:
        text += f"; {spell(column)} = {show(values)}"
    operator = f"{condition.operator} {lists.operator}" if simple else condition.operator
    return Reason(passed=truth_at(condition, row), value=values, operator=operator, limit=limit, text=text)


def _negation(condition: Logic, row: int) -> Reason:
    """Return the reason of the opposite: what is of the alert stays, what was asked is turned round."""
    inner = reason(condition.operands[0], row)
    operator, limit = _NEGATED.get(inner.operator, f"not {inner.operator}"), inner.limit
    if inner.operator == "is":
        operator, limit = "is", not limit
    passed = None if inner.passed is None else not inner.passed
    return msgspec.structs.replace(inner, passed=passed, operator=operator, limit=limit)


def _combined(condition: Logic, row: int) -> Reason:
    operator = condition.operator
    parts = _parts(condition, row)
    passed = truth_at(condition, row)
    if operator == "&":
        deciding = [part for part in parts if part.passed is not True] or parts
        deciding = [part for part in deciding if part.passed is False] or deciding
    elif operator == "|":
        deciding = [part for part in parts if part.passed is True]
        # "missing, or above the limit" was failed at the limit
        deciding = deciding or [part for part in parts if part.operator not in _GUARDS] or parts
    else:
        deciding = parts
    first = deciding[0]
    return Reason(
        passed=passed,
        value=first.value,
        operator=first.operator,
        limit=first.limit,
        text=listing(list(dict.fromkeys(part.text for part in deciding))),
        parts=tuple(parts),
    )


def _parts(condition: Logic, row: int) -> Sequence[Reason]:
    """Return the reasons of the operands; ``a & b & c`` has three."""
    if condition.operator not in {"&", "|"}:
        return [reason(one, row) for one in condition.operands]
    found: list[Reason] = []
    waiting = list(condition.operands)
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, Condition | RaggedCondition) and one.operator == condition.operator:
            waiting[:0] = one.operands
        else:
            found.append(reason(one, row))
    return found


def _whose(limit: object) -> str:
    return f" ({limit.parameter})" if isinstance(limit, Named) else ""


_WAYS: Final[dict[str, Callable[[Logic, int], Reason]]] = {
    **dict.fromkeys(COMPARISONS, _comparison),
    **dict.fromkeys(("&", "|", "^"), _combined),
    **dict.fromkeys(("any", "all"), _of_list),
    **dict.fromkeys(("missing", "present"), _presence),
    **dict.fromkeys(("between", "isin"), _membership),
    "~": _negation,
}
