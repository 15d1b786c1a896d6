"""From the words on a command line to sources of alerts: paths, ``kafka:…`` and ``sim:…``."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.source.span import Span
from ampeld.testing.sources import AlertSource, FileAlerts, KafkaAlerts, SimulatedAlerts

SIMULATED: Final = "sim:"
KAFKA: Final = "kafka:"
DEFAULT_ALERTS: Final = 1000
"""How many alerts the simulator gives when it is not told."""

HELP: Final = (
    "Where the alerts come from: .avro files, directories and tar archives; kafka:TOPIC[@START[..END]] from the "
    "configured brokers, with times like 2025-08-01T04:00 in UTC; or the simulator, sim:SEED[:ALERTS]."
)

Word = str | Path
"""A source as it is written: see `HELP`."""

_SIM = re.compile(r"(?P<seed>\d{1,18})(?::(?P<alerts>[1-9]\d{0,8}))?")


def open_sources(words: Sequence[Word], settings: Settings) -> list[AlertSource]:
    """Return the sources that are meant; paths that follow one another are one.

    Raises
    ------
    ConfigError
        With everything that is wrong with any of them.
    """
    opened: list[AlertSource] = []
    problems: list[str] = []
    for special, group in groupby(words, _special):
        try:
            if special is None:
                opened.append(FileAlerts([Path(word) for word in group], settings.source.max_message_bytes))
            elif special.startswith(SIMULATED):
                opened.append(_simulated(special, settings))
            else:
                opened.append(KafkaAlerts(settings, parse_span(special)))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return opened


def _special(word: Word) -> str | None:
    return word if isinstance(word, str) and word.startswith((SIMULATED, KAFKA)) else None


def _simulated(word: str, settings: Settings) -> SimulatedAlerts:
    found = _SIM.fullmatch(word.removeprefix(SIMULATED))
    if found is None:
        raise ConfigError([f"{word}: expected sim:SEED[:ALERTS], as in sim:7:2000"])
    if settings.source.survey != "ztf":
        raise ConfigError([f"{word}: the simulator makes ZTF alerts, and source.survey = {settings.source.survey!r}"])
    return SimulatedAlerts(int(found["seed"]), int(found["alerts"] or DEFAULT_ALERTS))


def parse_span(word: str) -> Span:
    """Return what ``kafka:TOPIC[@START[..END]]`` means; times without a zone are UTC.

    Raises
    ------
    ConfigError
        If a time is none, or the end lies before the start.
    """
    topic, _, times = word.removeprefix(KAFKA).partition("@")
    begin, _, end = times.partition("..")
    try:
        span = Span(topic, _time(begin), _time(end))
    except ValueError as error:
        raise ConfigError(
            [f"{word}: {error}; expected kafka:TOPIC[@START[..END]], times like 2025-08-01T04:00"]
        ) from None
    if not topic:
        raise ConfigError([f"{word}: no topic is named; expected kafka:TOPIC[@START[..END]]"])
    if span.begin is not None and span.end is not None and span.end <= span.begin:
        raise ConfigError([f"{word}: the end does not lie behind the start"])
    return span


def _time(text: str) -> datetime | None:
    if not text:
        return None
    time = datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
