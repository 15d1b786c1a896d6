"""The light curves that accepted alerts bring, in the names that both surveys share."""

import math
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from ampeld.channel.columns import Columns
from ampeld.channel.spell import value_at
from ampeld.flow.verdict import accepts
from ampeld.story.curve import CurvePoint
from ampeld.testing.judging import Judged, Read
from ampeld.testing.result import group_of

MOST: Final = 24
"""Objects whose light curves are kept: as many as a page shows."""


class LightCurve(msgspec.Struct, frozen=True):
    """What an object's newest accepted alert shows, by ascending jd."""

    object: str
    candid: int
    jd: float
    """Of the alert."""
    group: int | None
    points: list[CurvePoint]

    @property
    def title(self) -> str:
        """Return what stands above it."""
        return self.object if self.group is None else f"{self.object}  ·  group {self.group}"


class Curves:
    """The light curves of the first accepted objects.

    Parameters
    ----------
    most
        Of how many objects.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._curves: dict[str, LightCurve] = {}
        self.left_out: set[str] = set()
        """Accepted objects above that number."""

    def __len__(self) -> int:
        return len(self._curves)

    def __iter__(self) -> Iterator[LightCurve]:
        return iter(self._curves.values())

    def note(self, read: Read, judged: Judged) -> None:
        """Keep what the accepted alerts of a batch show."""
        table = read.table
        rows: dict[str, int] = {}
        for row in np.flatnonzero(accepts(judged.codes)).tolist():
            name, jd = table.object[row], float(table.jd[row])
            if name not in self._curves and name not in rows and len(self._curves.keys() | rows.keys()) >= self._most:
                self.left_out.add(name)
                continue
            newest = float(table.jd[rows[name]]) if name in rows else -math.inf
            newest = max(newest, self._curves[name].jd if name in self._curves else -math.inf)
            if jd > newest:
                rows[name] = row
        if not rows:
            return
        chosen = Columns(table.select(list(rows.values())), read.catalogs)
        for i, (name, row) in enumerate(rows.items()):
            points = sorted([*_detections(chosen, i), *_limits(chosen, i)], key=lambda point: point.jd)
            group = group_of(int(judged.codes[row]))
            self._curves[name] = LightCurve(name, int(table.candid[row]), float(table.jd[row]), group, points)


def _detections(columns: Columns, row: int) -> list[CurvePoint]:
    """Return the detections brighter than the reference: the others are magnitudes of a loss of light."""
    fields = (columns.detections.jd, columns.detections.mag, columns.detections.mag_err, columns.detections.flux)
    jd, mag, err, flux = (value_at(field, row) for field in fields)
    bands = value_at(columns.detections.band, row)
    return [
        CurvePoint(jd[i], mag[i], err[i] or 0.0, str(bands[i]), limit=False)
        for i in range(len(jd))
        if mag[i] is not None and (flux[i] or 0.0) > 0
    ]


def _limits(columns: Columns, row: int) -> list[CurvePoint]:
    jd, mag, bands = (value_at(field, row) for field in (columns.limits.jd, columns.limits.mag, columns.limits.band))
    return [CurvePoint(jd[i], mag[i], 0.0, str(bands[i]), limit=True) for i in range(len(jd)) if mag[i] is not None]
