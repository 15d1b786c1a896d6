"""An object's light curve as a user sees it: its points from stored documents, drawn in the terminal or as a PNG."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

BANDS: dict[int, tuple[str, str, str]] = {
    1: ("g", "green", "#2a9d3a"),
    2: ("r", "red", "#d1495b"),
    3: ("i", "yellow", "#b8860b"),
}
"""By filter number: name, colour on a terminal, colour in a picture."""

_AXIS = 6
_EDGE_MAG = 0.3
_EDGE_SHARE = 0.03


class CurvePoint(msgspec.Struct, frozen=True):
    """One point of a light curve; a limit has no error."""

    jd: float
    mag: float
    err: float
    fid: int
    limit: bool


def curve_of(bodies: Iterable[Mapping[str, Any]]) -> list[CurvePoint]:
    """Return the points of a light curve, by time, from the ``body`` of ``t0`` documents.

    Detections fainter than the reference are left out: their magnitude is of a loss of light.
    """
    points = []
    for body in bodies:
        jd, fid = float(body["jd"]), int(body["fid"])
        if (mag := body.get("magpsf")) is None:
            if body.get("diffmaglim") is not None:
                points.append(CurvePoint(jd, float(body["diffmaglim"]), 0.0, fid, limit=True))
        elif body.get("isdiffpos") in ("t", "1"):
            points.append(CurvePoint(jd, float(mag), float(body.get("sigmapsf") or 0.0), fid, limit=False))
    return sorted(points, key=lambda point: point.jd)


def draw(points: Sequence[CurvePoint], title: str, *, width: int = 76, height: int = 18) -> Text:
    """Return a light curve drawn in characters: bright is up, a disc is a detection, a v an upper limit.

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
        colour = BANDS.get(point.fid, ("?", "white", ""))[1]
        for row in range(row_of(point.mag - point.err), row_of(point.mag + point.err) + 1):
            cells.setdefault((row, column), ("│", colour))
        cells[row_of(point.mag), column] = ("v", f"dim {colour}") if point.limit else ("●", f"bold {colour}")
    text = Text(f"{title}\n", style="bold")
    text.append_text(_rows(cells, width, height, top, bottom))
    return text.append_text(_time_axis(points, begin, end, width))


def picture(points: Sequence[CurvePoint], title: str, path: Path) -> None:
    """Write a light curve as a PNG; the ending of the path decides, so that ``.pdf`` and ``.svg`` work too."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  a second that others need not wait
    from matplotlib.figure import Figure  # noqa: PLC0415

    newest = max(point.jd for point in points)
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for fid in sorted({point.fid for point in points}):
        name, _, colour = BANDS.get(fid, (f"filter {fid}", "", "#666666"))
        seen = [point for point in points if point.fid == fid and not point.limit]
        limits = [point for point in points if point.fid == fid and point.limit]
        axes.scatter(
            [point.jd - newest for point in limits],
            [point.mag for point in limits],
            marker="v",
            s=22,
            facecolors="none",
            edgecolors=colour,
            alpha=0.6,
            label=f"{name}, upper limit" if limits else None,
        )
        axes.errorbar(
            [point.jd - newest for point in seen],
            [point.mag for point in seen],
            yerr=[point.err for point in seen],
            fmt="o",
            markersize=5,
            capsize=2,
            color=colour,
            label=name if seen else None,
        )
    axes.invert_yaxis()
    axes.set(title=title, xlabel=f"days since JD {newest:.4f}", ylabel="magnitude in the difference image [AB]")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


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
    for fid in sorted({point.fid for point in points}):
        name, colour, _ = BANDS.get(fid, (f"filter {fid}", "white", ""))
        text.append(f"● {name}   ", style=colour)
    return text.append("v upper limit\n", style="dim")
