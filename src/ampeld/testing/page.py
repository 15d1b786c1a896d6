"""One page of what a channel does: its funnel and the light curves of what it accepts, as HTML or PNG."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ampeld.story.figure import STYLE, band_legend, draw_curve, svg_of
from ampeld.testing.curves import Curves, LightCurve
from ampeld.testing.figures import draw_funnel, funnel_height
from ampeld.testing.result import Bench, ChannelResult

ENDINGS: Final = (".html", ".png")

_COLUMNS: Final = 3
_CELL: Final = (3.6, 2.5)

_PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1.5rem; color: #1f2933; background: #fff;
         font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
  h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
  .about { color: #52606d; margin: .2rem 0 1.2rem; }
  .numbers { display: flex; flex-wrap: wrap; gap: .8rem; margin: 0; }
  .numbers div { border: 1px solid #d9e2ec; border-radius: .5rem; padding: .5rem .9rem; }
  .numbers dt { color: #7b8794; font-size: .8rem; } .numbers dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
  .curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem 1.4rem; }
  .curves figure { margin: 0; } figcaption { color: #7b8794; font-size: .8rem; margin-top: -.3rem; }
  svg { width: 100%; height: auto; } .funnel svg { max-width: 56rem; } .key svg { max-width: 30rem; }
  table { border-collapse: collapse; } td, th { padding: .15rem .9rem .15rem 0; text-align: left; }
  pre { background: #f5f7fa; padding: .8rem; overflow-x: auto; font-size: .8rem; }
</style>
<h1>$channel</h1>
<p class="about">$about</p>
<dl class="numbers">$numbers</dl>
<h2>Funnel</h2>
<p class="about">The alerts that are left behind each cut, and those that it rejected of the ones that came to it.</p>
<div class="funnel">$funnel</div>
$curves$difference$errors</html>
""")


def write_page(path: Path, bench: Bench, curves: Curves, *, source: str) -> None:
    """Write the page; the ending of the path decides what it is.

    Parameters
    ----------
    path
        ``….html``, with all figures inside, or ``….png``.
    bench
        What came of the run.
    curves
        The light curves of the accepted.
    source
        Where the alerts came from, in words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        if path.suffix == ".html":
            path.write_text(_html(bench, curves, source), encoding="utf-8")
        else:
            _png(path, bench, curves, source)


def _html(bench: Bench, curves: Curves, source: str) -> str:
    result = bench.result
    return _PAGE.substitute(
        title=escape(f"{result.channel}: {len(result.objects)} objects"),
        channel=escape(result.channel),
        about=escape(_about(result, source)),
        numbers="".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _numbers(bench)),
        funnel=_funnel_svg(result),
        curves=_curves_html(list(curves), len(curves.left_out)),
        difference=_difference_html(bench),
        errors=_errors_html(result),
    )


def _about(result: ChannelResult, source: str) -> str:
    version = f"version {result.version} on " if result.version else "on "
    return version + source


def _numbers(bench: Bench) -> list[tuple[str, str]]:
    result = bench.result
    numbers = [
        ("alerts seen", _spaced(result.seen)),
        ("alerts accepted", _spaced(len(result.accepted))),
        ("objects accepted", _spaced(len(result.objects))),
        ("share accepted", f"{result.pass_fraction:.2%}"),
        ("time per alert", f"{result.us_per_alert:.3g} µs"),
    ]
    if result.errored:
        numbers.append(("errored", _spaced(result.errored)))
    if bench.difference is not None:
        numbers.append((f"against {escape(bench.difference.other)}", str(bench.difference)))
    return numbers


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _funnel_svg(result: ChannelResult) -> str:
    figure = Figure(figsize=(8.4, funnel_height(result)), layout="constrained")
    draw_funnel(figure.add_subplot(), result)
    return svg_of(figure)


def _curves_html(curves: Sequence[LightCurve], left_out: int) -> str:
    if not curves:
        return '<h2>Light curves</h2><p class="about">Nothing was accepted.</p>'
    more = f" {left_out} more objects were accepted." if left_out else ""
    key = Figure(figsize=(4.6, 0.3))
    band_legend(key, {point.band for curve in curves for point in curve.points}, loc="center left", borderaxespad=0)
    return (
        "<h2>Light curves of the accepted</h2>"
        f'<p class="about">Magnitudes in the difference image [AB], over the date in UTC.{more}</p>'
        f'<div class="key">{svg_of(key)}</div><div class="curves">{"".join(map(_curve_html, curves))}</div>'
    )


def _curve_html(curve: LightCurve) -> str:
    figure = Figure(figsize=_CELL, layout="constrained")
    draw_curve(figure.add_subplot(), curve.points, curve.title, jd=curve.jd)
    return f"<figure>{svg_of(figure)}<figcaption>alert {curve.candid}</figcaption></figure>"


def _difference_html(bench: Bench) -> str:
    difference = bench.difference
    if difference is None:
        return ""
    rows = [
        f"<tr><td>{sign}</td><td>{escape(one.object)}</td><td>{one.candid}</td><td>{escape(one.cut)}</td></tr>"
        for sign, changed in (("+", difference.added), ("−", difference.removed))  # noqa: RUF001  a minus
        for one in changed
    ]
    head = "<tr><th></th><th>object</th><th>alert</th><th>rejected by the other one's</th></tr>"
    title = escape(f"Against {difference.other}: {difference}")
    return f"<h2>{title}</h2><table>{head}{''.join(rows)}</table>"


def _errors_html(result: ChannelResult) -> str:
    if not result.errors:
        return ""
    first = result.errors[0]
    return f"<h2>{result.errored} alerts errored</h2><pre>{escape(first.traceback)}</pre>"


def _png(path: Path, bench: Bench, curves: Curves, source: str) -> None:
    result, shown = bench.result, list(curves)
    rows = -(-len(shown) // _COLUMNS)
    top = funnel_height(result)
    figure = Figure(
        figsize=(_COLUMNS * _CELL[0], top + 1.1 + rows * _CELL[1]),
        dpi=130,
        layout=ConstrainedLayoutEngine(hspace=0.06, wspace=0.04, h_pad=0.06, w_pad=0.06),
    )
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(rows + 1, _COLUMNS, height_ratios=[top, *[_CELL[1]] * rows])
    funnel = figure.add_subplot(grid[0, :])
    draw_funnel(funnel, result)
    numbers = "    ".join(f"{name}: {value}" for name, value in _numbers(bench))
    figure.suptitle(f"{result.channel}   {_about(result, source)}\n{numbers}", x=0.01, ha="left", fontsize=10)
    for number, curve in enumerate(shown):
        place = figure.add_subplot(grid[1 + number // _COLUMNS, number % _COLUMNS])
        draw_curve(place, curve.points, curve.title, jd=curve.jd)
    if shown:
        figure.supylabel(
            "magnitude in the difference image [AB]", fontsize=9, y=0.5 * rows * _CELL[1] / (top + rows * _CELL[1])
        )
        band_legend(figure, {point.band for curve in shown for point in curve.points}, loc="outside lower center")
    figure.savefig(path)
