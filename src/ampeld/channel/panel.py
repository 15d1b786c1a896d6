"""A batch before all channels: what each may see is cut out once per right, and shared, so that columns are too."""

from collections.abc import Sequence
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.history import PRIVATE_PROGRAM
from ampeld.alert.survey import ROOT
from ampeld.alert.table import AlertTable
from ampeld.channel.alert import Cutouts
from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.family import NO_FAMILIES, Families, Family
from ampeld.channel.judge import Judgement, judge
from ampeld.channel.matches import Catalogs
from ampeld.flow.verdict import CUT, OBJECT_CUT, SKIPPED

PRIVATE = "ZTF_PRIV"
"""The right to see the partnership's own data."""


class Panel:
    """The alerts of a batch, to be judged by one channel after the other.

    Parameters
    ----------
    table
        The alerts.
    catalogs
        By name, for ``a.near``.
    rows : optional
        Which of them are to be judged, all by default; the others are skipped.
    cutouts : optional
        Where images are, if the table has none.
    families : optional
        Of the channels that will be asked: those of one family are judged together when the first is.
    """

    def __init__(
        self,
        table: AlertTable,
        catalogs: Catalogs = MappingProxyType({}),
        *,
        rows: Sequence[int] | None = None,
        cutouts: Cutouts | None = None,
        families: Families = NO_FAMILIES,
    ) -> None:
        self._table = table
        self._cutouts = cutouts
        self._catalogs = catalogs
        self._asked = np.zeros(len(table), dtype=np.bool_)
        self._asked[slice(None) if rows is None else list(rows)] = True
        self._views: dict[int, tuple[Columns, NDArray[np.int64]]] = {}
        self._seen: dict[bool, tuple[Columns, NDArray[np.int64]]] = {}
        self._families = families
        self._together: dict[tuple[Family, int], list[Judgement] | None] = {}

    def judge(self, channel: Channel) -> Judgement:
        """Return the verdicts of a channel; `SKIPPED` for what it may not see."""
        columns, rows = self._view(private=may_see_private(channel))
        if len(rows) == len(self._table):
            return self._judge(channel, columns)
        codes = np.full(len(self._table), SKIPPED, dtype=np.uint16)
        nameless = self._asked & ~has_object(self._table)
        if nameless.any():
            codes[nameless] = CUT + channel.cut_names.number(OBJECT_CUT)
        if not rows.size:
            return Judgement(codes, channel.cut_names.names, [])
        judgement = self._judge(channel, columns)
        codes[rows] = judgement.codes
        failures = [msgspec.structs.replace(each, row=int(rows[each.row])) for each in judgement.failures]
        return Judgement(codes, judgement.cuts, failures)

    def _judge(self, channel: Channel, columns: Columns) -> Judgement:
        """Return the verdicts of a channel on what it may see, from those of its family where it has one."""
        kin = self._families.find(channel.cut_names)
        if kin is not None:
            family, place = kin
            if (family, len(columns)) not in self._together:
                self._together[family, len(columns)] = family.judge(columns)
            if (judged := self._together[family, len(columns)]) is not None:
                return judged[place]
        return judge(channel.filter, columns, channel.cut_names)

    def _view(self, *, private: bool) -> tuple[Columns, NDArray[np.int64]]:
        """Return what channels with or without the right see; where nothing is private, they see the same."""
        if private not in self._seen:
            self._seen[private] = self._select(private=private)
        return self._seen[private]

    def _select(self, *, private: bool) -> tuple[Columns, NDArray[np.int64]]:
        rows = np.flatnonzero(self._asked & visible(self._table, private=private) & has_object(self._table))
        if len(rows) not in self._views:  # one set of rows contains the other: as many are the same
            table = self._table if len(rows) == len(self._table) else self._table.select(rows)
            self._views[len(rows)] = Columns(table, self._catalogs, self._cutouts), rows
        return self._views[len(rows)]


def may_see_private(channel: Channel) -> bool:
    """Tell whether the channel may see the partnership's own data."""
    return PRIVATE in channel.access


def visible(table: AlertTable, *, private: bool) -> NDArray[np.bool_]:
    """Return which alerts a channel may see, shape (n,), by their own points."""
    if private:
        return np.ones(len(table), dtype=np.bool_)
    seen: NDArray[np.bool_] = table.programid != PRIVATE_PROGRAM
    return seen


def has_object(table: AlertTable) -> NDArray[np.bool_]:
    """Return which alerts belong to an object, shape (n,): all of a survey that names it in every packet."""
    record, name = table.survey.object
    if record == ROOT:
        return np.ones(len(table), dtype=np.bool_)
    return ~table.scalar(name, record).missing
