"""One value of the configuration, from what was written to what is meant."""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

import msgspec

from ampeld.daemon.secret import Secret, find_secret
from ampeld.daemon.sections import Listen, Night, Start

_SCHEME = re.compile(r"[a-z]+:")
_PLAIN = {"Expected `array`": "expected a list", "`array`": "list", "`str`": "text", "`bool`": "true or false", "`": ""}


class Origin(msgspec.Struct, frozen=True):
    """What a value may refer to: the directory of relative paths, the environment, and its text as it was typed."""

    base: Path
    environ: Mapping[str, str]
    text: str | None = None
    """None in a file, where values have types."""


def convert(value: Any, kind: Any, origin: Origin) -> Any:
    """Return the value as the kind that a setting has.

    Raises
    ------
    ValueError, msgspec.ValidationError
        If it is not of that kind; the message says what is expected, and never shows a secret.
    """
    if get_origin(kind) is Literal:
        return _choice(value, get_args(kind))
    for special, read in _SPECIAL:
        if kind == special:
            return read(value, origin)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        # what was typed on a command line may be a text that looks like JSON, or a list of one without its brackets
        for meant in (origin.text, [origin.text]) if origin.text is not None else ():
            try:
                return msgspec.convert(meant, kind)
            except msgspec.ValidationError:
                continue
        raise


def plain(message: str) -> str:
    """Return a message of msgspec in the words of TOML."""
    for theirs, ours in _PLAIN.items():
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:]


def _choice(value: Any, choices: tuple[str, ...]) -> Any:
    if value in choices:
        return value
    close = difflib.get_close_matches(str(value).lower(), [choice.lower() for choice in choices], n=1)
    meant = next((f"; did you mean {choice!r}?" for choice in choices if [choice.lower()] == close), "")
    return _refuse(f"{value!r} is not one of {', '.join(choices)}{meant}")


def _secret(value: Any, origin: Origin) -> Secret:
    typed = origin.text is not None and not isinstance(value, dict)
    return find_secret(origin.text if typed else value, origin.base, origin.environ)


def _path(value: Any, origin: Origin) -> Path:
    name = msgspec.convert(value, str)
    return origin.base / Path(name).expanduser() if name else _refuse("is empty")


def _listen(value: Any, origin: Origin) -> str:
    address = msgspec.convert(value, str)
    scheme, unix, path = address.partition("unix:")
    return f"unix:{origin.base / Path(path).expanduser()}" if unix and not scheme and path else address


def _start(value: Any, _: Origin) -> str | datetime:
    if value in ("earliest", "latest"):
        return str(value)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if not isinstance(moment, datetime):
        _refuse(f"{value!r} is neither earliest nor latest nor a time like 2025-08-01T04:00:00Z")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _night(value: Any, origin: Origin) -> list[str]:
    if origin.text is not None and not isinstance(value, list):
        value = [origin.text]
    sources = msgspec.convert(value, Night)
    return [text if _SCHEME.match(text) else str(origin.base / Path(text).expanduser()) for text in sources]


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


_SPECIAL: tuple[tuple[Any, Callable[[Any, Origin], Any]], ...] = (
    (Secret, _secret),
    (Secret | None, _secret),
    (Path, _path),
    (Path | None, _path),
    (Listen, _listen),
    (Start, _start),
    (Night, _night),
)
