"""The union of what is stored of an object and what its accepted alerts bring: one piece for each point."""

from collections.abc import Mapping, Sequence

import msgspec

from ampeld.alert.point import Head, KnownPoint
from ampeld.stages.values import Accepted
from ampeld.store.documents import StoredPoint


class Piece:
    """One point of an object: what is stored of it, and what the alerts add."""

    __slots__ = ("carriers", "first", "head", "known", "source", "stored")

    def __init__(self, stored: StoredPoint | None, known: KnownPoint) -> None:
        self.stored = stored
        self.known = known
        self.head: Head | None = None
        """The one with the richest body that the alerts bring, of the alert ``source``."""
        self.source: Accepted | None = None
        self.carriers: list[Accepted] = []
        """The alerts that brought it, in their order."""
        self.first: Accepted | None = None
        """The one whose own point it is."""


def unite(alerts: Sequence[Accepted], stored: Mapping[int, StoredPoint]) -> dict[int, Piece]:
    """Return the pieces of an object by point id."""
    pieces = {number: Piece(point, point.known) for number, point in stored.items()}
    for alert in alerts:
        for head in alert.heads:
            piece = pieces.get(head.id)
            if piece is None:
                known = KnownPoint(head.id, head.jd, head.rcid, head.programid, alert.jd)
                piece = pieces[head.id] = Piece(None, known)
            elif alert.jd < piece.known.since:
                piece.known = msgspec.structs.replace(piece.known, since=alert.jd)
            piece.carriers.append(alert)
            if piece.head is None or (head.full and not piece.head.full):
                piece.head, piece.source = head, alert
            if head.full and piece.first is None:
                piece.first = alert
    return pieces
