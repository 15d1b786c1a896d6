"""TOML with the line of every key, so that a mistake can be named by file, line and key."""

import re
import tomllib
from bisect import bisect_right
from pathlib import Path
from typing import Any

import msgspec

from ampeld.errors import ConfigError

Key = str | int
"""A step into a document: the name in a table, or the index in an array."""

_AT = re.compile(r" \(at line (\d+), column \d+\)$")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


class TomlFile(msgspec.Struct, frozen=True):
    """A document that was read, and where its keys stand."""

    path: Path
    data: dict[str, Any]
    lines: dict[tuple[Key, ...], int]

    def line(self, *keys: Key) -> int | None:
        """Return the line of a key, or None when the document does not have it.

        Parameters
        ----------
        *keys
            The way from the top: names, and indexes into arrays.
        """
        return self.lines.get(keys)

    def problem(self, message: str, *keys: Key) -> str:
        """Return ``path:line: key.path: message``; the line is that of the nearest key that the document has.

        Parameters
        ----------
        message
            What is wrong.
        *keys
            The key that it is about; none for the document as a whole.
        """
        found = next((self.lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.lines), None)
        place = f"{self.path}:{found}" if found is not None else str(self.path)
        return f"{place}: {dotted(*keys)}: {message}" if keys else f"{place}: {message}"


def dotted(*keys: Key) -> str:
    """Return a key path as it is written: ``source.topics[1]``."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = key if _BARE.fullmatch(key) else repr(key)
            text += f".{name}" if text else name
    return text


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is not TOML; the problem names file and line.
    """
    return parse_toml(read_text(path), path)


def read_text(path: Path) -> str:
    """Return the text of a file, its lines ended by newlines alone.

    Raises
    ------
    ConfigError
        If the file cannot be read or is not UTF-8; the problem names file and line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    try:
        return raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: not UTF-8 text"]) from error


def parse_toml(text: str, path: Path) -> TomlFile:
    """Return the document of a text that is shown as the file ``path``.

    Raises
    ------
    ConfigError
        If it is not TOML; the problem names file and line.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_problem(path, text, str(error))]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: nested too deeply"]) from error
    scanner = _Scanner(text)
    scanner.scan()
    return TomlFile(path, data, scanner.lines)


def _syntax_problem(path: Path, text: str, message: str) -> str:
    at = _AT.search(message)
    line = int(at[1]) if at else text.count("\n") + 1
    return f"{path}:{line}: {message[: at.start()] if at else message}"


class _Scanner:
    """Walks a text that is known to be valid TOML and notes the line of every key."""

    def __init__(self, text: str) -> None:
        self.lines: dict[tuple[Key, ...], int] = {}
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._arrays: dict[tuple[Key, ...], int] = {}  # how many [[tables]] each has so far

    def scan(self) -> None:
        """Note every key of the document."""
        table: tuple[Key, ...] = ()
        while self._skip(_BLANK) < len(self._text):
            table = self._header() if self._text[self._at] == "[" else self._pair(table)

    def _header(self) -> tuple[Key, ...]:
        line = self._line()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        names = self._names()
        self._at += 2 if double else 1
        path: tuple[Key, ...] = ()
        for place, name in enumerate(names, start=1):
            path += (name,)
            self._note(path, line)
            if double and place == len(names):
                self._arrays[path] = self._arrays.get(path, 0) + 1
            if path in self._arrays:
                path += (self._arrays[path] - 1,)
        self._note(path, line)
        return path

    def _pair(self, table: tuple[Key, ...]) -> tuple[Key, ...]:
        line = self._line()
        path = table
        for name in self._names():
            path += (name,)
            self._note(path, line)
        self._at += 1  # the equals sign
        self._value(path)
        return table

    def _names(self) -> list[str]:
        names = [self._name()]
        while self._text[self._at] == ".":
            self._at += 1
            names.append(self._name())
        return names

    def _name(self) -> str:
        self._skip(_SPACE)
        start = self._at
        if self._text[start] in "\"'":
            name = tomllib.loads(f"name = {self._text[start : self._skip(_STRING)]}")["name"]
        else:
            name = self._text[start : self._skip(_BARE)]
        self._skip(_SPACE)
        return str(name)

    def _value(self, path: tuple[Key, ...]) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_SCALAR)

    def _array(self, path: tuple[Key, ...]) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK)] != "]":
            self._note((*path, index), self._line())
            self._value((*path, index))
            self._comma()
            index += 1
        self._at += 1

    def _inline_table(self, path: tuple[Key, ...]) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        if self._text[self._skip(_BLANK)] == ",":
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        assert match is not None, f"the text was read as TOML, but not at {self._at}"
        self._at = match.end()
        return self._at

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)

    def _note(self, path: tuple[Key, ...], line: int) -> None:
        self.lines.setdefault(path, line)
