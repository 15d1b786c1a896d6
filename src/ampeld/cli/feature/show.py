"""`ampeld feature show`: all about one unit."""

import re
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.authors import ModuleLoader
from ampeld.daemon.features import UnitFinder
from ampeld.testing.describe_units import UnitText, describe_unit
from ampeld.testing.feature_run import finding, unit_files

_PARAMETERS: Final = re.compile(r"^Parameters\n-+\n.*?(?=^\w[\w ]*\n-+\n|\Z)", re.MULTILINE | re.DOTALL)


def show(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="A name of `ampeld feature list`, or FILE.py:Class.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a unit: what it measures, its parameters, what each of its values is, and what it builds upon.

    Try:

      ampeld feature show RiseDecline

      ampeld feature show decay.py:Decay --json

    Exit codes: 0 shown, 78 there is no such unit, or it cannot be loaded.
    """
    settings = settings_for(config, sets)
    files, name = unit_files(unit, settings.channels.directory)
    with finding(unit):
        kind = UnitFinder(ModuleLoader(), files)(name)
        found = describe_unit(unit, kind, files.shown(name.partition(":")[0]) if files.modules else kind.__module__)
    if as_json:
        print_json(found)
    else:
        _print(console(), found)


def _print(out: Console, found: UnitText) -> None:
    out.print(found.unit, style="bold")
    out.print(Text(f"{_PARAMETERS.sub('', found.doc)}\n"))  # the table says it all
    below = found.dependencies
    facts = [
        ("of a", found.kind),
        ("measured", "behind the flow, from a ticket" if found.slow else "in the flow"),
        ("version", found.version),
        ("least points", found.min_points),
        ("module", found.origin),
        ("builds upon", "what its parameters say" if below is None else ", ".join(d.unit for d in below) or "nothing"),
    ]
    out.print(make_table("", ("", ""), facts))
    rows = [
        (p.name, p.type, "required" if p.required else repr(p.default), p.unit, p.description) for p in found.parameters
    ]
    out.print()
    out.print(make_table("Parameters", ("name", "type", "default", "unit", "meaning"), rows))
    values = [(value.key, value.type, value.unit, value.description) for value in found.values]
    out.print()
    out.print(make_table("Values", ("key", "type", "unit", "meaning"), values))
