"""A body as people read it: key, value, unit, and why a value is missing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from ampeld.cli.output import make_table
from ampeld.feature.body import UNDEFINED
from ampeld.feature.unit import Unit, Value
from ampeld.feature.work import Measurement
from ampeld.flow.codes import NAMES, OK
from ampeld.testing.feature_run import UnitRun
from ampeld.testing.feature_states import ObjectState

_MOST = 60
"""Characters of a value that is a list or a text."""


def print_body(out: Console, measuring: UnitRun, state: ObjectState, result: Measurement) -> None:
    """Print what a unit made of one object."""
    recipe = measuring.recipe
    title = f"{state.name}  {recipe.unit} at {state.candid}, {len(state.points)} points, {result.ms:.1f} ms"
    out.print(Text(title, style="bold"), soft_wrap=True)
    if result.code != OK:
        out.print(Text(f"{NAMES.get(result.code, result.code)}: {result.error}", style="red"))
        return
    body = result.body or {}
    reasons = body.get(UNDEFINED, {})
    keys = {**dict(leaves({key: value for key, value in body.items() if key != UNDEFINED}))}
    rows = [(key, shown(value), unit_of(measuring.unit, key), reasons.get(key, "")) for key, value in keys.items()] + [
        ("(all)" if key == "*" else key, None, "", why) for key, why in reasons.items() if key not in keys
    ]
    out.print(make_table("", ("key", "value", "unit", "why not"), rows))
    out.print()


def leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a body by their way from the top, with dots between."""
    for key, inner in value.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, here)
        else:
            yield here, inner


def shown(value: Any) -> str | None:
    """Return a value as a cell of a table: numbers with ten digits, lists shortened."""
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def unit_of(unit: Unit, key: str) -> str:
    """Return the physical unit of a value, empty where there is none."""
    found = value_of(unit, key)
    return "" if found is None else found.unit


def value_of(unit: Unit, key: str) -> Value | None:
    """Return what a unit says of a key of its bodies, or of what it lies in."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        here = ".".join(parts[:length])
        for value in unit.values:
            if re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(value.key)), here):
                return value
    return None
