"""Load channels with the catalogues that they search in: in the filter process, or wherever their code may run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec

from ampeld.alert.survey import SurveyName, survey_of
from ampeld.catalog.directory import Found, open_catalogs
from ampeld.channel.channel import Channel
from ampeld.channel.judge import learn_cuts
from ampeld.channel.matches import Catalogs
from ampeld.daemon.catalogs import catalog_problems
from ampeld.daemon.channels import ChannelsRefusedError, load_channel
from ampeld.daemon.features import MadeUnit, make_units
from ampeld.daemon.features_needs import need_problems
from ampeld.daemon.features_sources import sources_of
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.filters import FilterLoader
from ampeld.errors import ConfigError


class Loaded(msgspec.Struct, frozen=True):
    """Channels that are ready to judge."""

    channels: tuple[Channel, ...]
    catalogs: Catalogs
    units: Mapping[tuple[str, int], MadeUnit] = {}
    """By name and configuration: what the channels want measured, and what that builds upon; not opened."""
    found: Found = Found({}, {})
    """The catalogues, and those that cannot be used."""


def _nobody(_: int) -> None:
    """Hear nothing."""


def load(files: Sequence[ChannelFiles], catalogs: Path, on_channel: Callable[[int], None] = _nobody) -> Loaded:
    """Return the channels that these texts make.

    Parameters
    ----------
    files
        The texts.
    catalogs
        The directory of the catalogues; it need not exist.
    on_channel
        Told of each channel before any of its code runs.

    Raises
    ------
    ChannelsRefusedError
        With every problem of every channel, a missing catalogue among them.
    """
    loader = FilterLoader()
    found = open_catalogs(catalogs)
    channels: list[Channel] = []
    problems: dict[str, list[str]] = {}
    for number, one in enumerate(files):
        on_channel(number)
        try:
            channels.append(load_channel(one, loader))
        except ConfigError as error:
            problems[one.name] = error.problems
        else:
            problems |= catalog_problems(channels[-1:], found)
    if problems:
        raise ChannelsRefusedError(problems)
    units = make_units(channels, files, loader)
    if problems := need_problems(channels, files, units, found):
        raise ChannelsRefusedError(problems)
    for made in units.values():
        sources_of(made.recipe.unit, made.files)  # remembered here, they need not be read in every worker that forks
    return Loaded(tuple(channels), found.catalogs, units, found)


def learn(channel: Channel, catalogs: Catalogs) -> str | None:
    """Learn the cut names that an empty batch teaches; return why the filter failed on it, if it did."""
    return learn_cuts(channel.filter, channel.cut_names, catalogs, survey_of(cast("SurveyName", channel.survey)))
