"""A channel by its name, from the configured directory."""

from pathlib import Path

from ampeld.daemon.files import ChannelFiles, read_channel
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.names import did_you_mean


def find_channel(settings: Settings, name: str) -> ChannelFiles:
    """Return the texts of a channel of the configured directory.

    Raises
    ------
    ConfigError
        If there is none of that name, or it cannot be read.
    """
    directory = settings.channels.directory
    path = directory / f"{name}.toml"
    if Path(name).name != name or not path.is_file():
        known = [found.stem for found in directory.glob("*.toml")]
        there = f" (there: {', '.join(sorted(known))})" if known else ""
        raise ConfigError([f"{directory}: there is no channel {name!r}{did_you_mean(name, known) or there}"])
    return read_channel(path)
