"""Whether channels that can be loaded can judge, too: their catalogues, and their cuts on some alerts."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from ampeld.catalog.directory import open_catalogs
from ampeld.channel.channel import Channel
from ampeld.daemon.measuring.rehearsal import unit_problems
from ampeld.daemon.settings import Settings
from ampeld.demo.simulate import SimulatedNights
from ampeld.errors import ConfigError
from ampeld.flow.record import Coordinates
from ampeld.flow.verdict import ACCEPT_CUT
from ampeld.testing.judging import Reader, judge_alerts
from ampeld.testing.kit import for_survey
from ampeld.testing.sources import record_at

_SEED = 1
_ALERTS = 30


class Checked(msgspec.Struct, frozen=True):
    """A channel that was tried."""

    channel: str
    version: str
    cuts: list[str]
    problems: list[str]


def try_channels(channels: Sequence[Channel], settings: Settings) -> list[Checked]:
    """Try each channel for itself and return what is wrong with it.

    Parameters
    ----------
    channels
        What could be loaded.
    settings
        The configuration, for the catalogues.
    """
    return [_try(channel, for_survey(settings, channel.survey)) for channel in channels]


def _try(channel: Channel, settings: Settings) -> Checked:
    try:
        reader = Reader(settings, [channel])
    except ConfigError as error:
        return Checked(channel.name, channel.version, [], error.problems)
    if lacking := unit_problems([channel], open_catalogs(settings.catalogs.directory)):
        return Checked(channel.name, channel.version, [], lacking)
    problems: list[str] = []
    if channel.survey == "ztf":
        records = [record_at(Coordinates("check", 0, i), packet, None) for i, packet in enumerate(_packets())]
        failures = judge_alerts(channel, reader.read(records)).failures
        if failures:
            problems.append(f"{channel.path}: its filter fails on {len(failures)} of {len(records)} simulated alerts")
            if (place := _place(failures[0].traceback, channel.path.parent)) is not None:
                problems.append(f"  {place}: {failures[0].error.strip()}")
            problems += [f"  {line}" for line in failures[0].traceback.strip().splitlines()]
    elif (failure := reader.failures[channel.name]) is not None:
        problems.append(f"{channel.path}: its filter fails on an empty batch: {failure}")
    cuts = [name for name in channel.cut_names.names if name != ACCEPT_CUT]
    return Checked(channel.name, channel.version, cuts, ["\n".join(problems)] if problems else [])


def _place(traceback: str, directory: Path) -> str | None:
    """Return file and line of the author's own code in which it failed; None if that is not beside the channel file."""
    frames = re.findall(r'^  File "(.+)", line (\d+)', traceback, re.MULTILINE)
    own = [f"{file}:{line}" for file, line in frames if Path(file).is_relative_to(directory)]
    return own[-1] if own else None


@lru_cache(1)
def _packets() -> tuple[bytes, ...]:
    return tuple(alert.packet for alert in SimulatedNights(_SEED, _ALERTS))
