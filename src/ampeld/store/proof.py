"""Proves that the documents exist that an account tells of: points, states and dead letters."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import is_accepted
from ampeld.store.account import PartitionAccount, Problem
from ampeld.store.blocks import Block, BlockRow
from ampeld.store.connection import Connection
from ampeld.store.encode import decode_first
from ampeld.store.errors import translated
from ampeld.store.letters import letter_id

_AT_ONCE = 1000

Claim = tuple[BlockRow, frozenset[str], datetime]
"""A row, with the channels that accepted its alert, and when its block was written."""


class Proof:
    """Looks up what accounts claim.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, accounts: Iterable[PartitionAccount]) -> AsyncIterator[list[Problem]]:
        """Yield what is missing of the documents that accounts tell of, looked up for many rows at once."""
        waiting: list[Claim] = []
        for account in accounts:
            for block, rows in account.claims():
                waiting += [(row, accepting(block, row), block.written) for row in rows]
                if len(waiting) >= _AT_ONCE:
                    yield await self._check(waiting)
                    waiting = []
        if waiting:
            yield await self._check(waiting)

    async def _check(self, claims: Sequence[Claim]) -> list[Problem]:
        accepted = [claim for claim in claims if claim[0].outcome is not Outcome.DEAD_LETTERED]
        dead = [row for row, _, _ in claims if row.outcome is Outcome.DEAD_LETTERED]
        points = await self._find("t0", {"_id": {"$in": [_own(row) for row, _, _ in accepted]}}, "stock channel first")
        states = await self._find(
            "t1",
            {
                "stock": {"$in": list({row.stock for row, _, _ in accepted})},
                "link": {"$in": list({link for row, _, _ in accepted for link in row.links.values()})},
            },
            "stock link channel",
        )
        letters = await self._find(
            "dead_letters", {"_id": {"$in": [letter_id(row.coordinates) for row in dead]}}, "_id"
        )
        by_id = {point["_id"]: point for point in points}
        by_link = {(state["stock"], state["link"]): state for state in states}
        present = {letter["_id"] for letter in letters}
        found = [
            (row, what, written)
            for row, channels, written in accepted
            for what in (*wrong_point(row, channels, by_id.get(_own(row))), *wrong_states(row, channels, by_link))
        ]
        gone = await self._purged({row.stock for row, _, _ in found}) if found else {}
        lacking = [
            _problem(row, what)
            for row, what, written in found
            if row.stock not in gone or gone[row.stock] < written  # it was met again behind that
        ]
        missing = [row for row in dead if letter_id(row.coordinates) not in present]
        return lacking + [_problem(row, "its dead letter does not exist") for row in missing]

    async def _purged(self, stocks: Collection[int | None]) -> dict[int | None, datetime]:
        """Return when those of these objects were deleted that no channel kept any longer."""
        found = await self._find("purged", {"_id": {"$in": list(stocks)}}, "at")
        return {document["_id"]: document["at"] for document in found}

    async def _find(self, collection: str, match: Mapping[str, Any], fields: str) -> list[dict[str, Any]]:
        with translated():
            found: list[dict[str, Any]] = (
                await self._connection[collection].find(match, dict.fromkeys(fields.split(), 1)).to_list(None)
            )
        return found


def accepting(block: Block, row: BlockRow) -> frozenset[str]:
    """Return the channels whose code for a row says that they took the alert."""
    pairs = zip(block.channels, row.codes, strict=False)
    return frozenset(channel.name for channel, code in pairs if is_accepted(code))


def wrong_point(row: BlockRow, channels: frozenset[str], point: Mapping[str, Any] | None) -> list[str]:
    """Return what is wrong with the point of an accepted alert."""
    if point is None:
        return [f"its point {_own(row)} does not exist"]
    found = []
    if row.stock not in point["stock"]:
        found.append(f"its point {_own(row)} does not belong to object {row.stock}")
    if lacking := channels - set(point["channel"]):
        found.append(f"its point {_own(row)} lacks channel {', '.join(sorted(lacking))}")
    first = decode_first(point)
    if first is None or (first == row.coordinates) != (row.outcome is Outcome.STORED):
        whom = "no alert" if first is None else str(first)
        found.append(f"{row.outcome.name.lower()}, but its point {_own(row)} was first brought by {whom}")
    return found


def wrong_states(
    row: BlockRow, channels: frozenset[str], states: Mapping[tuple[int, int], Mapping[str, Any]]
) -> list[str]:
    """Return what is wrong with the states of an accepted alert."""
    found = []
    if channels != row.links.keys():
        found.append(f"accepted by {', '.join(sorted(channels))} but with states for {', '.join(sorted(row.links))}")
    for channel, link in row.links.items():
        state = states.get((row.stock or 0, link))
        if state is None:
            found.append(f"its state {link} of object {row.stock} does not exist")
        elif channel not in state["channel"]:
            found.append(f"its state {link} of object {row.stock} lacks channel {channel}")
    return found


def _own(row: BlockRow) -> int | None:
    """Return the id of the alert's own point; a row without one has been tampered with."""
    return row.candid if row.point is None else row.point


def _problem(row: BlockRow, what: str) -> Problem:
    where = row.coordinates
    return Problem(where.topic, where.partition, where.offset, row.through, what)
