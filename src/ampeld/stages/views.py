"""Remembers an object's points from one flush to the next, so that they need not be read again while nobody wrote.

What is remembered with a revision is everything that is stored of the object by those who swapped it up to there: the
points were read behind the object's document, and its revision was still the same when it was swapped. Whoever has
written points since, and has not swapped yet, will lose its swap and plan again. So a plan made from a view with the
revision that was just read is as right as one made from the points (`ampeld.stages.deduplicate`), and a view decides
nothing: a point that was written by somebody else meanwhile is met at its insertion.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from ampeld.store.documents import ObjectDocument, StoredPoint

View = Mapping[int, StoredPoint]
"""The points of an object by id."""

MOST_POINTS: Final = 60_000
"""Some 20 MB: a night's accepted objects, or two thousand of a channel that accepts everything."""


class Views:
    """The views of the objects that were written last.

    Parameters
    ----------
    most_points
        How many points are remembered.
    """

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self._most = most_points
        self._held: OrderedDict[int, tuple[int, View]] = OrderedDict()
        self._points = 0

    def __len__(self) -> int:
        return self._points

    def find(self, stock: int, document: ObjectDocument | None) -> View | None:
        """Return the points of an object whose document was just read, None where they have to be read."""
        rev, view = self._held.get(stock, (0, None))
        return view if document is not None and document.rev == rev else None

    def keep(self, stock: int, rev: int, view: View) -> None:
        """Remember the points of an object as they are at a revision."""
        self.forget(stock)
        self._held[stock] = rev, view
        self._points += len(view)
        while self._points > self._most:
            _, (_, gone) = self._held.popitem(last=False)
            self._points -= len(gone)

    def forget(self, stock: int) -> None:
        """Forget an object."""
        _, view = self._held.pop(stock, (0, {}))
        self._points -= len(view)
