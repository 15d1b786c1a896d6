"""`ampeld channel new`: a channel to begin with, and a test that passes."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, print_json
from ampeld.cli.written import short, show_written
from ampeld.testing.scaffold import write_channel


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A letter, then letters, digits and underscores.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    survey: Annotated[
        Literal["ztf", "lsst"] | None,
        typer.Option(help="Whose alerts it is to judge.", show_default="source.survey"),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write.", show_default="channels.directory")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a channel that works: its file, a filter with some cuts, and a test; to be made yours.

    Try:

      ampeld channel new bright

      ampeld channel new rubin_nuclear --survey lsst

    Exit codes: 0 written, 78 such a channel is there already, or the name cannot be one; nothing is written then.
    """
    settings = settings_for(config, sets)
    whose = survey or settings.source.survey
    paths = [short(path) for path in write_channel(name, directory or settings.channels.directory, whose)]
    if as_json:
        print_json({"channel": name, "files": paths})
        return
    show_written(
        console(),
        zip(paths, ("who it is: contact, parameters, gate", "what it does: its cuts", "its test"), strict=True),
        [
            (f"ampeld channel check {name}", "look for mistakes"),
            (f"ampeld channel test {name} {'sim:0:500' if whose == 'ztf' else 'FILE...'}", "try it on alerts"),
            (f"pytest {paths[2]}", "run its test"),
        ],
        width=40,
    )
