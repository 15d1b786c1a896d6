"""The settings of a process: the file, under the environment, under the command line, every problem at once."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from ampeld.daemon.layers import Reader, environment_layers, file_layer, option_layers, state_layers
from ampeld.daemon.rules import broken_rules
from ampeld.daemon.secret import HIDDEN, Secret
from ampeld.daemon.sections import (
    CatalogsSection,
    ChannelsSection,
    DaemonSection,
    FeaturesSection,
    GateSection,
    LedgerSection,
    LogSection,
    SourceSection,
    StatusSection,
    StoreSection,
)
from ampeld.errors import ConfigError
from ampeld.store.documents import ChannelVersion

SEARCHED = (Path("ampeld.toml"), Path("/etc/ampeld/ampeld.toml"))
"""Where the configuration is looked for when none is named."""

_SHORTEST_HIDDEN = 4  # to blot out every "a" of a log hides nothing and tells the password's length


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration."""

    source: SourceSection = SourceSection()
    store: StoreSection = StoreSection()
    channels: ChannelsSection = ChannelsSection()
    gate: GateSection = GateSection()
    features: FeaturesSection = FeaturesSection()
    catalogs: CatalogsSection = CatalogsSection()
    ledger: LedgerSection = LedgerSection()
    status: StatusSection = StatusSection()
    daemon: DaemonSection = DaemonSection()
    log: LogSection = LogSection()

    def secrets(self) -> list[str]:
        """Return the texts that must never be printed, longest first."""
        security = self.source.security
        registry = (self.source.schema_registry_username, self.source.schema_registry_password)
        texts = (security.username, security.password, *registry)
        found = {secret.reveal() for secret in texts if secret is not None}
        uri = self.store.uri.reveal()
        if password := _password(uri):
            found |= {uri, password, unquote(password), quote(unquote(password), safe="")}
        return sorted((text for text in found if len(text) >= _SHORTEST_HIDDEN), key=len, reverse=True)


def load_settings(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the configuration: ``--set`` over the environment over the file over the defaults.

    Parameters
    ----------
    path
        The file; None for the first of `SEARCHED` that exists, or no file at all.
    sets
        ``KEY=VALUE`` each; the last one for a key wins.
    environ
        The environment: ``AMPELD_SOURCE__GROUP`` is ``source.group``; names without ``__`` are not settings.

    Raises
    ------
    ConfigError
        With every problem of every layer.
    """
    settings, problems = read_settings(path, sets, environ)
    if problems:
        raise ConfigError(problems)
    return settings


def read_settings(path: Path | None, sets: Sequence[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings as far as they can be read, defaults elsewhere, and every problem."""
    problems: list[str] = []
    layers = [*option_layers(sets, problems), *environment_layers(environ)]
    found = path or next((candidate for candidate in SEARCHED if candidate.exists()), None)
    base = Path.cwd() if found is None else found.absolute().parent
    if found is not None:
        try:
            layers.append(file_layer(found))
        except ConfigError as error:
            problems += error.problems
    layers += state_layers(environ)
    reader = Reader(layers, base, environ, problems)
    settings: Settings = reader.read(Settings)
    for keys, message in broken_rules(settings.source, settings.store, settings.status):
        reader.complain(message, *keys)
    return settings, problems


def config_hash(settings: Settings, versions: Iterable[ChannelVersion]) -> str:
    """Return 16 hexadecimal digits that change when a setting or a channel's version does; secrets do not count."""
    plain = msgspec.to_builtins(settings, enc_hook=_plain)
    channels = sorted((channel.name, channel.version) for channel in versions)
    return hashlib.sha256(msgspec.json.encode([plain, channels], order="deterministic")).hexdigest()[:16]


def _plain(value: Any) -> str:
    return HIDDEN if isinstance(value, Secret) else str(value)


def _password(uri: str) -> str | None:
    try:
        return urlsplit(uri).password
    except ValueError:
        return uri  # whatever it is: hide it whole
