"""Secrets: read from where the configuration says, and never printed."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

HIDDEN = "***"

_WAYS = "a text, or one of { file = … }, { env = … }, { credential = … }"
_TOO_OPEN = 0o037  # beyond 0640: writable or executable by the group, anything for others


class Secret:
    """A text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be pickled")

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text


def find_secret(value: Any, base: Path, environ: Mapping[str, str]) -> Secret:
    """Return the secret that a value of the configuration is, or names the place of.

    Parameters
    ----------
    value
        A text, or a table of one key: ``file`` (relative to `base`), ``env``, or ``credential`` (of systemd).
    base
        The directory that relative files are relative to.
    environ
        The environment of the process.

    Raises
    ------
    ValueError
        If there is no such secret, or others may read it. The message never contains it.
    """
    if isinstance(value, str):
        return Secret(_not_empty(value))
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"expected {_WAYS}")
    [(way, name)] = value.items()
    if not isinstance(name, str):
        raise ValueError(f"expected a text as {way}")  # noqa: TRY004  every mistake is one line of a ConfigError
    match way:
        case "file":
            return Secret(_not_empty(_read(base / Path(name).expanduser())))
        case "env":
            return Secret(_not_empty(_look_up(name, environ)))
        case "credential":
            return Secret(_not_empty(_read_credential(name, environ)))
        case _:
            raise ValueError(f"expected {_WAYS}, not {way!r}")


def _look_up(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise ValueError(f"the environment has no variable {name}")
    return environ[name]


def _read_credential(name: str, environ: Mapping[str, str]) -> str:
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise ValueError(f"credential {name!r} needs systemd's LoadCredential= ($CREDENTIALS_DIRECTORY is not set)")
    if not re.fullmatch(r"[A-Za-z0-9_.@:-]+", name) or name in {".", ".."}:
        raise ValueError(f"{name!r} is no name of a credential")
    return _read(Path(directory, name))


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123  the mode is checked on what is read
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if mode & _TOO_OPEN:
                raise ValueError(
                    f"{path} has mode {mode:04o}: a secret is readable by its owner and group at most (0640)"
                )
            return file.read().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None  # the error's text would show its bytes


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text
