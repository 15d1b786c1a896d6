"""`ampeld run`: the daemon."""

import re
from typing import Annotated

import typer

from ampeld.cli.options import ConfigOption, SetOption, settings_and_files
from ampeld.daemon.run import run_daemon


def _check_instance(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise typer.BadParameter("letters, digits, '_' and '-' only, at most 64")
    return name


InstanceOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="Tells several daemons of one host apart.", callback=_check_instance),
]


def run(
    *,
    config: ConfigOption = None,
    sets: SetOption = None,
    instance: InstanceOption = "main",
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop with exit code 0 when all that is there now has been processed.")
    ] = False,
) -> None:
    """Run the daemon: from Kafka through the channels to MongoDB, until SIGTERM or Ctrl-C.

    Daemons of one group (`source.group`) share the partitions, on one host (give each an `--instance`) or many.
    The first signal finishes what was begun; a second one ends at once. Nothing is lost either way.
    SIGHUP, or `ampeld channel reload`, takes up changed channel files.

    Try:

      ampeld run

      ampeld run -c /etc/ampeld/ampeld.toml --instance ztf-1

      ampeld run --until-end --set source.group=reprocess --set source.start=earliest

    Exit codes: 0 done or stopped, 73 the instance runs already, 75 told to stop and not done in time, 78 configuration.
    """
    settings, files = settings_and_files(config, sets)
    raise typer.Exit(run_daemon(settings, files, instance=instance, until_end=until_end))
