"""The lists of points that an alert brings, each with its fields: ``a.detections.jd``."""

from typing import NoReturn, Self

import numpy as np

from ampeld.alert.table import AlertTable, Kind, names
from ampeld.channel import segments
from ampeld.channel.column import Column
from ampeld.channel.common import common_names, derive, positive
from ampeld.channel.elementwise import Cells
from ampeld.channel.memo import NO_MEMO, Memo
from ampeld.channel.ragged import RaggedColumn, RaggedCondition, same_lists
from ampeld.channel.segments import Offsets
from ampeld.channel.unknown import no_field


class Series:
    """Points of one kind, by ascending jd for each alert: ``a.detections``, ``a.limits``, ``a.forced``.

    A field is an attribute and gives a `RaggedColumn`: one of the survey's own, or a common name
    (`ampeld.channel.common`); what is true or false, as ``isdiffpos``, gives a `RaggedCondition`.
    ``a.detections[a.detections.band == "g"]`` is the series of the points for which the condition is true.
    """

    __slots__ = ("_kind", "_memo", "_selection", "_table")

    _table: AlertTable
    _kind: Kind
    _memo: Memo
    _selection: RaggedCondition | None

    def __init__(self, table: AlertTable, kind: Kind, selection: RaggedCondition | None = None) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_selection", selection)
        object.__setattr__(self, "_memo", NO_MEMO)

    def remembered(self, memo: Memo) -> Self:
        """Remember results there from now on, and return this."""
        object.__setattr__(self, "_memo", memo)
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("the points of an alert are read-only")

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"<Series of the {self._kind} of {len(self)} alerts>"

    def count(self) -> Column:
        """Return how many points each alert has."""
        token = None if self._selection is None else self._selection.token
        return self._memo.once((self._kind, token), self._count)

    def _count(self) -> Column:
        number = np.diff(self._offsets())
        name, operands = (f"{self._kind}.count()", ()) if self._selection is None else ("count", (self._selection,))
        column = Column(number, np.zeros(len(number), dtype=np.bool_), name, operands)
        return column.remembered(self._memo)

    def __getattr__(self, name: str) -> RaggedColumn:
        if name.startswith("__"):  # protocols that look for a method
            raise AttributeError(name)
        whole = self._memo.once((self._kind, name), lambda: self._whole(name))
        if self._selection is None:
            return whole  # type: ignore[return-value]  # a RaggedColumn but for what is true or false
        if isinstance(whole, RaggedColumn):
            return whole[self._selection]
        chosen = self._selection.true
        return RaggedCondition(  # type: ignore[return-value]
            whole.true[chosen], whole.false[chosen], name, offsets=self._offsets()
        )

    def __getitem__(self, condition: RaggedCondition) -> "Series":
        if not isinstance(condition, RaggedCondition):
            raise TypeError("points are selected by a condition on them, as in a.detections[a.detections.fid == 1]")
        same_lists(self._offsets(), condition.offsets)
        if self._selection is None:
            return Series(self._table, self._kind, condition).remembered(self._memo)
        whole = self._selection.true.copy()
        whole[self._selection.true] = condition.true
        chosen = RaggedCondition(whole, ~whole, "&", (self._selection, condition), offsets=self._selection.offsets)
        return Series(self._table, self._kind, chosen).remembered(self._memo)

    def _offsets(self) -> Offsets:
        if self._selection is None:
            return self._table.offsets(self._kind)
        return segments.keep(self._selection.offsets, self._selection.true)

    def _whole(self, name: str) -> RaggedColumn | RaggedCondition:
        """Return a field of all points, whatever is selected."""
        values, missing = self._cells(name)
        # One object for all fields: equal at a glance.
        offsets = self._memo.once((self._kind, "offsets", "shared"), self._table.offsets(self._kind).view)
        shown = f"{self._kind}.{name}"
        if values.dtype == np.bool_:
            known = ~missing
            truth = RaggedCondition(values & known, ~values & known, shown, offsets=offsets)
            return truth.remembered(self._memo)
        return RaggedColumn(values.view(), missing.view(), offsets, shown).remembered(self._memo)

    def _cells(self, name: str) -> Cells:
        survey = self._table.survey
        common = common_names(survey, self._kind)
        if name in common:
            return derive(common[name], self._own)
        try:
            found = self._own(name)
        except KeyError:
            raise no_field(self._kind, name, [*names(self._kind, survey), *common], survey) from None
        return positive(found) if name == "isdiffpos" else found

    def _own(self, name: str) -> Cells:
        found = self._table.ragged(self._kind, name)
        return Cells(found.values, found.missing)
