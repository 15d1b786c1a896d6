"""The union of what is stored of an object and what its accepted alerts bring: one piece for each point."""

from collections.abc import Mapping, Sequence

import msgspec

from ampeld.alert.point import KnownPoint
from ampeld.stages.values import Accepted, Piece
from ampeld.store.documents import StoredPoint


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
