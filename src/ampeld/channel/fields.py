"""The fields of one record of each alert, such as ``a.diaObject``: common to a batch's columns and to its records."""

from typing import NoReturn

import numpy as np

from ampeld.alert.survey import ROOT
from ampeld.alert.table import AlertTable, names
from ampeld.channel.column import Column
from ampeld.channel.common import common_names, derive, positive
from ampeld.channel.condition import Condition
from ampeld.channel.elementwise import Cells
from ampeld.channel.memo import Memo
from ampeld.channel.unknown import no_field


def make_field(table: AlertTable, record: str, name: str) -> Column | Condition:
    """Return one of the survey's own fields of a record, what is true or false as a condition.

    Raises
    ------
    KeyError
        If the survey knows no such field.
    """
    found = table.scalar(name, record)
    cells = Cells(found.values, found.missing)
    shown = name if record in (table.survey.own, ROOT) else f"{record}.{name}"  # as authors write it
    return _shown(positive(cells) if name == "isdiffpos" else cells, shown)


def make_common(table: AlertTable, name: str) -> Column | Condition:
    """Return a common name of the alerts' own points.

    Raises
    ------
    KeyError
        If there is none of this name.
    """
    common = common_names(table.survey, table.survey.own)[name]

    def own(field: str) -> Cells:
        found = table.scalar(field)
        return Cells(found.values, found.missing)

    return _shown(derive(common, own), name)


def _shown(cells: Cells, name: str) -> Column | Condition:
    if cells.values.dtype == np.bool_:
        return Condition.of(cells.values, cells.missing, name)
    return Column(cells.values.view(), cells.missing.view(), name)


class Record:
    """One record of each alert: ``a.diaObject.nDiaSources``; all fields are missing where an alert has none."""

    __slots__ = ("__dict__", "_memo", "_record", "_table")

    _table: AlertTable
    _record: str
    _memo: Memo

    def __init__(self, table: AlertTable, record: str, memo: Memo) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_record", record)
        object.__setattr__(self, "_memo", memo)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("the records of an alert are read-only")

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"<{self._record} of {len(self)} alerts>"

    def __dir__(self) -> list[str]:
        return sorted(names(self._record, self._table.survey))

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__"):  # protocols that look for a method
            raise AttributeError(name)
        survey = self._table.survey
        try:
            made = make_field(self._table, self._record, name)
        except KeyError:
            raise no_field(f"records {self._record}", name, names(self._record, survey), survey) from None
        self.__dict__[name] = made.remembered(self._memo) if isinstance(made, Column) else made
        return made  # type: ignore[return-value]  # a Column but for what is true or false
