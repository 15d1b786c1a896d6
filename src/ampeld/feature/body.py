"""From what a unit returned to a body that every store can hold, or a complaint that names the value."""

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, Final

import numpy as np

from ampeld.errors import AmpeldError
from ampeld.feature.unit import Measured, Undefined

UNDEFINED: Final = "undefined"
"""The key of a body under which the reasons stand, by key; ``*`` is the whole body."""
MOST_LEAVES: Final = 20_000
"""Values in a body: some hundred kilobytes, and far below the 16 MiB of a document."""
MOST_CHARACTERS: Final = 500_000
"""Of all texts of a body together."""
_DEEPEST: Final = 20


class NonsenseError(AmpeldError):
    """A unit returned what no body can hold."""


def settle(measured: Measured) -> dict[str, Any]:
    """Return the body: plain values, None where a value is Undefined, with the reasons under ``undefined``.

    Raises
    ------
    NonsenseError
        If it holds NaN, an infinity, an object of no plain type, or too much; it names the key.
    """
    settler = _Settler()
    if isinstance(measured, Undefined):
        return {UNDEFINED: {"*": settler.reason(measured, "*")}}
    if not isinstance(measured, Mapping):
        raise NonsenseError(f"measure returned {type(measured).__name__}, not a mapping nor Undefined")
    given = measured.get(UNDEFINED, {})
    plain = {key: value for key, value in measured.items() if key != UNDEFINED} if UNDEFINED in measured else measured
    body = settler.table(plain, "", 0)
    if not isinstance(given, Mapping):
        raise NonsenseError(f"{UNDEFINED} is of type {type(given).__name__}, not a mapping of reasons")
    settler.take_reasons(given)
    if settler.reasons:
        body[UNDEFINED] = settler.reasons
    return body


class _Settler:
    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._leaves = MOST_LEAVES
        self._characters = MOST_CHARACTERS

    def table(self, values: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        self._enter(len(values), path, depth)
        result: dict[str, Any] = {}
        for key, value in values.items():
            kind = type(value)
            known = type(key) is str and _is_plain_key(key)
            # Most are numbers, flags and reasons under keys that were seen before: the rest would double a body's time.
            if known and ((kind is float and isfinite(value)) or kind is bool or value is None):
                result[key] = value
            elif known and kind is Undefined and not path and (why := _plain_reason(value)) is not None:
                result[key] = None
                self.reasons[key] = why
                self._characters -= len(key) + len(why)
            else:
                name = key if known else self.key(key, path)
                result[name] = self.value(value, f"{path}.{name}" if path else name, depth + 1)
        self._count(sum(map(len, result)), path)
        return result

    def key(self, key: Any, path: str) -> str:
        if not isinstance(key, str):
            raise NonsenseError(f"{path or 'the body'} has a key that is no text: {key!r:.100}")
        if "\0" in key:
            raise NonsenseError(f"{path or 'the body'} has a key with a null character: {key!r:.100}")
        return _unicode(key, path)

    def take_reasons(self, given: Mapping[Any, Any]) -> None:
        for key, why in given.items():
            self.reasons[self._text(self.key(key, UNDEFINED), UNDEFINED)] = self.reason(why, key)

    def reason(self, why: Any, path: str) -> str:
        text = _reason(why) if isinstance(why, Undefined) else str(why)
        self._count(len(text), f"{UNDEFINED}.{path}")
        return _unicode(text, f"{UNDEFINED}.{path}")

    def value(self, value: Any, path: str, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Undefined):
            self._count(len(path), path)
            self.reasons[path] = self.reason(value, path)
            return None
        if isinstance(value, str | int | float):
            return self._scalar(value, path)
        return self._container(value, path, depth)

    def _scalar(self, value: str | float, path: str) -> str | int | float:
        if isinstance(value, str):
            return self._text(value, path)
        return _integer(int(value), path) if isinstance(value, int) else _finite(float(value), path)

    def _container(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            if value.size > self._leaves:  # before millions of values become Python's
                raise NonsenseError(f"more than {MOST_LEAVES} values, at {path:.200}")
            return self.value(value.tolist(), path, depth)
        if isinstance(value, Mapping):
            return self.table(value, path, depth)
        if isinstance(value, list | tuple):
            self._enter(len(value), path, depth)
            return [self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        raise NonsenseError(f"{path} is of type {type(value).__name__}, which no body can hold")

    def _enter(self, length: int, path: str, depth: int) -> None:
        self._leaves -= length
        if self._leaves < 0:
            raise NonsenseError(f"more than {MOST_LEAVES} values, at {path:.200}")
        if length and depth >= _DEEPEST:
            raise NonsenseError(f"{path:.200} lies deeper than {_DEEPEST} levels")

    def _text(self, text: str, path: str) -> str:
        self._count(len(text), path)
        return _unicode(text, path)

    def _count(self, characters: int, path: str) -> None:
        self._characters -= characters
        if self._characters < 0:
            raise NonsenseError(f"more than {MOST_CHARACTERS} characters of text, at {path:.200}")


@lru_cache(10_000)
def _is_plain_key(key: str) -> bool:
    return len(key) < 200 and key.isascii() and "\0" not in key


def _reason(why: Undefined) -> str:
    return f"{why.reason}: {why.detail}" if why.detail else why.reason


def _plain_reason(why: Undefined) -> str | None:
    text = _reason(why)
    return text if type(text) is str and _is_plain_key(text) else None


def _unicode(text: str, path: str) -> str:
    if text.isascii():
        return str(text)  # NumPy's texts are not plain
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NonsenseError(f"{path} holds text that is no Unicode: {error.reason}") from error
    return str(text)


def _finite(number: float, path: str) -> float:
    if not isfinite(number):
        raise NonsenseError(f"{path} is {number}: say Undefined with a reason instead")
    return number


def _integer(number: int, path: str) -> int:
    if not -(2**63) <= number < 2**63:
        raise NonsenseError(f"{path} does not fit 64 bits: it has {number.bit_length()}")
    return number
