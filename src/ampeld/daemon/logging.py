"""Logs as data on standard error: our own events and what the libraries say, through one door, never too many."""

import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import orjson
import stamina
import structlog
from structlog.typing import EventDict, Processor

from ampeld.daemon.limit import LineLimiter
from ampeld.daemon.secret import HIDDEN

OURS = "ampeld"

_LIBRARIES = ("aiokafka", "pymongo", "motor", "asyncio", "kafka", "concurrent")
_OF_SUPPRESSED = ("lines", "of", "template")
_FORGED = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))}
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes one line per record, as many as the limiter allows, with every secret blotted out."""

    def __init__(self, stream: TextIO, secrets: Sequence[str], limiter: LineLimiter, *, priorities: bool) -> None:
        super().__init__(stream)
        self.limiter = limiter
        self._hidden = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._priorities = priorities

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record if there is room, after the news of what was left out before."""
        for (name, message), count in self.limiter.take_suppressed():
            news = logging.LogRecord(OURS, logging.WARNING, "", 0, "log.suppressed", None, None)
            vars(news).update(zip(_OF_SUPPRESSED, (count, name, message), strict=True))
            super().emit(news)
        chatter = record.levelno <= logging.INFO and record.name.partition(".")[0] == OURS
        if self.limiter.allows((record.name, _template(record)), repeats=chatter):
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        line = super().format(record)
        for text in self._hidden:
            line = line.replace(text, HIDDEN)
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{line}" if self._priorities else line


def configure_logging(form: str, level: str, secrets: Sequence[str], stream: TextIO | None = None) -> None:
    """Send every log of this process to standard error; calling it again replaces what was set before.

    Parameters
    ----------
    form
        ``json``, ``console``, or ``auto``: console on a terminal, else json.
    level
        ``debug``, ``info``, ``warning`` or ``error``; libraries say warnings at least.
    secrets
        Texts that must not appear.
    stream
        Where to instead of standard error.
    """
    stream = stream or sys.stderr
    console = form == "console" or (form == "auto" and stream.isatty())
    handler = LimitedHandler(stream, secrets, LineLimiter(), priorities=not console and _is_journal(stream))
    handler.setFormatter(_formatter(console=console, colors=stream.isatty()))
    number = getattr(logging, level.upper())
    stamina.instrumentation.set_on_retry_hooks([])  # whoever retries tells of it in his own words
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(number, logging.WARNING))
    logging.getLogger(OURS).setLevel(number)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def suppressed_lines() -> int:
    """Return how many lines of this process's log were left out."""
    return sum(handler.limiter.suppressed for handler in logging.root.handlers if isinstance(handler, LimitedHandler))


def _formatter(*, console: bool, colors: bool) -> logging.Formatter:
    foreign: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(_OF_SUPPRESSED),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [_escape, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_to_json)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=foreign,
        processors=[_name, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _name(_: Any, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    named: dict[str, Any] = {"timestamp": event.pop("timestamp", None) or _now()}
    named |= {"level": event.pop("level", ""), "event": event.pop("event", "")}
    if record.name.partition(".")[0] != OURS:
        named["logger"] = record.name
    return {**named, **event}


def _escape(_: Any, __: str, event: EventDict) -> EventDict:
    """Make control characters visible: nobody's text may forge a line or colour a terminal."""
    return {key: value.translate(_FORGED) if isinstance(value, str) else value for key, value in event.items()}


def _now() -> str:
    return str(structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"])


def _to_json(event: Any, **_: Any) -> str:
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(event, default=str, option=options).decode()
    except (TypeError, ValueError):  # a number beyond 64 bits, a lone surrogate
        return json.dumps(event, default=str)


def _template(record: logging.LogRecord) -> str:
    """Return what is the same in all the lines that one statement of the source writes."""
    if isinstance(record.msg, dict):
        return str(record.msg.get("event", ""))
    return record.msg if isinstance(record.msg, str) else type(record.msg).__name__


def _forms(secret: str) -> set[str]:
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}


def _is_journal(stream: TextIO) -> bool:
    """Tell whether systemd's journal reads the stream, which then wants a priority before each line."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))
