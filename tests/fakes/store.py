"""A store in memory, held to the same contract as the real one, that can be told to fail and to be raced."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ampeld.alert.point import KnownPoint
from ampeld.alert.survey import PUBLIC
from ampeld.errors import RetryableError
from ampeld.flow.record import Coordinates
from ampeld.store.account import PartitionAccount, gaps_of
from ampeld.store.blocks import Block, BlockRow, decode_block, encode_account, rows_of
from ampeld.store.documents import (
    Account,
    Begun,
    ChannelFailure,
    DeadLetter,
    ObjectDocument,
    PointChange,
    PointDocument,
    StateChange,
    StoredPoint,
)
from ampeld.store.encode import jd_of, rcid_of
from ampeld.store.report import LedgerReport, ReportBuilder
from fakes.features import MemoryFeatures

META_KEPT = 20


def keep_newest(meta: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add provenance that is new by (alert, channel) and keep the newest entries by jd."""
    held = {(entry.get("alert"), entry.get("channel")) for entry in meta}
    both = [dict(entry) for entry in meta]
    both += [dict(entry) for entry in new if entry and (entry.get("alert"), entry.get("channel")) not in held]
    return sorted(both, key=lambda entry: (entry["jd"], entry["alert"], entry["channel"]))[-META_KEPT:]


