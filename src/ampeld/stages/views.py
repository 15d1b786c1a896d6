"""Remembers an object's points from one flush to the next, so that they need not be read again while nobody wrote.

What is remembered with a revision is everything that is stored of the object by those who swapped it up to there: the
points were read behind the object's document, and its revision was still the same when it was swapped. Whoever has
written points since, and has not swapped yet, will lose its swap and plan again. So a plan made from a view with the
revision that was just read is as right as one made from the points (`ampeld.stages.deduplicate`), and a view decides
nothing: a point that was written by somebody else meanwhile is met at its insertion.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ampeld.store.documents import ObjectDocument, StoredPoint

LONGEST_S: Final = 12 * 3600.0
"""An object may be purged, and made again up to an equal revision: not within half a day, and then nothing of it is
remembered."""

View = Mapping[int, StoredPoint]
"""The points of an object by id."""

MOST_POINTS: Final = 60_000
"""Some 20 MB, with bodies 40: a night's accepted objects, or two thousand of a channel that accepts everything."""


class Bodies(msgspec.Struct, frozen=True):
    """The bodies of an object's points as features were measured from them, at the revision of its view."""

    fields: tuple[str, ...] | None
    """Which fields they have; None: all."""
    packed: Mapping[int, bytes]
    """By id: a `StoredBody` as MessagePack, in a tenth of the memory of a dictionary."""


NO_BODIES: Final = Bodies((), {})


class _Held(msgspec.Struct, frozen=True):
    rev: int
    view: View
    bodies: Bodies
    since: float


class Views:
    """The views of the objects that were written last.

    Parameters
    ----------
    most_points
        How many points are remembered.
    clock
        Returns seconds since whenever, never turned back.
    """

    def __init__(self, most_points: int = MOST_POINTS, *, clock: Callable[[], float]) -> None:
        self._most = most_points
        self._clock = clock
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._points = 0

    def __len__(self) -> int:
        return self._points

    def find(self, stock: int, document: ObjectDocument | None) -> View | None:
        """Return the points of an object whose document was just read, None where they have to be read."""
        self._forget_old()
        held = self._held.get(stock)
        return held.view if held is not None and document is not None and document.rev == held.rev else None

    def bodies(self, stock: int, document: ObjectDocument) -> Bodies:
        """Return what is remembered of the bodies of the points of an object whose document was just read."""
        held = self._held.get(stock)
        return held.bodies if held is not None and document.rev == held.rev else NO_BODIES

    def keep(self, stock: int, rev: int, view: View, bodies: Bodies = NO_BODIES) -> None:
        """Remember the points of an object as they are at a revision, and bodies of some of them."""
        self.forget(stock)
        self._held[stock] = _Held(rev, view, bodies, self._clock())
        self._points += len(view)
        while self._points > self._most:
            self._forget_oldest()

    def forget(self, stock: int) -> None:
        """Forget an object."""
        held = self._held.pop(stock, None)
        if held is not None:
            self._points -= len(held.view)

    def _forget_old(self) -> None:
        before = self._clock() - LONGEST_S
        while self._held and next(iter(self._held.values())).since < before:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, gone = self._held.popitem(last=False)
        self._points -= len(gone.view)
