"""What was computed on a batch and may be asked for again: a hundred channels pay for a common expression once."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from ampeld.channel.operators import Operators

T = TypeVar("T")

ROOM = 128
"""Results that one filter may leave to the others: one that computes in a loop does not fill the memory."""


class Memo:
    """Results by the expression that they came from.

    The results refer to the columns and these to the memo: `clear` undoes that knot, so that a batch is freed with its
    last user and does not wait for the garbage collector.

    Parameters
    ----------
    room
        How many results are taken before the next `open`; 0 keeps none.
    """

    __slots__ = ("_found", "_room", "get")

    def __init__(self, room: int = ROOM) -> None:
        self._found: dict[Hashable, Any] = {}
        self._room = room
        self.get = self._found.get

    def __len__(self) -> int:
        return len(self._found)

    def put(self, key: Hashable, result: Any) -> None:
        """Keep a result, as long as there is room."""
        if self._room > 0:
            self._room -= 1
            self._found[key] = result

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of this name, made now if it is not there; None is no result."""
        found: T | None = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found

    def open(self) -> None:
        """Make room for the results of the next filter."""
        self._room = ROOM

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()
        self._room = 0


NO_MEMO = Memo(0)
"""For columns that stand alone."""


def key_of(ufunc: np.ufunc, inputs: tuple[object, ...]) -> Hashable | None:
    """Return what names the result of a numpy function on columns and numbers, None where nothing does.

    A number goes by its type too: ``2`` and ``2.0`` are equal, and what comes of them is not. Zero stays out, because
    ``0.0`` and ``-0.0`` are equal as well.
    """
    key: list[Hashable] = [ufunc]
    for one in inputs:
        if isinstance(one, Operators):
            key.append(one.token)
        elif type(one) is str or (type(one) in (int, float) and one):
            key.append((type(one), one))
        else:
            return None
    return tuple(key)
