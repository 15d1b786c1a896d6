"""Everything that a channel is made of, as text: read once, loaded from there, hashed, sent, kept and run again."""

import hashlib
import os
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from ampeld.channel.textfile import file_parameters
from ampeld.daemon.features_words import named_files, named_in_source
from ampeld.daemon.filters_imports import imported_files
from ampeld.daemon.filters_installed import installed_sources
from ampeld.daemon.toml import read_text
from ampeld.errors import ConfigError
from ampeld.names import did_you_mean

MOST_BYTES = 8 << 20
"""Of one channel's files together: they travel to the filter process and are kept in one document."""

SURVEYS = ("ztf", "lsst")


class ChannelFiles(msgspec.Struct, frozen=True):
    """A channel's texts, from disk or from the store; no more is needed to run it, and no file is read again."""

    name: str
    path: str
    """Where its TOML file lies, or lay: what messages and tracebacks show."""
    text: str
    """The TOML file."""
    modules: Mapping[str, str] = {}
    """By name relative to the TOML file: the modules of its filter and units, what they import from beside them, and
    parameters' files."""
    missing: Mapping[str, str] = {}
    """By name: why a file that is named cannot be had."""
    stored: bool = False
    """Whether it comes from the store, so that the files on disk may say something else by now."""

    @property
    def version(self) -> str:
        """Return 16 hexadecimal digits that change with any of the texts and with the installed filter they name."""
        return _version(self.text, tuple(sorted(self.modules.items())))

    @property
    def table(self) -> dict[str, Any]:
        """Return what the TOML file says; nothing when it cannot be read."""
        return _table(self.text)

    @property
    def survey(self) -> str:
        """Return whose alerts the channel judges, ``ztf`` unless it says otherwise."""
        return str(self.table.get("survey", SURVEYS[0]))

    def shown(self, name: str) -> str:
        """Return the path by which tracebacks know one of the modules."""
        path = str(Path(self.path).parent / name)
        return f"{path}@{self.version}" if self.stored else path


def read_files(directory: Path) -> list[ChannelFiles]:
    """Return the texts of every channel of a directory, by name: of each ``*.toml`` file and of what it needs.

    Raises
    ------
    ConfigError
        If the directory or one of the TOML files cannot be read.
    """
    found, problems = read_each(directory)
    if problems:
        raise ConfigError([problem for of_one in problems.values() for problem in of_one])
    return found


def read_survey(directory: Path, survey: str) -> list[ChannelFiles]:
    """Return the texts of the channels that judge one survey's alerts.

    Raises
    ------
    ConfigError
        If a file cannot be read, or there is no channel for this survey.
    """
    found = read_files(directory)
    if not found:
        raise ConfigError([f"{directory}: no channels: there is no *.toml file"])
    # Whose alerts a file means that is no TOML cannot be told: it is refused when it is loaded.
    mine = [one for one in found if one.survey == survey or not one.table]
    if not mine:
        raise ConfigError([f"{directory}: no channel judges alerts of {survey} (survey = {survey!r} in its file)"])
    return mine


def read_each(directory: Path) -> tuple[list[ChannelFiles], dict[str, list[str]]]:
    """Return the texts of the channels that can be read, and by channel the problems of the others.

    Raises
    ------
    ConfigError
        If the directory cannot be read.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise ConfigError([f"{directory}: the channels' directory cannot be read: {error.strerror}"]) from error
    found: list[ChannelFiles] = []
    problems: dict[str, list[str]] = {}
    for path in paths:
        try:
            found.append(read_channel(path))
        except ConfigError as error:
            problems[path.stem] = error.problems
    return found, problems


def read_channel(path: Path) -> ChannelFiles:
    """Return the texts of one channel.

    Raises
    ------
    ConfigError
        If its TOML file cannot be read, or all of its files are too large together.
    """
    text = read_text(path)
    beside = _Beside(path.parent)
    table = _table(text)
    filter_ = table.get("filter")
    place = filter_.rpartition(":")[0] if isinstance(filter_, str) else ""
    if place.endswith(".py"):
        beside.take_module(place)
    for name in named_files(table.get("feature")):
        beside.take_module(name)
    params = table.get("params")
    for name in file_parameters(params).values() if isinstance(params, dict) else ():
        beside.take_text(name)
    files = ChannelFiles(path.stem, str(path), text, beside.texts, beside.missing)
    if (size := sum(map(len, (files.text, *files.modules.values())))) > MOST_BYTES:
        raise ConfigError([f"{path}: its files hold {size} bytes; {MOST_BYTES} is the most: make it a catalogue"])
    return files


def read_module(path: Path) -> ChannelFiles:
    """Return the texts of a Python file and of what it needs from beside it, as a channel beside them would have them.

    Raises
    ------
    ConfigError
        If there is no such file, or it cannot be read.
    """
    beside = _Beside(path.parent)
    beside.take_module(path.name)
    if path.name in beside.missing:
        raise ConfigError([f"{path}: {beside.missing[path.name]}"])
    return ChannelFiles("", str(path.with_suffix(".toml")), "", beside.texts, beside.missing)


class _Beside:
    """The files beside a channel file, taken one by one."""

    def __init__(self, directory: Path) -> None:
        self.texts: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self._directory = directory

    def take_module(self, name: str) -> None:
        """Take a Python file, and what it imports from beside it."""
        if name in self.texts or name in self.missing:
            return
        if (problem := self._problem(name)) is not None:
            self.missing[name] = problem
            return
        try:
            self.texts[name] = read_text(self._directory / name)
        except ConfigError as error:
            self.missing[name] = "; ".join(error.problems)
            return
        for imported in (*imported_files(self.texts[name], name), *named_in_source(self.texts[name])):
            if self._problem(imported) is None:
                self.take_module(imported)

    def take_text(self, name: str) -> None:
        """Take the file that a parameter names."""
        if name in self.texts or name in self.missing:
            return
        if (problem := self._problem(name)) is not None:
            self.missing[name] = problem
            return
        try:
            if (self._directory / name).stat().st_size > MOST_BYTES:
                self.missing[name] = f"{name!r} is larger than {MOST_BYTES} bytes: make it a catalogue"
                return
            self.texts[name] = read_text(self._directory / name)
        except (ConfigError, OSError) as error:
            self.missing[name] = str(error)

    def _problem(self, name: str) -> str | None:
        """Return why there is no such file; nothing outside of the directory is one."""
        try:
            path = Path(os.path.realpath(self._directory / name))
        except ValueError:  # a zero byte
            return f"{name!r} is no name of a file"
        if not path.is_relative_to(os.path.realpath(self._directory)):
            return f"{name!r} lies outside the channels' directory {self._directory}"
        if not path.is_file():
            near = did_you_mean(name, [file.name for file in self._directory.glob(f"*{path.suffix}")])
            return f"there is no file {name!r} beside the channel file{near}"
        return None


@lru_cache(1000)
def _version(text: str, modules: tuple[tuple[str, str], ...]) -> str:
    filter_ = _table(text).get("filter")
    installed = installed_sources([filter_] if isinstance(filter_, str) else [], dict(modules))
    digest = hashlib.sha256()
    for key, value in (("", text), *modules, *sorted(installed.items())):
        for part in (key.encode(), value.encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
