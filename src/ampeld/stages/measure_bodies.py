"""The bodies that features are measured from: of each point the one that the store will hold behind this flush."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ampeld.errors import RetryableError
from ampeld.feature.light_curve import FIELDS
from ampeld.flow.plain import plain
from ampeld.flow.wanted import Recipe
from ampeld.stages.values import Piece
from ampeld.stages.views import Bodies
from ampeld.store.assemble import plain_body
from ampeld.store.documents import StoredBody

EVERYTHING: Final = "*"


class Measured(msgspec.Struct, frozen=True):
    """A point as it is measured."""

    id: int
    jd: float
    """[JD, UTC]; minus infinity for an object's record."""
    tag: tuple[str, ...]
    body: Mapping[str, Any]
    full: bool
    """Whether the body is that of an alert's own point."""


_encoder = msgspec.msgpack.Encoder(enc_hook=plain)
_decoder = msgspec.msgpack.Decoder(StoredBody)


def fields_read(surveys: Iterable[str], recipes: Iterable[Recipe]) -> tuple[str, ...] | None:
    """Return the fields of points' bodies that light curves and these units read; None: all."""
    of_curves = [name for survey in surveys for name in FIELDS[survey]]
    fields = dict.fromkeys([*of_curves, *(name for recipe in recipes for name in recipe.reads)])
    return None if EVERYTHING in fields else tuple(fields)


def ids_to_read(pieces: Mapping[int, Piece], points: Iterable[int]) -> list[int]:
    """Return which of these points' bodies are those that the store has: the alerts bring no better one."""
    return [number for number in points if _is_read(pieces[number])]


def remembered(bodies: Bodies, points: Iterable[int], fields: tuple[str, ...] | None) -> dict[int, StoredBody]:
    """Return what is remembered of stored bodies with exactly these fields."""
    if bodies.fields != fields:
        return {}
    packed = bodies.packed
    return {number: _decoder.decode(packed[number]) for number in points if number in packed}


def to_remember(chosen: Mapping[int, Measured], old: Mapping[int, StoredBody], before: Bodies) -> dict[int, bytes]:
    """Return bodies as they are remembered; those that were remembered ``before``, and have not changed, stay."""
    return {
        number: before.packed[number]
        if number in old and old[number].body is point.body
        else _encoder.encode(StoredBody(point.tag, point.body, point.full))
        for number, point in chosen.items()
    }


def _is_read(piece: Piece) -> bool:
    if piece.stored is None:
        return False
    return piece.stored.first is not None or piece.head is None or not piece.head.full


def choose_bodies(
    pieces: Mapping[int, Piece],
    points: Collection[int],
    found: Mapping[int, StoredBody],
    fields: tuple[str, ...] | None,
) -> dict[int, Measured]:
    """Return points as the store will hold them behind this flush.

    A full body that is stored stays; else the alerts' full one replaces it; else the stored one stays; else theirs
    becomes it.

    Raises
    ------
    RetryableError
        If a point has gone meanwhile, with its object: everything is planned again.
    """
    chosen = {}
    brought: dict[int, list[Piece]] = {}
    for number in points:
        piece = pieces[number]
        head, held = piece.head, found.get(number)
        if held is not None and (held.full or head is None or not head.full):
            chosen[number] = Measured(number, piece.known.jd, held.tag, held.body, held.full)
        elif head is not None:
            brought.setdefault(id(piece.source), []).append(piece)
        else:
            raise RetryableError(f"point {number} has gone while its object was measured")
    for of_one in brought.values():
        for piece, body in zip(of_one, _read(of_one, fields), strict=True):
            assert piece.head is not None
            number = piece.known.id
            chosen[number] = Measured(number, piece.known.jd, piece.head.tag, body, piece.head.full)
    return chosen


def _read(pieces: Sequence[Piece], fields: tuple[str, ...] | None) -> Sequence[Mapping[str, Any]]:
    """Return the bodies that one alert brings of some points."""
    source = pieces[0].source
    if fields is None or source is None or source.fields is None:
        whole = [plain_body(piece.body()) for piece in pieces]
        return whole if fields is None else [{n: body[n] for n in fields if n in body} for body in whole]
    return source.fields([piece.head.index for piece in pieces if piece.head is not None], fields)
