"""A parameter's value that remembers the parameter: a limit in an explanation can then say whose it is."""

from typing import Any, Final


class Named:
    """A number or text that came from a parameter."""

    parameter: str


class _NamedInt(int, Named):
    pass


class _NamedFloat(float, Named):
    pass


class _NamedStr(str, Named):
    __slots__ = ("parameter",)


_KINDS: Final[dict[type, Any]] = {int: _NamedInt, float: _NamedFloat, str: _NamedStr}


def named(value: Any, parameter: str) -> Any:
    """Return the same number or text with the name of its parameter; anything else as it is."""
    kind = _KINDS.get(type(value))
    if kind is None:
        return value
    marked = kind(value)
    marked.parameter = parameter
    return marked
