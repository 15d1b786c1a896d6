"""`ampeld channel check`: every mistake of channel files and modules, and whether their cuts run on an alert."""

from typing import Annotated, Any

import typer

from ampeld.cli.channel.find import find_channel
from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json
from ampeld.daemon.channels import load_each
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.files import read_each
from ampeld.testing.checking import Checked, try_channels


def check(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this channel.", show_default="all")] = None,
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for mistakes in channels: file, line, key, and what was probably meant.

    The files are read, the filters made with their parameters, their catalogues looked for, and their cuts evaluated
    on some simulated alerts (for LSST on an empty batch), so that a field's name that does not exist is found.

    Try:

      ampeld channel check

      ampeld channel check rapid --json

    Exit codes: 0 all is well, 78 there are mistakes.
    """
    settings = settings_for(config, sets)
    files, problems = ([find_channel(settings, name)], {}) if name else read_each(settings.channels.directory)
    channels, refused = load_each(files)
    checked = try_channels(channels, settings)
    problems = problems | refused | {one.channel: one.problems for one in checked if one.problems}
    every = [problem for channel in sorted(problems) for problem in problems[channel]]
    if as_json:
        print_json({"ok": not every, "problems": every, "channels": [_document(one) for one in checked]})
    else:
        _print(checked, every)
    raise typer.Exit(ExitCode.CONFIG if every else ExitCode.OK)


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "channel": checked.channel,
        "version": checked.version,
        "ok": not checked.problems,
        "cuts": checked.cuts,
        "problems": checked.problems,
    }


def _print(checked: list[Checked], every: list[str]) -> None:
    good = [one for one in checked if not one.problems]
    if good:
        rows = [(one.channel, len(one.cuts), ", ".join(one.cuts), one.version) for one in good]
        console().print(make_table("In order", ("channel", "#cuts", "", "version"), rows))
    for problem in every:
        typer.echo(problem, err=True)
    if every:
        typer.echo(f"ampeld: {len(every)} problem{'s' if len(every) > 1 else ''}", err=True)
