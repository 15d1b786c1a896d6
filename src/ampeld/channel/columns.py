"""A batch of alerts as authors see it in ``cuts``: each field of the candidate is an attribute."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ampeld.alert.table import AlertTable, names
from ampeld.channel.column import Column
from ampeld.channel.condition import Condition
from ampeld.channel.elementwise import Cells
from ampeld.channel.galactic import galactic
from ampeld.channel.names import did_you_mean
from ampeld.channel.series import Series, positive

DERIVED = ("object", "candid", "detections", "limits", "fp_hists", "gal_lat", "gal_lon")
"""What there is beside the fields of the candidate."""


class Columns:
    """The alerts of a batch: ``a.rb``, ``a.isdiffpos``, ``a.detections.jd.span()``; read-only.

    A field of the candidate is a `Column`, ``isdiffpos`` a `Condition` that is true where the difference is positive.
    ``object`` and ``candid`` name the alert; ``gal_lon`` and ``gal_lat`` are its Galactic coordinates [deg];
    ``detections`` (the candidate among them), ``limits`` and ``fp_hists`` are its points, each by ascending jd.
    """

    __slots__ = ("__dict__", "_table")

    _table: AlertTable

    if TYPE_CHECKING:  # made on demand by __getattr__
        isdiffpos: Condition
        detections: Series
        limits: Series
        fp_hists: Series

    def __init__(self, table: AlertTable) -> None:
        object.__setattr__(self, "_table", table)

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"<Columns of {len(self)} alerts>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"the columns of a batch are read-only: {name!r} cannot be set; use a local variable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"the columns of a batch are read-only: {name!r} cannot be deleted")

    def __dir__(self) -> list[str]:
        return sorted({*names("candidate"), *DERIVED})

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__"):  # protocols that look for a method
            raise AttributeError(name)
        make = _MAKERS.get(name)
        made = self.__dict__[name] = _field(self._table, name) if make is None else make(self._table)
        return made  # a Column but for the names declared above


def _field(table: AlertTable, name: str) -> Column:
    try:
        found = table.scalar(name)
    except KeyError:
        near = did_you_mean(name, [*names("candidate"), *DERIVED])
        raise AttributeError(f"alerts have no field {name!r}{near}") from None
    return Column(found.values.view(), found.missing.view(), name)


def _isdiffpos(table: AlertTable) -> Condition:
    text = table.scalar("isdiffpos")
    values, missing = positive(Cells(text.values, text.missing))
    return Condition.of(values, missing, "isdiffpos")


def _object(table: AlertTable) -> Column:
    return Column(np.array(table.object, dtype=object), np.zeros(len(table), dtype=np.bool_), "object")


def _candid(table: AlertTable) -> Column:
    return Column(table.candid.view(), np.zeros(len(table), dtype=np.bool_), "candid")


def _galactic(table: AlertTable, axis: int, name: str) -> Column:
    ra, dec = table.scalar("ra"), table.scalar("dec")
    return Column(galactic(ra.values, dec.values)[axis], ra.missing | dec.missing, name)


_MAKERS: dict[str, Callable[[AlertTable], Any]] = {
    "isdiffpos": _isdiffpos,
    "object": _object,
    "candid": _candid,
    "detections": partial(Series, kind="detections"),
    "limits": partial(Series, kind="limits"),
    "fp_hists": partial(Series, kind="fp_hists"),
    "gal_lon": partial(_galactic, axis=0, name="gal_lon"),
    "gal_lat": partial(_galactic, axis=1, name="gal_lat"),
}
