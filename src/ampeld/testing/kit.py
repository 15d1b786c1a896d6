"""The author's kit for pytest: run a channel on alerts, then say what it must accept and reject."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from ampeld.channel import Filter
from ampeld.channel.channel import Channel
from ampeld.daemon.channels import load_channel
from ampeld.daemon.files import read_channel
from ampeld.daemon.settings import Settings, load_settings
from ampeld.testing.find import Wanted
from ampeld.testing.run import Run
from ampeld.testing.sources import AlertSource, PacketAlerts
from ampeld.testing.words import Word, open_sources

Tried = Channel | Filter | type[Filter] | str | Path
"""What is tried: a channel's name, its TOML file, or a filter of one's own making."""

Source = Word | Iterable[bytes]
"""Alerts: a path, ``"sim:SEED[:ALERTS]"``, ``"kafka:TOPIC[@START[..END]]"``, or the packets themselves."""


def run_channel(channel: Tried, *sources: Source, config: Path | None = None) -> Run:
    """Run a channel on alerts, as the daemon would, and return what it said.

    Parameters
    ----------
    channel
        A name, looked for in ``channels.directory``; a channel's TOML file; or a filter, made or to be made with its
        default parameters.
    *sources
        Where the alerts come from: .avro files, directories, tar archives, ``"sim:SEED[:ALERTS]"`` for the simulator,
        ``"kafka:TOPIC[@START[..END]]"``, or an iterable of packets.
    config
        The configuration; by default ``./ampeld.toml``, else ``/etc/ampeld/ampeld.toml``, else the defaults.

    Returns
    -------
    Run
        Accepted alerts, funnel, time; with ``assert_accepts`` and so on.

    Raises
    ------
    ConfigError
        If there is no such channel, a mistake in its files, or a source that cannot be.

    Examples
    --------
    >>> run = run_channel("rapid", "sim:1:500")
    >>> run.assert_pass_fraction(below=0.02)
    >>> run.assert_rejects("ZTF25aaaaaaa", cut="asteroid")
    """
    settings = load_settings(config, (), os.environ)
    made = _channel(channel, settings)
    settings = for_survey(settings, made.survey)
    return Run(made, _sources(sources, settings), settings)


def assert_accepts(run: Run, objects: Wanted | Collection[Wanted]) -> None:
    """Assert that each of these is accepted: an object by its name (one of its alerts will do), or a candid."""
    run.assert_accepts(objects)


def assert_rejects(run: Run, objects: Wanted | Collection[Wanted], *, cut: str | None = None) -> None:
    """Assert that each of these is rejected: all alerts of an object; with ``cut``, one of them at least by it."""
    run.assert_rejects(objects, cut=cut)


def assert_pass_fraction(run: Run, *, below: float | None = None, above: float | None = None) -> None:
    """Assert that accepted alerts by alerts seen lie below one fraction or above another, both exclusive."""
    run.assert_pass_fraction(below=below, above=above)


def assert_no_errors(run: Run) -> None:
    """Assert that the filter's own code did not fail on any alert."""
    run.assert_no_errors()


def for_survey(settings: Settings, survey: str) -> Settings:
    """Return the same settings for the alerts of another survey: a bench is not bound to what the daemon reads."""
    source = msgspec.structs.replace(settings.source, survey=survey)
    return msgspec.structs.replace(settings, source=source)


def _channel(tried: Tried, settings: Settings) -> Channel:
    if isinstance(tried, Channel):
        return tried
    if isinstance(tried, type):
        tried = tried()
    if isinstance(tried, Filter):
        return Channel(
            name=type(tried).__name__,
            filter=tried,
            contact="",
            access=frozenset({"ZTF_PUB"}),
            on_known="off",
            version="",
            path=Path(),
        )
    path = Path(tried)
    if isinstance(tried, str) and path.suffix != ".toml":
        path = settings.channels.directory / f"{tried}.toml"
    return load_channel(read_channel(path))


def _sources(given: Iterable[Source], settings: Settings) -> list[AlertSource]:
    """Open the sources in their order; packets are kept, for an explanation reads them again."""
    opened: list[AlertSource] = []
    words: list[Word] = []
    for one in given:
        if isinstance(one, str | Path):
            words.append(one)
            continue
        opened += open_sources(words, settings)
        opened.append(PacketAlerts(list(one)))
        words = []
    return opened + open_sources(words, settings)
