"""Counts of detections that meet criteria, written in the channel file alone."""

import operator
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.filter import Cuts, Filter
from ampeld.channel.ragged import RaggedCondition
from ampeld.channel.series import Series

Comparison = Literal[">", "<", ">=", "<=", "==", "!="]

_COMPARISONS: Final[dict[Comparison, Callable[[Any, Any], Any]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of one field of a detection: ``{ attribute = "rb", operator = ">", value = 0.8 }``."""

    attribute: str
    operator: Comparison
    value: float

    def holds(self, points: Series) -> RaggedCondition:
        """Return which of the points meet it; one that lacks the field does not."""
        met: RaggedCondition = _COMPARISONS[self.operator](getattr(points, self.attribute), self.value)
        return met


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many detections must meet all of the criteria: ``{ criteria = [...], operator = ">=", len = 4 }``."""

    criteria: Criterion | tuple[Criterion, ...]
    operator: Comparison
    length: int = msgspec.field(name="len")
    connection: Literal["AND", "OR"] = msgspec.field(name="logicalConnection", default="AND")
    """How it goes together with all that stand before it; of the first it is not looked at."""

    def holds(self, points: Series) -> Condition:
        """Return for which alerts it is met."""
        criteria = (self.criteria,) if isinstance(self.criteria, Criterion) else self.criteria
        if not criteria:
            counted = points.count()
        else:
            met = criteria[0].holds(points)
            for criterion in criteria[1:]:
                met = met & criterion.holds(points)
            counted = met.count()
        held: Condition = _COMPARISONS[self.operator](counted, self.length)
        return held


class BasicMultiFilter(Filter):
    """AMPEL's BasicMultiFilter: requirements on the number of detections, connected from left to right.

    Notes
    -----
    What stands before the last OR is one cut, each requirement behind it another; so each alert is counted where it
    fails, and the verdict is that of the chain. Corrected: AMPEL takes ``AND`` and ``OR`` for comparisons of numbers.
    """

    filters: tuple[Requirement, ...]  # each: criteria (attribute, operator, value), operator, len, logicalConnection

    def prepare(self) -> None:
        """Look at the requirements.

        Raises
        ------
        ValueError
            If there is none, or one counts to less than nothing.
        """
        if not self.filters:
            raise ValueError("filters: nothing is required")
        for number, requirement in enumerate(self.filters, start=1):
            if requirement.length < 0:
                raise ValueError(f"filters: len of requirement {number} is negative")

    def cuts(self, a: Columns) -> Cuts:
        """Yield the chain as far as it hangs together, then one requirement after the other."""
        held = self.filters[0].holds(a.detections)
        chained = max((i for i, one in enumerate(self.filters) if i and one.connection == "OR"), default=0)
        for requirement in self.filters[1 : chained + 1]:
            more = requirement.holds(a.detections)
            held = held | more if requirement.connection == "OR" else held & more
        yield "requirement 1" if not chained else f"requirements 1 to {chained + 1}", held
        for number, requirement in enumerate(self.filters[chained + 1 :], start=chained + 2):
            yield f"requirement {number}", requirement.holds(a.detections)
