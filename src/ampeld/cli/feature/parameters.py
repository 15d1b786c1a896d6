"""The parameters of a unit as they are typed: ``--set KEY=VALUE``, values in TOML."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any

import msgspec

from ampeld.errors import ConfigError


def typed_parameters(options: Sequence[str]) -> dict[str, Any]:
    """Return what ``--set`` options say; a later one overrules an earlier one.

    ``KEY`` is as in a TOML file, so that ``features.EtaE={}`` sets a part of a table; what is no value in TOML is one
    in JSON, else text.

    Raises
    ------
    ConfigError
        Naming every option that is no ``KEY=VALUE``.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    for option in options:
        try:
            found = _merged(found, _table(option))
        except ValueError:
            problems.append(f"--set {option}: expected KEY=VALUE, as in --set min_det=3 or --set features.EtaE={{}}")
    if problems:
        raise ConfigError(problems)
    return found


def _table(option: str) -> dict[str, Any]:
    key, equals, text = option.partition("=")
    if not equals:
        raise ValueError(option)
    table = tomllib.loads(f"{key} = 0")
    way = list(_way(table))
    if "\n" in key or len(way) != _depth(table):
        raise ValueError(key)
    value = _value(text.strip())
    for name in reversed(way):
        value = {name: value}
    return dict(value)


def _value(text: str) -> Any:
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    if document.keys() != {"value"} or isinstance(document["value"], date | time):
        return text  # a date is text to a unit
    return document["value"]


def _way(table: Mapping[str, Any]) -> Iterator[str]:
    for name, inner in table.items():
        yield name
        if isinstance(inner, dict):
            yield from _way(inner)


def _depth(table: Any) -> int:
    return 1 + max(map(_depth, table.values()), default=0) if isinstance(table, dict) else 0


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(one[name], other[name])
        for name in one.keys() & other.keys()
        if isinstance(one[name], dict) and isinstance(other[name], dict) and other[name]
    }
    return {**one, **other, **both}
