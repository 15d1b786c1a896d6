"""The lists of points that an alert brings, each with its fields: ``a.detections.jd``."""

from typing import NoReturn

import numpy as np

from ampeld.alert.table import AlertTable, Kind, names
from ampeld.channel import segments
from ampeld.channel.column import Column
from ampeld.channel.elementwise import Cells
from ampeld.channel.names import did_you_mean
from ampeld.channel.ragged import RaggedColumn, RaggedCondition, same_lists
from ampeld.channel.segments import Offsets

NEGATIVE = ("f", "0")
"""What the survey writes into ``isdiffpos`` where the difference is negative."""


def positive(cells: Cells) -> Cells:
    """Return ``isdiffpos``, text in the packets, as truth values."""
    values = cells.values
    mask = (values != NEGATIVE[0]) & (values != NEGATIVE[1])
    return Cells(mask.astype(np.bool_), cells.missing)


class Series:
    """Points of one kind, by ascending jd for each alert: ``a.detections``, ``a.limits``, ``a.fp_hists``.

    A field is an attribute and gives a `RaggedColumn`; ``isdiffpos`` gives a `RaggedCondition`.
    ``a.detections[a.detections.fid == 1]`` is the series of the points for which the condition is true.
    """

    __slots__ = ("_kind", "_selection", "_table")

    _table: AlertTable
    _kind: Kind
    _selection: RaggedCondition | None

    def __init__(self, table: AlertTable, kind: Kind, selection: RaggedCondition | None = None) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_selection", selection)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("the points of an alert are read-only")

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"<Series of the {self._kind} of {len(self)} alerts>"

    def count(self) -> Column:
        """Return how many points each alert has."""
        number = np.diff(self._offsets())
        return Column(number, np.zeros(len(number), dtype=np.bool_), f"{self._kind}.count()")

    def __getattr__(self, name: str) -> RaggedColumn:
        if name == "isdiffpos":
            return self._positive()  # type: ignore[return-value]  # the one field that is no number and no text
        whole = self._column(name)
        return whole if self._selection is None else whole[self._selection]

    def __getitem__(self, condition: RaggedCondition) -> "Series":
        if not isinstance(condition, RaggedCondition):
            raise TypeError("points are selected by a condition on them, as in a.detections[a.detections.fid == 1]")
        same_lists(self._offsets(), condition.offsets)
        if self._selection is None:
            return Series(self._table, self._kind, condition)
        whole = self._selection.true.copy()
        whole[self._selection.true] = condition.true
        chosen = RaggedCondition(whole, ~whole, "&", (self._selection, condition), offsets=self._selection.offsets)
        return Series(self._table, self._kind, chosen)

    def _offsets(self) -> Offsets:
        if self._selection is None:
            return self._table.offsets(self._kind)
        return segments.keep(self._selection.offsets, self._selection.true)

    def _column(self, name: str) -> RaggedColumn:
        try:
            found = self._table.ragged(self._kind, name)
        except KeyError:
            near = did_you_mean(name, names(self._kind))
            raise AttributeError(f"{self._kind} have no field {name!r}{near}") from None
        return RaggedColumn(found.values.view(), found.missing.view(), found.offsets.view(), f"{self._kind}.{name}")

    def _positive(self) -> RaggedCondition:
        text = self._column("isdiffpos")
        values, missing = positive(Cells(text.values, ~text.present.true))
        whole = RaggedCondition(values & ~missing, ~values & ~missing, "isdiffpos", offsets=text.offsets)
        if self._selection is None:
            return whole
        chosen = self._selection.true
        return RaggedCondition(whole.true[chosen], whole.false[chosen], "isdiffpos", offsets=self._offsets())