def merge(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """Return the old list followed by what is new."""
    return list(dict.fromkeys([*old, *new]))


class MemoryStore(MemoryFeatures):
    """The `Store` port on dictionaries.

    Attributes
    ----------
    points, objects, states
        The documents, in the shape that the database holds (states by (stock, link)).
    accounts, dead_letters, failures, gaps
        What `write_account` and `record_gap` wrote; dead letters, failures and gaps by their ids.
    calls
        How often each method was called, failed calls included.
    before_swap
        Called before a swap looks at revisions: the place for a test to play the other daemon.
    """

    def __init__(self) -> None:
        super().__init__()
        self.points: dict[int, dict[str, Any]] = {}
        self.objects: dict[int, ObjectDocument] = {}
        self.states: dict[tuple[int, int], dict[str, Any]] = {}
        self.versions: dict[str, list[str]] = {}
        self.descriptions: dict[str, dict[str, Any]] = {}
        self.accounts: list[Account] = []
        self.dead_letters: dict[str, DeadLetter] = {}
        self.failures: dict[str, ChannelFailure] = {}
        self.gaps: dict[str, dict[str, Any]] = {}
        self.begun: dict[tuple[str, str, int], Begun] = {}
        self.calls: Counter[str] = Counter()
        self.before_swap: Callable[[Sequence[tuple[int, ObjectDocument]]], Awaitable[None]] | None = None
        self._failing: Counter[str] = Counter()
        self._after: set[str] = set()

    def fail_next(self, method: str, times: int = 1, *, after: bool = False) -> None:
        """Make the next calls of a method raise a RetryableError, before or (``after``) behind their effect."""
        self._failing[method] = times
        (self._after.add if after else self._after.discard)(method)

    def _enter(self, method: str) -> None:
        self.calls[method] += 1
        if self._failing[method] and method not in self._after:
            self._failing[method] -= 1
            raise RetryableError(f"scripted failure of {method}")

    def _leave(self, method: str) -> None:
        if self._failing[method]:
            self._failing[method] -= 1
            raise RetryableError(f"scripted failure behind {method}")

    async def find_objects(self, stocks: Sequence[int]) -> Mapping[int, ObjectDocument]:
        self._enter("find_objects")
        return {stock: self.objects[stock] for stock in stocks if stock in self.objects}

    async def find_known(self, stocks: Sequence[int]) -> Mapping[int, Mapping[str, float]]:
        self._enter("find_known")
        return {stock: self.objects[stock].known for stock in stocks if stock in self.objects}

    async def find_points(self, stocks: Sequence[int]) -> Mapping[int, Mapping[int, StoredPoint]]:
        self._enter("find_points")
        return {
            stock: {id_: _stored(point, stock) for id_, point in self.points.items() if stock in point["stock"]}
            for stock in stocks
        }

    async def find_first(self, points: Sequence[int]) -> Mapping[int, Coordinates]:
        self._enter("find_first")
        found = {point: self.points[point]["first"] for point in points if point in self.points}
        return {point: Coordinates(**first) for point, first in found.items() if first is not None}

    async def write_points(self, new: Sequence[PointDocument], changed: Sequence[PointChange]) -> set[int]:
        self._enter("write_points")
        met = set()
        for point in new:
            if point.id in self.points:
                met.add(point.id)
                self._change_point(point, point.body if point.first is not None else None)
            else:
                self.points[point.id] = _fresh(point)
        for change in changed:
            self._change_point(change, change.body)
        self._leave("write_points")
        return met

    def _change_point(self, change: PointDocument | PointChange, body: Mapping[str, Any] | None) -> None:
        point = self.points.get(change.id)
        if point is None:
            return
        point["stock"] = merge(point["stock"], [change.stock])
        point["channel"] = merge(point["channel"], change.channel)
        point["tag"] = merge(point["tag"], change.tag)
        key = str(change.stock)
        point["since"][key] = min(point["since"].get(key, change.since), change.since)
        if body is not None:
            point["body"] = dict(body)
        if change.first is not None and point["first"] is None:
            point["first"] = dict(change.first)
        point["meta"] = keep_newest(point["meta"], [change.meta])

    async def swap_objects(self, objects: Sequence[tuple[int, ObjectDocument]]) -> set[int]:
        self._enter("swap_objects")
        if self.before_swap is not None:
            await self.before_swap(objects)
        lost = set()
        for rev, document in objects:
            held = self.objects.get(document.id)
            if (held.rev if held else 0) != rev:
                lost.add(document.id)
            else:
                self.objects[document.id] = document
        self._leave("swap_objects")
        return lost

    async def write_states(self, states: Sequence[StateChange]) -> None:
        self._enter("write_states")
        for change in states:
            fresh = {"stock": change.stock, "link": change.link, "dps": list(change.dps), "code": 0}
            held = self.states.setdefault((change.stock, change.link), fresh | {"channel": [], "tag": [], "meta": []})
            held["channel"] = merge(held["channel"], change.channel)
            held["tag"] = merge(held["tag"], change.tag)
            held["meta"] = keep_newest(held["meta"], change.meta)
        self._leave("write_states")

    async def register_version(self, version: str, description: Mapping[str, Any]) -> None:
        self._enter("register_version")
        self.descriptions[version] = dict(description)

    async def cut_numbers(self, version: str, names: Sequence[str]) -> Mapping[str, int]:
        self._enter("cut_numbers")
        cuts = self.versions[version] = merge(self.versions.get(version, []), names)
        return {name: number for number, name in enumerate(cuts)}

    async def write_account(self, account: Account) -> None:
        self._enter("write_account")
        for letter in account.dead_letters:
            self.dead_letters.setdefault(str(letter.record.coordinates), letter)
        for failure in account.failures:
            self.failures.setdefault(f"{failure.channel}/{failure.coordinates}", failure)
        self.accounts.append(account)
        self._leave("write_account")

    async def covered_to(self, group: str, topic: str, partition: int) -> int | None:
        self._enter("covered_to")
        ends = [
            part.end
            for account in self.accounts
            if account.group == group
            for part in account.rows.parts
            if (part.topic, part.partition) == (topic, partition)
        ]
        return max(ends, default=None)

    async def record_begun(self, group: str, begun: Sequence[Begun]) -> None:
        self._enter("record_begun")
        for place in begun:
            held = self.begun.setdefault((group, place.topic, place.partition), place)
            ends = [end for end in (held.end, place.end) if end is not None]
            self.begun[group, place.topic, place.partition] = Begun(
                place.topic, place.partition, min(held.first, place.first), max(ends, default=None)
            )

    async def record_gap(self, gap: Mapping[str, Any]) -> None:
        self._enter("record_gap")
        held = self.gaps.setdefault(f"{gap['topic']}/{gap['partition']}/{gap['first']}", dict(gap))
        held["end"] = max(held["end"], gap["end"])

    def report(self, committed: Mapping[tuple[str, int], int] | None = None) -> LedgerReport:
        """Return the ledger report of what was written, without the proof that documents exist."""
        gaps = gaps_of(list(self.gaps.values()))
        pieces: dict[tuple[str, int], list[tuple[Block, slice]]] = {place: [] for place in gaps}
        for number, account in enumerate(self.accounts):
            for document in encode_account(account):
                block = decode_block(document | {"written": datetime.fromtimestamp(number, UTC)})
                for part, rows in block.slices():
                    pieces.setdefault((part.topic, part.partition), []).append((block, rows))
        builder = ReportBuilder(self.versions)
        for place, held in pieces.items():
            builder.add(PartitionAccount(*place, held), gaps.get(place, ()), (committed or {}).get(place))
        return builder.report()

    @property
    def rows(self) -> dict[Coordinates, BlockRow]:
        """Return the newest row of each coordinates over all accounts."""
        return {row.coordinates: row for account in self.accounts for row in account_rows(account)}


def account_rows(account: Account) -> list[BlockRow]:
    """Return the rows of an account, as they are read back from its blocks."""
    return [row for document in encode_account(account) for row in rows_of(decode_block(document))]


def _fresh(point: PointDocument) -> dict[str, Any]:
    return {
        "id": point.id,
        "stock": [point.stock],
        "channel": list(point.channel),
        "tag": list(point.tag),
        "body": dict(point.body),
        "since": {str(point.stock): point.since},
        "first": dict(point.first) if point.first is not None else None,
        "meta": keep_newest([], [point.meta]),
    }


def _stored(point: Mapping[str, Any], stock: int) -> StoredPoint:
    body = point["body"]
    known = KnownPoint(
        id=point["id"],
        jd=jd_of(body),
        rcid=rcid_of(body),
        programid=body.get("programid", PUBLIC),
        since=point["since"][str(stock)],
    )
    first = point["first"]
    return StoredPoint(known, frozenset(point["channel"]), Coordinates(**first) if first is not None else None)
