"""From the texts of channels to channels: every mistake of every file told at once, with file, line and key."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from ampeld.channel import Filter
from ampeld.channel.channel import Channel, GateLimits, OnKnown
from ampeld.channel.textfile import file_parameters, fill_in
from ampeld.daemon.authors import AuthorCodeError
from ampeld.daemon.features_form import read_features
from ampeld.daemon.files import SURVEYS, ChannelFiles, read_each
from ampeld.daemon.filters import FilterLoader, make
from ampeld.daemon.toml import TomlFile, parse_toml
from ampeld.errors import ConfigError
from ampeld.names import did_you_mean
from ampeld.params import ParameterError

T = TypeVar("T", bound=str)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = ("filter", "contact", "survey", "access", "on_known", "keep_days", "gate", "params", "feature")
_ACCESS = {"ztf": ("ZTF", "ZTF_PUB", "ZTF_PRIV"), "lsst": ("LSST",)}
_DEFAULT_ACCESS = {"ztf": ["ZTF_PUB"], "lsst": ["LSST"]}
_ON_KNOWN: tuple[OnKnown, ...] = get_args(OnKnown)
_LIMITS = ("max_pass_fraction", "max_us_per_alert")


class ChannelsRefusedError(ConfigError):
    """Some channels cannot be loaded; ``by_channel`` has the problems of each."""

    def __init__(self, by_channel: Mapping[str, list[str]]) -> None:
        super().__init__([problem for name in sorted(by_channel) for problem in by_channel[name]])
        self.by_channel = by_channel


def load_channels(directory: Path, survey: str | None = None) -> list[Channel]:
    """Return the channels of a directory's ``*.toml`` files, by name.

    Parameters
    ----------
    directory
        Where they lie.
    survey
        Return those that judge this survey's alerts, all by default; mistakes are told of all.

    Raises
    ------
    ConfigError
        With every problem of every file: file, line, key, and the nearest name that would be right.
    """
    files, problems = read_each(directory)
    found, refused = load_each(files)
    if by_channel := problems | refused:
        raise ChannelsRefusedError(by_channel)
    if not files:
        raise ConfigError([f"{directory}: no channels: there is no *.toml file"])
    if survey is not None and all(channel.survey != survey for channel in found):
        raise ConfigError([f"{directory}: no channel judges alerts of {survey} (survey = {survey!r} in its file)"])
    return [channel for channel in found if survey in (None, channel.survey)]


def load_each(files: Sequence[ChannelFiles]) -> tuple[list[Channel], dict[str, list[str]]]:
    """Return the channels that can be made of these texts, and by channel the problems of the others."""
    loader = FilterLoader()
    channels: list[Channel] = []
    problems: dict[str, list[str]] = {}
    for one in files:
        try:
            channels.append(load_channel(one, loader))
        except ConfigError as error:
            problems[one.name] = error.problems
    return channels, problems


def load_channel(files: ChannelFiles, loader: FilterLoader | None = None) -> Channel:
    """Return the channel that these texts make.

    Parameters
    ----------
    files
        Its texts.
    loader
        Shared by channels, it executes a module of the same text once.

    Raises
    ------
    ConfigError
        With every problem of the channel.
    """
    path = Path(files.path)
    form = _Form(parse_toml(files.text, path), files)
    if not _NAME.fullmatch(files.name):
        form.problems.append(f"{path}: {files.name!r} is no channel name: 1 to 64 of A-Z a-z 0-9 _ -")
    form.refuse_unknown()
    contact = form.text("contact", "whom to tell when the filter fails")
    survey = form.choice("survey", SURVEYS)
    access = form.access(survey)
    on_known = form.choice("on_known", _ON_KNOWN)
    limits = form.limits()
    form.check_days()
    loader = loader or FilterLoader()
    made = form.filter(loader)
    features, problems = read_features(form.toml, files, loader)
    form.problems = sorted(form.problems + problems, key=_line)
    if form.problems or made is None:
        raise ConfigError(form.problems)
    return Channel(
        name=files.name,
        filter=made,
        contact=contact,
        survey=survey,
        access=access,
        on_known=on_known,
        limits=limits,
        version=files.version,
        path=path,
        features=features,
    )


def _line(problem: str) -> int:
    """Return the line that a problem names, so that problems come in the order of the file."""
    found = re.search(r":(\d+):", problem)
    return int(found[1]) if found else 0


class _Form:
    """A channel file's keys, read one by one while their problems gather."""

    def __init__(self, toml: TomlFile, files: ChannelFiles) -> None:
        self.problems: list[str] = []
        self.toml = toml
        self._data = toml.data
        self._files = files

    def refuse(self, message: str, *keys: str) -> None:
        self.problems.append(self.toml.problem(message, *keys))

    def refuse_unknown(self) -> None:
        for key in self._data.keys() - set(_KEYS):
            self.refuse(f"a channel has no such key{did_you_mean(key, _KEYS)}", key)

    def text(self, key: str, meaning: str) -> str:
        value = self._data.get(key)
        if value is None:
            self.refuse(f"missing: {meaning}", key)
        elif not isinstance(value, str) or not value.strip():
            self.refuse(f"expected text: {meaning}", key)
        else:
            return value
        return ""

    def choice(self, key: str, choices: Sequence[T]) -> T:
        """Return one of some words; the first is the default."""
        value = self._data.get(key, choices[0])
        if value in choices:
            return choices[choices.index(value)]
        near = did_you_mean(value, map(str, choices)) if isinstance(value, str) else ""
        self.refuse(f"{value!r} is not one of {', '.join(map(str, choices))}{near}", key)
        return choices[0]

    def access(self, survey: str) -> frozenset[str]:
        known = _ACCESS[survey]
        value = self._data.get("access", _DEFAULT_ACCESS[survey])
        if not isinstance(value, list) or not value:
            self.refuse(f"expected a list of {', '.join(known)}", "access")
            return frozenset()
        for item in value:
            if item not in known:
                near = did_you_mean(item, known) if isinstance(item, str) else ""
                self.refuse(f"{item!r} is not one of {', '.join(known)}{near}", "access")
        return frozenset(item for item in value if isinstance(item, str))

    def check_days(self) -> None:
        """Look at what `ampeld.daemon.purge` goes by; the channel itself has no use for it."""
        days = self._data.get("keep_days", 1)
        if isinstance(days, bool) or not isinstance(days, int | float) or not 1 <= days < math.inf:
            self.refuse(f"expected days, at least 1, for which accepted objects are kept; got {days!r}", "keep_days")

    def limits(self) -> GateLimits:
        table = self._data.get("gate", {})
        if not isinstance(table, dict):
            self.refuse("expected a table: [gate]", "gate")
            return GateLimits()
        for key in table.keys() - set(_LIMITS):
            self.refuse(f"a gate has no such limit{did_you_mean(key, _LIMITS)}", "gate", key)
        return GateLimits(
            max_pass_fraction=self._limit(table, "max_pass_fraction", 1.0, "a fraction of the alerts, 0 to 1"),
            max_us_per_alert=self._limit(table, "max_us_per_alert", 1e9, "microseconds per alert, above 0"),
        )

    def _limit(self, table: dict[str, Any], key: str, most: float, meaning: str) -> float | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            self.refuse(f"expected {meaning}, got {value!r}", "gate", key)
            return None
        return float(value)

    def filter(self, loader: FilterLoader) -> Filter | None:
        params = self._data.get("params", {})
        if not isinstance(params, dict):
            self.refuse("expected a table: [params]", "params")
            params = {}
        words = self.text("filter", "'file.py:Class' beside this file, or 'package.module:Class'")
        return self._make(loader, words, params) if words else None

    def _make(self, loader: FilterLoader, words: str, params: dict[str, Any]) -> Filter | None:
        absent = {key: name for key, name in file_parameters(params).items() if name not in self._files.modules}
        for key, name in absent.items():
            nothing = f"there is no file {name!r} beside the channel file"
            self.refuse(self._files.missing.get(name, nothing), "params", key)
        if absent:
            return None
        try:
            return make(loader.find(words, self._files), fill_in(params, self._files.modules))
        except AuthorCodeError as error:
            if error.source is None:
                self.refuse(str(error), "filter")
            else:
                self.problems.append(f"{error.source}: {error} (the filter of {self.toml.path})")
        except ParameterError as error:
            for parameter, message in error.errors:
                self.refuse(message, *(("params",) if parameter is None else ("params", parameter)))
        return None
