"""The options that every command shares, and what they lead to."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ampeld.catalog.directory import open_catalogs
from ampeld.channel.channel import Channel
from ampeld.daemon.catalogs import catalog_problems
from ampeld.daemon.channels import load_channels
from ampeld.daemon.files import ChannelFiles, read_survey
from ampeld.daemon.logging import configure_logging
from ampeld.daemon.measuring.rehearsal import unit_problems
from ampeld.daemon.settings import Settings, load_settings, read_settings
from ampeld.errors import ConfigError

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; by default ./ampeld.toml, then /etc/ampeld/ampeld.toml.",
        rich_help_panel="Configuration",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set one key over the file, as in --set source.group=mine; repeatable. VALUE is JSON, else text.",
        rich_help_panel="Configuration",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


def settings_for(config: Path | None, sets: Sequence[str] | None) -> Settings:
    """Return the settings of a command that only asks, and log only what is wrong."""
    settings = load_settings(config, sets or (), os.environ)
    configure_logging(settings.log.format, _quiet(settings.log.level), settings.secrets())
    return settings


def settings_and_files(config: Path | None, sets: Sequence[str] | None) -> tuple[Settings, list[ChannelFiles]]:
    """Return the settings and the texts of the channels of a command that judges alerts, and log as configured.

    No code of a channel runs here: it is loaded where it is judged.

    Raises
    ------
    ConfigError
        With the problems of both.
    """
    settings, problems = read_settings(config, sets or (), os.environ)
    files: list[ChannelFiles] = []
    try:
        files = read_survey(settings.channels.directory, settings.source.survey)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    configure_logging(settings.log.format, settings.log.level, settings.secrets())
    return settings, files


def everything(config: Path | None, sets: Sequence[str] | None) -> tuple[Settings, list[Channel], list[str]]:
    """Return settings and channels as far as they can be read, and every problem, missing catalogues among them."""
    settings, problems = read_settings(config, sets or (), os.environ)
    try:
        channels = load_channels(settings.channels.directory)
    except ConfigError as error:
        return settings, [], [*problems, *error.problems]
    own = [channel for channel in channels if channel.survey == settings.source.survey]
    found = open_catalogs(settings.catalogs.directory)
    lacking = [line for lines in catalog_problems(own, found).values() for line in lines]
    return settings, channels, [*problems, *lacking, *unit_problems(own, found)]


def topic_or_file(name: str) -> str:
    """Return what a name on the command line stands for in coordinates: a file's are of its absolute path."""
    return str(Path(name).resolve()) if "/" in name or Path(name).is_file() else name


def _quiet(level: str) -> str:
    return "warning" if level == "info" else level
