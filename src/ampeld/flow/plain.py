"""Values as messages can hold them: a database has kinds of its own for numbers and texts."""

from typing import Any, Final

_PLAIN: Final[tuple[type[Any], ...]] = (int, float, str, bytes)


def plain(value: Any) -> Any:
    """Return what a number or text of a kind of its own is: the ``enc_hook`` of whoever packs what was stored.

    Raises
    ------
    TypeError
        If it is neither.
    """
    for kind in _PLAIN:
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"no message can hold {type(value).__name__}")
