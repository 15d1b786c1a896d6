"""The funnel as a figure."""

from typing import Final

from matplotlib.axes import Axes

from ampeld.story.figure import INK
from ampeld.testing.result import ChannelResult

_LEFT: Final = "#0072B2"
_REJECTED: Final = "#cfd8e3"
_ALONE: Final = "#D55E00"
_NOTE: Final = 0.08  # how wide a note is, of the axes
_KEY: Final = ("left", "rejected here", "left if it were the only cut")
_LOG_FROM: Final = 50  # a funnel that narrows more than this is drawn on a logarithmic axis


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
