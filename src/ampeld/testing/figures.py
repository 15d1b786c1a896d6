"""The funnel and the light curves as figures: colours that everybody can tell apart, bright is up, dates below."""

from collections.abc import Iterable
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.ticker import MaxNLocator

from ampeld.testing.curves import LightCurve
from ampeld.testing.result import ChannelResult

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
_LEFT: Final = "#0072B2"
_REJECTED: Final = "#cfd8e3"
_ALONE: Final = "#D55E00"
_NOTE: Final = 0.08  # how wide a note is, of the axes
_KEY: Final = ("left", "rejected here", "left if it were the only cut")
_UNKNOWN: Final = ("#7b8794", "o")
_JD_OF_1970: Final = 2440587.5
_LOG_FROM: Final = 50  # a funnel that narrows more than this is drawn on a logarithmic axis
_EDGE_MAG: Final = 0.25

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


def funnel_height(result: ChannelResult) -> float:
    """Return how high a funnel has to be [inch]."""
    return 0.9 + 0.27 * (len(result.cuts) + 1)


def draw_funnel(axes: Axes, result: ChannelResult) -> None:
    """Draw how many alerts each cut left and rejected, and how many it would reject alone."""
    judged = result.seen - result.errored
    names, left, rejected = ["seen"], [judged], [0]
    alone: list[int | None] = [None]
    rest = judged
    for name, count in result.cuts.items():
        rest -= count.rejected
        names.append(name)
        left.append(rest)
        rejected.append(count.rejected)
        alone.append(count.alone)
    places = range(len(names))
    smallest = min((number for number in left if number), default=1)
    floor = 0.0
    if judged / smallest > _LOG_FROM:
        axes.set_xscale("log")
        floor = 0.6
        axes.set_xlim(floor, judged * 1.9)
    else:
        axes.set_xlim(0, judged * 1.14 or 1)
    before = [number + gone for number, gone in zip(left, rejected, strict=True)]
    axes.barh(places, before, color=_REJECTED, height=0.66, label=_KEY[1])
    axes.barh(places, left, color=_LEFT, height=0.66, label=_KEY[0])
    marks_of = [(place, judged - number) for place, number in zip(places, alone, strict=True) if number is not None]
    axes.scatter(
        [max(number, floor) for _, number in marks_of],
        [place for place, _ in marks_of],
        marker="d",
        s=26,
        color=_ALONE,
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
        label=_KEY[2],
    )
    for place, (kept, gone) in enumerate(zip(left, rejected, strict=True)):
        note = f"{kept:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        change = f"  −{gone}" if gone else ""  # noqa: RUF001  a minus
        axes.annotate(
            note + change,
            (_clear_of(axes, max(before[place], floor), dict(marks_of).get(place)), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("alerts")
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: _KEY.index(labels[i]))
    axes.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(order),
        frameon=False,
        fontsize=8,
    )


def _clear_of(axes: Axes, number: float, mark: float | None) -> float:
    """Return where a note begins: behind its bar, or behind a mark that would lie in it."""
    if mark is None or mark <= number:
        return number
    across = axes.transScale + axes.transLimits
    apart = across.transform((mark, 0))[0] - across.transform((number, 0))[0]
    return mark if apart < _NOTE else number


def draw_curve(axes: Axes, curve: LightCurve) -> None:
    """Draw a light curve: discs and squares are detections, open triangles upper limits, a line the alert."""
    seen = [point for point in curve.points if not point.limit]
    axes.axvline(_day(curve.jd), color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    for band in _ordered({point.band for point in curve.points}):
        colour, marker = BANDS.get(band, _UNKNOWN)
        limits = [point for point in curve.points if point.limit and point.band == band]
        own = [point for point in seen if point.band == band]
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
        axes.errorbar(
            [_day(point.jd) for point in own],
            [point.mag for point in own],
            yerr=[point.err for point in own],
            fmt=marker,
            markersize=5,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            elinewidth=0.9,
            label=band,
        )
    if curve.points:
        axes.set_ylim(
            max(point.mag + point.err for point in curve.points) + _EDGE_MAG,
            min(point.mag - point.err for point in curve.points) - _EDGE_MAG,
        )
    group = f"  ·  group {curve.group}" if curve.group is not None else ""
    axes.set_title(f"{curve.object}{group}", loc="left", fontsize=9.5, fontweight="bold", color=INK)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=4))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b %Y"))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(alpha=0.18)
    axes.tick_params(labelsize=8)


def band_legend(target: Any, bands: Iterable[str], **options: Any) -> None:
    """Draw the key of bands and marks that all light curves share."""
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
    limit = Line2D([], [], linestyle="none", marker="v", markerfacecolor="none", color=FAINT, label="upper limit")
    alert = Line2D([], [], linestyle=":", color=FAINT, label="the alert")
    target.legend(handles=[*marks, limit, alert], frameon=False, fontsize=8, ncols=len(marks) + 2, **options)


def _ordered(bands: Iterable[str]) -> list[str]:
    known = list(BANDS)
    return sorted(bands, key=lambda band: (known.index(band) if band in known else len(known), band))


def _day(jd: float) -> float:
    """Return days since 1970-01-01, which matplotlib takes for a date."""
    return jd - _JD_OF_1970
