"""Whether the units of channels would open: told by those who check channels, before anything starts."""

from collections.abc import Sequence

from ampeld.catalog.directory import Found
from ampeld.channel.channel import Channel
from ampeld.daemon.features import make_units
from ampeld.daemon.features_needs import need_problems
from ampeld.daemon.files import read_channel
from ampeld.daemon.measuring.opening import open_units, refusals


def unit_problems(channels: Sequence[Channel], found: Found) -> list[str]:
    """Return what the units of channels that were loaded from files lack, or what keeps them from opening.

    Parameters
    ----------
    channels
        Loaded; their texts are read once more.
    found
        The catalogues at hand.
    """
    asking = [channel for channel in channels if channel.features]
    files = [read_channel(channel.path) for channel in asking]
    units = make_units(asking, files)
    problems = need_problems(asking, files, units, found)
    if not problems:
        problems = refusals(open_units(units, found).failed, asking)
    return [line for lines in problems.values() for line in lines]
