"""An object's story as one page of HTML that holds everything in itself."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from string import Template
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from ampeld.story.curve import CurvePoint, bands_of
from ampeld.story.figure import STYLE, band_legend, draw_curve, svg_of
from ampeld.story.sentences import date, sentences
from ampeld.story.telling import ObjectTold, ToldFeature

_PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
  body { margin: 2rem auto; max-width: 64rem; padding: 0 1.5rem; color: #1f2933; background: #fff;
         font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
  h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
  h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; } .about { color: #52606d; margin: .2rem 0 1.2rem; }
  svg { width: 100%; height: auto; max-width: 52rem; } table { border-collapse: collapse; }
  td, th { padding: .15rem 1.2rem .15rem 0; text-align: left; vertical-align: top; }
  th { color: #7b8794; font-weight: 500; font-size: .85rem; } td.number { text-align: right; }
  .missing { color: #7b8794; font-style: italic; } li { margin: .25rem 0; } pre { overflow-x: auto; font-size: .8rem; }
  .wide { overflow-x: auto; }
</style>
<h1>$title</h1>
<p class="about">$about</p>
$figure
<h2>Channels</h2>
$channels
<h2>Features of the newest states</h2>
$features
<h2>States</h2>
$states
<h2>What channels said of its newest alerts</h2>
$verdicts
<h2>Story</h2>
<ol>$story</ol>
</html>
""")


def page(told: ObjectTold, points: Sequence[CurvePoint], meanings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page.

    Parameters
    ----------
    told
        The object.
    points
        Its light curve; empty: there is nothing to draw.
    meanings
        By unit and key: what a value means, for those that say it.
    """
    first = min((point.jd for point in told.points), default=None)
    span = "" if first is None else f", from {date(first)} to {date(max(point.jd for point in told.points))}"
    return _PAGE.substitute(
        title=escape(told.object),
        about=escape(f"{told.survey.upper()} object {told.stock}: {len(told.points)} points{span}."),
        figure=_figure(told, points),
        channels=_table(
            ("channel", "versions", "newest alert", "of", "state"),
            [(c.channel, ", ".join(c.versions), c.alert, date(c.jd), c.link) for c in told.channels],
        ),
        features="".join(_feature(one, meanings.get(one.unit, {})) for one in told.features if one.newest)
        or "<p>None is measured.</p>",
        states=_table(
            ("state", "of", "points", "alerts", "channels", "newest of"),
            [
                (s.link, date(s.jd), s.points, _list(s.alerts), _list(s.channel), _list(s.newest_of))
                for s in reversed(told.states)
            ],
        ),
        verdicts=_table(
            ("alert", "at", "outcome", "channel", "verdict"),
            [(a.candid, a.coordinates, a.outcome, v.channel, v.verdict) for a in told.verdicts for v in a.verdicts],
        ),
        story="".join(f"<li>{escape(line)}</li>" for line in sentences(told)),
    )


def _figure(told: ObjectTold, points: Sequence[CurvePoint]) -> str:
    if not points:
        return '<p class="about">There is no detection, and no upper limit, to draw.</p>'
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.add_subplot()
        newest = max((channel.jd for channel in told.channels), default=points[-1].jd)
        draw_curve(axes, points, told.object, jd=newest)
        axes.set_ylabel("magnitude in the difference image [AB]")
        band_legend(axes, bands_of(points), negative=any(point.negative for point in points), loc="best")
        return svg_of(figure)


def _feature(feature: ToldFeature, meanings: Mapping[str, str]) -> str:
    head = f"<h3>{escape(feature.unit)}</h3>"
    asked = f"configuration {feature.config}, for {', '.join(feature.channel)}: {feature.meaning}"
    about = f'<p class="about">{escape(asked)}</p>'
    if feature.body is None:
        return head + about + (f"<pre>{escape(feature.error)}</pre>" if feature.error else "")
    reasons = feature.body.get("undefined") or {}
    rows = [(key, value, meanings.get(key, "")) for key, value in feature.body.items() if key != "undefined"]
    return head + about + _table(("value", "", "meaning"), [(k, _cell(v, reasons.get(k)), m) for k, v, m in rows])


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


class _Missing(str):
    __slots__ = ()


def _cell(value: Any, reason: str | None) -> Any:
    return _Missing(reason or "missing") if value is None else value


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    cells = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in rows)
    if not cells:
        return "<p>None.</p>"
    heads = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f'<div class="wide"><table><tr>{heads}</tr>{cells}</table></div>'


def _td(value: Any) -> str:
    if isinstance(value, _Missing):
        return f'<td class="missing">{escape(value)}</td>'
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return f"<td>{escape(text)}</td>"
