"""The account of an evaluation: every cut with its value and its limit, whether it passed or not."""

import math
from typing import Any, Final

from ampeld.feature.unit import Value

CUTS: Final = Value(
    "cuts",
    "",
    "every cut in AMPEL's order: name, value (null: it could not be taken), limit (a number, [least, most] or what is "
    "wanted) and whether it passed",
    "list",
)


class Cuts:
    """Cuts in the order in which AMPEL makes them; unlike there, each is made even behind one that failed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, value: Any, limit: Any, *, passed: bool) -> bool:
        """Enter a cut, and return whether it passed."""
        told = [_told(one) for one in limit] if isinstance(limit, list) else _told(limit)
        self.rows.append({"name": name, "value": _told(value), "limit": told, "passed": bool(passed)})
        return bool(passed)

    def least(self, name: str, value: float | None, limit: float, *, missing: bool = False) -> bool:
        """Ask for at least a limit; ``missing``: whether it passes without a value."""
        return self.add(name, value, limit, passed=missing if value is None else value >= limit)

    def most(self, name: str, value: float | None, limit: float, *, missing: bool = False) -> bool:
        """Ask for at most a limit; ``missing``: whether it passes without a value."""
        return self.add(name, value, limit, passed=missing if value is None else value <= limit)

    def within(self, name: str, value: float | None, low: float, high: float, *, missing: bool = False) -> bool:
        """Ask for a value between two limits, both included; ``missing``: whether it passes without a value."""
        return self.add(name, value, [low, high], passed=missing if value is None else low <= value <= high)

    def between(self, name: str, value: float | None, low: float, high: float, *, missing: bool = False) -> bool:
        """Ask for a value between two limits, both excluded; ``missing``: whether it passes without a value."""
        return self.add(name, value, [low, high], passed=missing if value is None else low < value < high)

    @property
    def passed(self) -> bool:
        """Whether all have passed."""
        return all(row["passed"] for row in self.rows)


def _told(value: Any) -> Any:
    """Return what a body can hold: an infinite limit is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
