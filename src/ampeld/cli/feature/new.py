"""`ampeld feature new`: a unit that runs, to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, print_json
from ampeld.cli.written import short, show_written
from ampeld.testing.scaffold import class_of
from ampeld.testing.scaffold_feature import how_to_ask, write_unit


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of its module: letters, digits and _.")],
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write.", show_default="channels.directory")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a unit that works: a module beside the channel files, and its test; to be made yours.

    Try:

      ampeld feature new decay

    Exit codes: 0 written, 78 such a file is there already, or the name cannot be one; nothing is written then.
    """
    settings = settings_for(config, sets)
    paths = [short(path) for path in write_unit(name, directory or settings.channels.directory)]
    unit = f"{name}.py:{class_of(name)}"
    if as_json:
        print_json({"unit": unit, "files": paths, "feature": how_to_ask(name)})
        return
    out = console()
    show_written(
        out,
        zip(paths, ("what it measures, and what its values mean", "its test"), strict=True),
        [
            (f"ampeld feature run {paths[0]}:{class_of(name)} sim:1:200", "try it on alerts"),
            (f"pytest {paths[1]}", "run its test"),
        ],
        width=50,
    )
    out.print("\nHow a channel asks for it: in its .toml file", style="bold")
    out.print(how_to_ask(name), soft_wrap=True, markup=False)
