"""The channels of a directory: every file read, every mistake of every file told at once."""

import re
from pathlib import Path
from typing import Any, get_args

from ampeld.channel import Filter
from ampeld.channel.channel import Channel, OnKnown
from ampeld.channel.names import did_you_mean
from ampeld.channel.params import ParameterError
from ampeld.daemon.filters import FilterError, FilterLoader, make, source_digest
from ampeld.daemon.toml import TomlFile, read_toml
from ampeld.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = ("filter", "contact", "access", "on_known", "params")
_ACCESS = ("ZTF", "ZTF_PUB", "ZTF_PRIV")
_ON_KNOWN: tuple[OnKnown, ...] = get_args(OnKnown)


def load_channels(directory: Path) -> list[Channel]:
    """Return the channels of a directory's ``*.toml`` files, by name.

    Raises
    ------
    ConfigError
        With every problem of every file: file, line, key, and the nearest name that would be right.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise ConfigError([f"{directory}: the channels' directory cannot be read: {error.strerror}"]) from error
    loader = FilterLoader(directory)
    channels: list[Channel] = []
    problems: list[str] = []
    for path in paths:
        try:
            channels.append(_load(path, loader))
        except ConfigError as error:
            problems.extend(error.problems)
    if not paths:
        problems.append(f"{directory}: no channels: there is no *.toml file")
    if problems:
        raise ConfigError(problems)
    return channels


def _load(path: Path, loader: FilterLoader) -> Channel:
    toml = read_toml(path)
    form = _Form(toml)
    if not _NAME.fullmatch(path.stem):
        form.problems.append(f"{path}: {path.stem!r} is no channel name: 1 to 64 of A-Z a-z 0-9 _ -")
    for key in toml.data.keys() - set(_KEYS):
        form.refuse(f"a channel has no such key{did_you_mean(key, _KEYS)}", key)
    contact = form.text("contact", "whom to tell when the filter fails")
    access = form.access()
    on_known = form.on_known()
    made = form.filter(loader)
    form.problems.sort(key=_line)
    if form.problems or made is None:
        raise ConfigError(form.problems)
    return Channel(
        name=path.stem,
        filter=made,
        contact=contact,
        access=access,
        on_known=on_known,
        version=source_digest(type(made), path.read_bytes()),
        path=path,
    )


def _line(problem: str) -> int:
    """Return the line that a problem names, so that problems come in the order of the file."""
    found = re.search(r":(\d+):", problem)
    return int(found[1]) if found else 0


class _Form:
    """A channel file's keys, read one by one while their problems gather."""

    def __init__(self, toml: TomlFile) -> None:
        self.problems: list[str] = []
        self._toml = toml
        self._data = toml.data

    def refuse(self, message: str, *keys: str) -> None:
        self.problems.append(self._toml.problem(message, *keys))

    def text(self, key: str, meaning: str) -> str:
        value = self._data.get(key)
        if value is None:
            self.refuse(f"missing: {meaning}", key)
        elif not isinstance(value, str) or not value.strip():
            self.refuse(f"expected text: {meaning}", key)
        else:
            return value
        return ""

    def access(self) -> frozenset[str]:
        value = self._data.get("access", ["ZTF_PUB"])
        if not isinstance(value, list) or not value:
            self.refuse(f"expected a list of {', '.join(_ACCESS)}", "access")
            return frozenset()
        for item in value:
            if item not in _ACCESS:
                near = did_you_mean(item, _ACCESS) if isinstance(item, str) else ""
                self.refuse(f"{item!r} is not one of {', '.join(_ACCESS)}{near}", "access")
        return frozenset(item for item in value if isinstance(item, str))

    def on_known(self) -> OnKnown:
        value = self._data.get("on_known", "off")
        for choice in _ON_KNOWN:
            if value == choice:
                return choice
        near = did_you_mean(value, _ON_KNOWN) if isinstance(value, str) else ""
        self.refuse(f"{value!r} is not one of {', '.join(_ON_KNOWN)}{near}", "on_known")
        return "off"

    def filter(self, loader: FilterLoader) -> Filter | None:
        params = self._data.get("params", {})
        if not isinstance(params, dict):
            self.refuse("expected a table: [params]", "params")
            params = {}
        words = self.text("filter", "'file.py:Class' beside this file, or 'package.module:Class'")
        return self._make(loader, words, params) if words else None

    def _make(self, loader: FilterLoader, words: str, params: dict[str, Any]) -> Filter | None:
        try:
            return make(loader.find(words), params)
        except FilterError as error:
            if error.source is None:
                self.refuse(str(error), "filter")
            else:
                self.problems.append(f"{error.source}: {error} (the filter of {self._toml.path})")
        except ParameterError as error:
            for key, message in error.errors:
                self.refuse(message, *(("params",) if key is None else ("params", key)))
        return None
