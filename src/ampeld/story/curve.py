"""A light curve for people: its points in the words of both surveys, drawn in the terminal."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from rich.text import Text

from ampeld.feature.light_curve import MAG_OF_FLUX_ERR, ZERO_POINT_NJY, LightCurve
from ampeld.store.encode import jd_of

COLOURS: Final = {"u": "cyan", "g": "green", "r": "red", "i": "yellow", "z": "blue", "y": "magenta"}
"""By band: its colour on a terminal."""

_AXIS: Final = 6
_EDGE_MAG: Final = 0.3
_EDGE_SHARE: Final = 0.03


class CurvePoint(msgspec.Struct, frozen=True):
    """A detection with its error, or an upper limit [mag AB]; a limit has no error."""

    jd: float
    mag: float
    err: float
    band: str
    limit: bool
    negative: bool = False
    """A detection that is fainter than the reference image: its magnitude is of the loss of light."""


def light_curve_of(survey: str, points: Iterable[Mapping[str, Any]]) -> LightCurve:
    """Return the light curve of documents of ``t0``."""
    return LightCurve(survey, [(point["_id"], jd_of(point["body"]), point["body"]) for point in points])


def curve_of(curve: LightCurve) -> list[CurvePoint]:
    """Return what is drawn of a light curve, by time: detections and upper limits, but no forced photometry."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(curve.flux)
        mags, errs = ZERO_POINT_NJY - 2.5 * np.log10(size), MAG_OF_FLUX_ERR * curve.flux_err / size
    points = []
    for i, (jd, band) in enumerate(zip(curve.jd.tolist(), curve.band.tolist(), strict=True)):
        mag, err, limit = float(mags[i]), float(errs[i]), float(curve.limit[i])
        if curve.is_detection[i] and math.isfinite(mag):
            error = err if math.isfinite(err) else 0.0
            points.append(CurvePoint(jd, mag, error, band, limit=False, negative=not curve.positive[i]))
        elif curve.is_limit[i] and math.isfinite(limit):
            points.append(CurvePoint(jd, limit, 0.0, band, limit=True))
    return points


def draw(points: Sequence[CurvePoint], title: str, *, width: int = 76, height: int = 18) -> Text:
    """Return a light curve drawn in characters: bright is up, a disc is a detection, a v an upper limit.

    A ring is a detection that is fainter than the reference image.

    Parameters
    ----------
    points
        At least one.
    title
        Printed above.
    width, height
        Of the plot in characters, the axes not counted.
    """
    if not points:
        raise ValueError("a light curve needs at least one point")
    top, bottom = _span([point.mag for point in points], _EDGE_MAG)
    begin, end = _span([point.jd for point in points], _EDGE_SHARE * (points[-1].jd - points[0].jd) + 0.01)
    cells: dict[tuple[int, int], tuple[str, str]] = {}

    def row_of(mag: float) -> int:
        return min(height - 1, max(0, round((mag - top) / (bottom - top) * (height - 1))))

    for point in sorted(points, key=lambda point: not point.limit):  # detections over limits
        column = round((point.jd - begin) / (end - begin) * (width - 1))
        colour = COLOURS.get(point.band, "white")
        for row in range(row_of(point.mag - point.err), row_of(point.mag + point.err) + 1):
            cells.setdefault((row, column), ("│", colour))
        mark = "v" if point.limit else "○" if point.negative else "●"
        cells[row_of(point.mag), column] = (mark, f"dim {colour}" if point.limit else f"bold {colour}")
    text = Text(f"{title}\n", style="bold")
    text.append_text(_rows(cells, width, height, top, bottom))
    return text.append_text(_time_axis(points, begin, end, width))


def bands_of(points: Iterable[CurvePoint]) -> list[str]:
    """Return the bands of a light curve, blue ones first."""
    known = list(COLOURS)
    found = {point.band for point in points}
    return sorted(found, key=lambda band: (known.index(band) if band in known else len(known), band))


def _span(values: Sequence[float], edge: float) -> tuple[float, float]:
    return min(values) - edge, max(values) + edge


def _rows(cells: Mapping[tuple[int, int], tuple[str, str]], width: int, height: int, top: float, bottom: float) -> Text:
    text = Text()
    for row in range(height):
        label = f"{top + (bottom - top) * row / (height - 1):{_AXIS - 1}.1f}" if row % 3 == 0 else " " * (_AXIS - 1)
        text.append(f"{label} ┤" if row % 3 == 0 else f"{label} │", style="dim")
        for column in range(width):
            text.append(*cells.get((row, column), (" ", "")))
        text.append("\n")
    return text


def _time_axis(points: Sequence[CurvePoint], begin: float, end: float, width: int) -> Text:
    newest = points[-1].jd
    text = Text(" " * _AXIS + "└" + "─" * width + "\n", style="dim")
    left, right = f"{begin - newest:.1f} d", f"{end - newest:+.1f} d"
    middle = f"days since JD {newest:.4f}"
    gap = max(2, width - len(left) - len(right) - len(middle))
    text.append(f"{' ' * (_AXIS + 1)}{left}{' ' * (gap // 2)}{middle}{' ' * (gap - gap // 2)}{right}\n", style="dim")
    text.append(" " * (_AXIS + 1))
    for band in bands_of(points):
        text.append(f"● {band or '?'}   ", style=COLOURS.get(band, "white"))
    if any(point.negative for point in points):
        text.append("○ negative   ", style="dim")
    return text.append("v upper limit\n", style="dim")
