"""A batch of alerts as authors see it in ``cuts``: each field of an alert is an attribute."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ampeld.alert.survey import ROOT, Survey
from ampeld.alert.table import AlertTable, names
from ampeld.channel.alert import Alert, Cutouts
from ampeld.channel.column import Column
from ampeld.channel.common import FORCED, common_names
from ampeld.channel.condition import Condition
from ampeld.channel.fields import Record, make_common, make_field
from ampeld.channel.galactic import galactic
from ampeld.channel.matches import Catalogs, Matches, Searches
from ampeld.channel.memo import Memo
from ampeld.channel.series import Series
from ampeld.channel.unknown import no_field

DERIVED = ("object", "candid", "detections", "limits", "forced", "gal_lat", "gal_lon")
"""What there is in every survey beside the names of `ampeld.channel.common`."""


class Columns:
    """The alerts of a batch: ``a.rb``, ``a.isdiffpos``, ``a.detections.jd.span()``; read-only.

    In every survey there are ``jd``, ``ra``, ``dec``, ``mag``, ``mag_err``, ``flux``, ``flux_err``, ``band`` and
    ``snr`` (`ampeld.channel.common`); beside them stand the survey's own fields. A field of the alert's own point
    (ZTF's candidate, LSST's diaSource) is a `Column`, or a `Condition` where it is true or false (``isdiffpos``: where
    the difference is positive); one of another record is reached through it: ``a.diaObject.nDiaSources``.
    ``object`` and ``candid`` name the alert; ``gal_lon`` and ``gal_lat`` are its Galactic coordinates [deg];
    ``detections`` (the alert's own point among them), ``limits`` and ``forced`` are its points, each by ascending jd.
    ``near("gaia", 20)`` are the sources of a catalogue within 20 arcsec.
    """

    __slots__ = ("__dict__", "_cutouts", "_memo", "_searches", "_table", "catalogs")

    _cutouts: Cutouts | None
    _memo: Memo
    _searches: Searches
    _table: AlertTable
    catalogs: Catalogs

    if TYPE_CHECKING:  # made on demand by __getattr__
        isdiffpos: Condition
        detections: Series
        limits: Series
        forced: Series
        fp_hists: Series
        diaObject: Record  # noqa: N815  the survey's word

    def __init__(
        self, table: AlertTable, catalogs: Catalogs = MappingProxyType({}), cutouts: Cutouts | None = None
    ) -> None:
        object.__setattr__(self, "_memo", Memo())
        object.__setattr__(self, "_cutouts", cutouts)
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "catalogs", catalogs)
        object.__setattr__(self, "_searches", Searches(catalogs, self._memo))

    def __del__(self) -> None:
        self._memo.clear()

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"<Columns of {len(self)} alerts>"

    def near(self, catalog: str, radius_arcsec: float) -> Matches:
        """Return the sources of a catalogue within the radius of each alert, nearest first.

        Parameters
        ----------
        catalog
            Its name, as ``ampeld catalog list`` shows it.
        radius_arcsec
            The radius [arcsec], above 0 and up to 10 degrees.

        Raises
        ------
        ChannelCodeError
            If there is no such catalogue: that is never taken for "nothing is near".
        """
        return self._searches.near(catalog, radius_arcsec, self.ra, self.dec)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"the columns of a batch are read-only: {name!r} cannot be set; use a local variable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"the columns of a batch are read-only: {name!r} cannot be deleted")

    def __dir__(self) -> list[str]:
        return sorted({*known_names(self._table.survey), "near"})

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__"):  # protocols that look for a method
            raise AttributeError(name)
        made: Any = _make(self._table, name, self._memo)
        if isinstance(made, Column | Series):
            made.remembered(self._memo)
        self.__dict__[name] = made
        return made  # type: ignore[no-any-return]  # a Column but for the names declared above


def table_of(columns: Columns) -> AlertTable:
    """Return the alerts behind: for those who judge; authors have no business with them."""
    return columns._table  # noqa: SLF001  this module's own class


def memo_of(columns: Columns) -> Memo:
    """Return what is shared between the filters that are given these columns."""
    return columns._memo  # noqa: SLF001  this module's own class


def alone(columns: Columns, row: int) -> Columns:
    """Return the columns of one of the alerts."""
    return Columns(table_of(columns).select([row]), columns.catalogs, columns._cutouts)  # noqa: SLF001


def alert_of(columns: Columns, row: int) -> Alert:
    """Return one of the alerts as ``accept`` sees it."""
    return Alert(columns._table, row, columns._cutouts)  # noqa: SLF001  this module's own class


def known_names(survey: Survey) -> list[str]:
    """Return every name that the columns of a survey's alerts have, their methods aside."""
    own = survey.own
    parts = (*survey.records, *survey.kinds)
    fields = (*names(own, survey), *names(ROOT, survey), *common_names(survey, own))
    return sorted({*fields, *(part for part in parts if part != ROOT), *DERIVED})


def _make(table: AlertTable, name: str, memo: Memo) -> Any:
    survey = table.survey
    if name in _MAKERS:
        return _MAKERS[name](table)
    if name in survey.kinds or name == "forced":
        return Series(table, FORCED[survey.name] if name == "forced" else name)
    if name != ROOT and name in survey.records:
        return Record(table, name, memo)
    try:
        return make_common(table, name)
    except KeyError:
        pass
    for record in (survey.own, ROOT):
        try:
            return make_field(table, record, name)
        except KeyError:
            continue
    raise no_field("alerts", name, known_names(survey), survey)


def _object(table: AlertTable) -> Column:
    return Column(np.array(table.object, dtype=object), np.zeros(len(table), dtype=np.bool_), "object")


def _candid(table: AlertTable) -> Column:
    return Column(table.candid.view(), np.zeros(len(table), dtype=np.bool_), "candid")


def _galactic(table: AlertTable, axis: int, name: str) -> Column:
    ra, dec = table.scalar("ra"), table.scalar("dec")
    return Column(galactic(ra.values, dec.values)[axis], ra.missing | dec.missing, name)


_MAKERS: dict[str, Callable[[AlertTable], Any]] = {
    "object": _object,
    "candid": _candid,
    "gal_lon": partial(_galactic, axis=0, name="gal_lon"),
    "gal_lat": partial(_galactic, axis=1, name="gal_lat"),
}
