"""Which files beside a channel file its features mean by the words ``decay.py:Decay``."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_WORDS: Final = re.compile(r"([\w./-]+\.py):[A-Za-z_]\w*")
_IN_SOURCE: Final = re.compile(rf"""["']{_WORDS.pattern}["']""")


def named_files(value: Any) -> Iterator[str]:
    """Yield the Python files that any of the texts in a value means: units, or parameters that name units."""
    if isinstance(value, str):
        if found := _WORDS.fullmatch(value):
            yield found[1]
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from named_files(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_files(item)


def named_in_source(source: str) -> Iterator[str]:
    """Yield the Python files that a module's source may mean: a unit may build upon one of another file."""
    return (found[1] for found in _IN_SOURCE.finditer(source))
