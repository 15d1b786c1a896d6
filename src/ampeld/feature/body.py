"""From what a unit returned to a body that every store can hold, or a complaint that names the value."""

import math
from collections.abc import Mapping
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
    if isinstance(measured, Undefined):
        return {UNDEFINED: {"*": _reason(measured)}}
    if not isinstance(measured, Mapping):
        raise NonsenseError(f"measure returned {type(measured).__name__}, not a mapping nor Undefined")
    settler = _Settler()
    body = settler.table({key: value for key, value in measured.items() if key != UNDEFINED}, "", 0)
    given = measured.get(UNDEFINED) or {}
    reasons = settler.reasons | {
        str(key): _reason(why) if isinstance(why, Undefined) else str(why) for key, why in given.items()
    }
    return body | ({UNDEFINED: reasons} if reasons else {})


def _reason(undefined: Undefined) -> str:
    return f"{undefined.reason}: {undefined.detail}" if undefined.detail else undefined.reason


class _Settler:
    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._leaves = MOST_LEAVES
        self._characters = MOST_CHARACTERS

    def table(self, values: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        result = {}
        for key, value in values.items():
            if not isinstance(key, str):
                raise NonsenseError(f"{path or 'the body'} has a key that is no text: {key!r:.100}")
            self._text(key, path)
            result[key] = self.value(value, f"{path}.{key}" if path else key, depth + 1)
        return result

    def value(self, value: Any, path: str, depth: int) -> Any:
        self._leaves -= 1
        if self._leaves < 0:
            raise NonsenseError(f"more than {MOST_LEAVES} values, at {path}")
        if depth > _DEEPEST:
            raise NonsenseError(f"{path:.200} lies deeper than {_DEEPEST} levels")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Undefined):
            self.reasons[path] = _reason(value)
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
            return self.value(value.tolist(), path, depth)
        if isinstance(value, Mapping):
            return self.table(value, path, depth)
        if isinstance(value, list | tuple):
            return [self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        raise NonsenseError(f"{path} is of type {type(value).__name__}, which no body can hold")

    def _text(self, text: str, path: str) -> str:
        self._characters -= len(text)
        if self._characters < 0:
            raise NonsenseError(f"more than {MOST_CHARACTERS} characters of text, at {path}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise NonsenseError(f"{path} holds text that is no Unicode: {error.reason}") from error
        return text


def _finite(number: float, path: str) -> float:
    if not math.isfinite(number):
        raise NonsenseError(f"{path} is {number}: say Undefined with a reason instead")
    return number


def _integer(number: int, path: str) -> int:
    if not -(2**63) <= number < 2**63:
        raise NonsenseError(f"{path} does not fit 64 bits: {number:.6g}")
    return number
