"""`ampeld show`: an object's whole story."""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, run_async, warn
from ampeld.cli.told import find_object, meanings_of
from ampeld.errors import ConfigError
from ampeld.story.curve import CurvePoint, curve_of, draw, light_curve_of
from ampeld.story.sentences import date, sentences, when
from ampeld.story.telling import ObjectTold, ToldFeature

_SHOWN: Final = 12


def show(
    name: Annotated[str, typer.Argument(metavar="OBJECT", help="An object's name, as ZTF18abxhyqv.")],
    *,
    alerts: Annotated[int, typer.Option(min=0, help="Show what channels said of so many of its newest alerts.")] = 5,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the light curve as a picture.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the whole story as one page.")] = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an object: light curve, states, features, verdicts, and its story in sentences.

    The story tells which alert (topic, partition, offset) brought which point, which channel's version accepted it,
    and which unit made which value in which run. `ampeld why OBJECT UNIT.KEY` follows one value back.

    Exit codes: 0 shown, 1 there is no such object, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    found = run_async(find_object(settings, name, alerts=alerts))
    told = found.told
    points = curve_of(light_curve_of(told.survey, found.dossier.t0))
    if png is not None:
        _picture(png, told, points)
    if html is not None:
        _page(html, told, points, meanings_of(settings, (feature.unit for feature in told.features)))
    if as_json:
        print_json(document(told))
    else:
        _show(console(), told, points)


def document(told: ObjectTold) -> dict[str, Any]:
    """Return what ``--json`` prints: everything that is told, and the story."""
    return {**msgspec.structs.asdict(told), "story": sentences(told)}


def _picture(path: Path, told: ObjectTold, points: list[CurvePoint]) -> None:
    if not points:
        raise ConfigError([f"--png: {told.object} has nothing to draw"])
    try:
        from ampeld.story.figure import picture  # noqa: PLC0415  matplotlib takes a second that others need not wait
    except ModuleNotFoundError as error:
        raise _no_matplotlib(error, "--png") from error
    picture(points, told.object, path, jd=max((one.jd for one in told.channels), default=None))
    warn(f"wrote {path}")


def _page(path: Path, told: ObjectTold, points: list[CurvePoint], meanings: Any) -> None:
    try:
        from ampeld.story.page import page  # noqa: PLC0415  as above
    except ModuleNotFoundError as error:
        raise _no_matplotlib(error, "--html") from error
    words = {
        unit: {key: f"{one.description} [{one.unit}]" if one.unit else one.description for key, one in of_unit.items()}
        for unit, of_unit in meanings.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(told, points, words), encoding="utf-8")
    warn(f"wrote {path}")


def _no_matplotlib(error: ModuleNotFoundError, option: str) -> Exception:
    if error.name != "matplotlib":
        return error
    return ConfigError([f"{option} needs matplotlib: pip install 'ampeld[demo]'"])


def _show(out: Console, told: ObjectTold, points: list[CurvePoint]) -> None:
    if points:
        out.print(draw(points, f"{told.object}   {', '.join(told.tag)}"))
    else:
        out.print(told.object, style="bold")
    channels = [
        (one.channel, ", ".join(one.versions), str(one.alert), date(one.jd), str(one.link), when(one.updated))
        for one in told.channels
    ]
    heads = ("channel", "version", "newest alert", "of", "#state", "updated")
    out.print(make_table("Channels", heads, channels))
    states = [
        (str(one.link), date(one.jd), one.points, ", ".join(one.channel), ", ".join(one.newest_of))
        for one in told.states[-_SHOWN:]
    ]
    out.print(make_table("States over time", ("#state", "of", "#points", "channels", "newest of"), states))
    for feature in told.features:
        if feature.newest:
            _show_feature(out, feature)
    verdicts = [(a.candid, a.coordinates, v.channel, v.version, v.verdict) for a in told.verdicts for v in a.verdicts]
    if verdicts:
        columns = ("alert", "at", "channel", "version", "verdict")
        rows = [[str(cell) for cell in row] for row in verdicts]
        out.print(make_table("What channels said of its newest alerts", columns, rows))
    out.print("Story", style="bold")
    for line in sentences(told):
        out.print(f"  {line}", markup=False)


def _show_feature(out: Console, feature: ToldFeature) -> None:
    title = f"{feature.unit} ({feature.config}) of {feature.col} {feature.link}: {feature.meaning}"
    if feature.body is None:
        out.print(title, style="bold", markup=False)
        if feature.error:
            out.print(f"  {feature.error.strip().splitlines()[-1]}", markup=False)
        return
    reasons = feature.body.get("undefined") or {}
    rows = [
        (key, _value(value), reasons.get(key, "") if value is None else "")
        for key, value in feature.body.items()
        if key != "undefined"
    ]
    out.print(make_table(title, ("value", "", "why it is missing"), rows))


def _value(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
