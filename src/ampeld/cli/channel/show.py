"""`ampeld channel show`: what a channel is, its parameters with values, units and comments."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from ampeld.channel.spell import show as words
from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.channels import load_channel
from ampeld.testing.describe import ChannelText, describe_channel
from ampeld.testing.kit import for_survey


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    source: Annotated[bool, typer.Option("--source", help="Print its files too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a channel: contact, version, parameters with value, unit and meaning, and its cuts as conditions.

    Try:

      ampeld channel show decent

      ampeld channel show rapid --source

    Exit codes: 0 shown, 78 there is no such channel, or it has mistakes.
    """
    settings = settings_for(config, sets)
    files = find_channel(settings, name)
    channel = load_channel(files)
    found = describe_channel(channel, files, for_survey(settings, channel.survey))
    if as_json:
        print_json(found)
        return
    out = console()
    _print(out, found)
    if source:
        for place, text in {files.path: files.text, **files.modules}.items():
            out.print(f"\n{place}", style="bold", soft_wrap=True)
            out.print(Text(text), soft_wrap=True)


def _print(out: Console, found: ChannelText) -> None:
    out.print(f"{found.channel}", style="bold")
    out.print(Text(f"{found.doc}\n"))
    limits = ", ".join(f"{name} = {value:g}" for name, value in found.gate.items())
    catalogs = ", ".join(f"{name} ({', '.join(columns)})" for name, columns in found.catalogs.items())
    facts = [
        ("version", found.version),
        ("survey", found.survey),
        ("contact", found.contact),
        ("access", ", ".join(found.access)),
        ("on known objects", found.on_known),
        ("filter", found.filter),
        ("channel file", found.path),
        ("source", found.source),
        ("catalogues", catalogs or None),
        ("gate", limits or None),
    ]
    out.print(make_table("", ("", ""), [fact for fact in facts if fact[1] is not None]))
    rows = [
        (one.name, words(one.value), one.unit, "channel file" if one.is_set else "default", one.doc)
        for one in found.parameters
    ]
    out.print()
    out.print(make_table("Parameters", ("name", "value", "unit", "from", "meaning"), rows))
    cuts = [*found.cuts.items(), *([("accept", "code for the survivors")] if found.accept else [])]
    out.print()
    out.print(make_table("Cuts, in their order", ("cut", "an alert passes where"), cuts))
    if found.features:
        features = [
            (one.unit, one.group, "behind" if one.slow else "in the flow", str(one.config), _words(one.params))
            for one in found.features
        ]
        out.print()
        out.print(make_table("Features", ("unit", "group", "measured", "configuration", "parameters"), features))


def _words(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in params.items())
