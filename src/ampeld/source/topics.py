"""Which topics are meant: names, regular expressions and nightly templates, resolved against those that exist."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ampeld.errors import ConfigError

NIGHTS = 8
"""A template stands for tonight and the seven nights before: one more than brokers usually keep."""

_FIELD = re.compile(r"\{night(?::(?P<format>[^{}]*))?\}")


class Resolved(msgspec.Struct, frozen=True):
    """The topics to read now, and those asked for by name that do not exist."""

    topics: frozenset[str]
    missing: frozenset[str]


def check_topics(patterns: Sequence[str]) -> None:
    """Refuse patterns that cannot mean a topic.

    Raises
    ------
    ConfigError
        Naming every bad expression, template and name.
    """
    problems = [problem for pattern in patterns if (problem := _problem(pattern)) is not None]
    if problems or not patterns:
        raise ConfigError(problems or ["source.topics: no topic is named"])


def _problem(pattern: str) -> str | None:
    if pattern.startswith("^"):
        try:
            re.compile(pattern)
        except re.error as error:
            return f"source.topics: {pattern!r} is no regular expression: {error}"
        return None
    plain = pattern
    if "{night" in pattern:
        if len(set(names_of_nights(pattern, datetime(2018, 8, 19, tzinfo=UTC)))) < NIGHTS:
            return f"source.topics: {pattern!r} does not give every night a name: write {{night:%Y%m%d}}"
        plain = _FIELD.sub("night", pattern)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", plain):
        return f"source.topics: {pattern!r} is no name of a topic (letters, digits, '.', '_' and '-')"
    return None


def names_of_nights(template: str, now: datetime) -> list[str]:
    """Return the names that a template gives to tonight and the nights before, the oldest first."""
    today = now.astimezone(UTC)
    nights = [today - timedelta(days=back) for back in reversed(range(NIGHTS))]
    return [_FIELD.sub(lambda field: f"{night:{field['format'] or '%Y%m%d'}}", template) for night in nights]  # noqa: B023


def resolve(patterns: Sequence[str], existing: Iterable[str], now: datetime) -> Resolved:
    """Return which existing topics the patterns mean now; internal ones are never meant by an expression."""
    known = frozenset(existing)
    topics: set[str] = set()
    missing: set[str] = set()
    for pattern in patterns:
        if pattern.startswith("^"):
            topics |= _matching(pattern, known)
        elif "{night" in pattern:
            topics |= known.intersection(names_of_nights(pattern, now))
        elif pattern in known:
            topics.add(pattern)
        else:
            missing.add(pattern)
    return Resolved(frozenset(topics), frozenset(missing))


def ever_meant(patterns: Sequence[str], existing: Iterable[str]) -> frozenset[str]:
    """Return the existing topics that the patterns mean on any night: where this group may have committed before."""
    known = frozenset(existing)
    topics: set[str] = set()
    for pattern in patterns:
        if pattern.startswith("^"):
            topics |= _matching(pattern, known)
        elif "{night" in pattern:
            topics |= _matching("^" + ".+".join(map(re.escape, _FIELD.split(pattern)[::2])) + "$", known)
        else:
            topics |= known & {pattern}
    return frozenset(topics)


def _matching(expression: str, known: frozenset[str]) -> set[str]:
    matches = re.compile(expression).match
    return {topic for topic in known if not topic.startswith("__") and matches(topic)}
