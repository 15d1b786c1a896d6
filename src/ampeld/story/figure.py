"""Light curves as figures: colours that everybody can tell apart, bright is up, dates below."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ampeld.story.curve import CurvePoint

BANDS: Final = {
    "u": ("#56B4E9", "X"),
    "g": ("#009E73", "o"),
    "r": ("#D55E00", "s"),
    "i": ("#CC79A7", "D"),
    "z": ("#0072B2", "P"),
    "y": ("#000000", "*"),
}
"""Colours of Okabe and Ito's palette, and markers for those who print in black and white."""

INK: Final = "#1f2933"
FAINT: Final = "#7b8794"
_UNKNOWN: Final = ("#7b8794", "o")
_JD_OF_1970: Final = 2440587.5
_EDGE_MAG: Final = 0.25
_SVG_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}

STYLE: Final[dict[Any, Any]] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "ampeld",
}


def draw_curve(axes: Axes, points: Sequence[CurvePoint], title: str, *, jd: float) -> None:
    """Draw a light curve: discs and squares are detections, open triangles upper limits, a line the alert.

    Detections that are fainter than the reference image are hollow.

    Parameters
    ----------
    axes
        Where.
    points
        By ascending jd.
    title
        Above it.
    jd
        Of the alert.
    """
    seen = [point for point in points if not point.limit]
    axes.axvline(_day(jd), color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    for band in _ordered({point.band for point in points}):
        colour, marker = BANDS.get(band, _UNKNOWN)
        limits = [point for point in points if point.limit and point.band == band]
        axes.scatter(
            [_day(point.jd) for point in limits],
            [point.mag for point in limits],
            marker="v",
            s=20,
            facecolors="none",
            edgecolors=colour,
            linewidths=0.9,
            alpha=0.75,
        )
        for negative in (False, True):
            own = [point for point in seen if point.band == band and point.negative is negative]
            axes.errorbar(
                [_day(point.jd) for point in own],
                [point.mag for point in own],
                yerr=[point.err for point in own],
                fmt=marker,
                markersize=5,
                color=colour,
                markerfacecolor="white" if negative else colour,
                markeredgecolor=colour if negative else "white",
                markeredgewidth=0.9 if negative else 0.5,
                elinewidth=0.9,
            )
    if points:
        axes.set_ylim(
            max(point.mag + point.err for point in points) + _EDGE_MAG,
            min(point.mag - point.err for point in points) - _EDGE_MAG,
        )
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=INK)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=4))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b %Y"))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(alpha=0.18)
    axes.tick_params(labelsize=8)


def band_legend(target: Any, bands: Iterable[str], *, negative: bool = False, **options: Any) -> None:
    """Draw the key of bands and marks that all light curves share; of hollow ones, where there are some."""
    from matplotlib.lines import Line2D  # noqa: PLC0415  it stands with what it makes

    marks = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=BANDS.get(band, _UNKNOWN)[1],
            color=BANDS.get(band, _UNKNOWN)[0],
            label=band,
        )
        for band in _ordered(bands)
    ]
    hollow: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "none", "color": FAINT}
    if negative:
        marks.append(Line2D([], [], marker="o", label="negative", **hollow))
    marks.append(Line2D([], [], marker="v", label="upper limit", **hollow))
    marks.append(Line2D([], [], linestyle=":", color=FAINT, label="the alert"))
    target.legend(handles=marks, frameon=False, fontsize=8, ncols=len(marks), **options)


def _ordered(bands: Iterable[str]) -> list[str]:
    known = list(BANDS)
    return sorted(bands, key=lambda band: (known.index(band) if band in known else len(known), band))


def _day(jd: float) -> float:
    """Return days since 1970-01-01, which matplotlib takes for a date."""
    return jd - _JD_OF_1970


def svg_of(figure: Figure) -> str:
    """Return a figure as an SVG element, the same for the same figure."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata=_SVG_METADATA)
    text = out.getvalue()
    return text[text.index("<svg") :]


def picture(points: Sequence[CurvePoint], title: str, path: Path, *, jd: float | None = None) -> None:
    """Write a light curve as a file; the ending of the path decides, so that ``.pdf`` and ``.svg`` work too.

    Parameters
    ----------
    points
        At least one, by ascending jd.
    title
        Above it.
    path
        Where to.
    jd
        Of the alert; by default of the newest point.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        draw_curve(axes, points, title, jd=points[-1].jd if jd is None else jd)
        axes.set_ylabel("magnitude in the difference image [AB]")
        band_legend(
            axes, {point.band for point in points}, negative=any(point.negative for point in points), loc="best"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
