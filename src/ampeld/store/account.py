"""The account of one partition from its verdict blocks: what was received, how it ended, and what does not add up."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import BYPASSED, ERRORED, OVERRULED, SKIPPED, accepts
from ampeld.store.blocks import Block, BlockRow, rows_of
from ampeld.store.documents import Begun, ChannelVersion

Mask = NDArray[np.bool_]
Codes = dict[ChannelVersion, Counter[int]]

PROBLEMS_KEPT = 100
"""Problems of one kind that are listed for a partition; the last one says how many more there are."""

_FOLLOWED = (BYPASSED, OVERRULED)
_UNJUDGED = (SKIPPED, ERRORED)

_DATE = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()


class Problem(msgspec.Struct, frozen=True, order=True):
    """Something that does not add up, with the offsets that it is about, ``last`` included."""

    topic: str
    partition: int
    first: int
    last: int
    what: str

    def __str__(self) -> str:
        offsets = f"offset {self.first}" if self.first == self.last else f"offsets {self.first} to {self.last}"
        return f"{self.topic}/{self.partition} {offsets}: {self.what}"


class Gap(msgspec.Struct, frozen=True):
    """Offsets ``[first, end)`` that were lost before they were read, or (not ``lost``) that were never delivered."""

    first: int
    end: int
    lost: bool = True


def topic_night(topic: str) -> int | None:
    """Return the night in a topic's name, as days since 1970-01-01, None where there is no date.

    For a file, which is named by its path, only the last component counts.
    """
    for year, month, day in _DATE.findall(topic.rsplit("/", 1)[-1]):
        try:
            return (date(int(year), int(month), int(day)) - _EPOCH).days
        except ValueError:
            continue
    return None


class PartitionAccount:
    """The rows of one partition over all blocks, one for each coordinates: the one of the newest block.

    Parameters
    ----------
    topic, partition
        Where they stand.
    pieces : sequence of (Block, slice)
        The rows, each block's part with their place in it.
    night : int or None
        Count only the alerts of this night; coverage and agreement are looked at for all.
    """

    def __init__(
        self, topic: str, partition: int, pieces: Sequence[tuple[Block, slice]], *, night: int | None = None
    ) -> None:
        self.topic = topic
        self.partition = partition
        self._pieces = sorted(pieces, key=lambda piece: piece[0].written)
        self._piece = _joined([np.full(rows.stop - rows.start, i) for i, (_, rows) in enumerate(self._pieces)])
        self._row = _joined([np.arange(rows.start, rows.stop) for _, rows in self._pieces])
        self._offset = self._column("offset")
        self._outcome = self._column("outcome")
        order = np.lexsort((self._piece, self._offset))
        same = np.diff(self._offset[order]) == 0
        self._repeats = np.stack([order[:-1][same], order[1:][same]], axis=1)
        newest = order[np.append(~same, True)] if len(order) else order
        self._counted = newest[self._of_night(newest, night)]

    def _column(self, name: str) -> NDArray[Any]:
        return _joined([getattr(block, name)[rows] for block, rows in self._pieces])

    def _of_night(self, rows: NDArray[np.intp], night: int | None) -> Mask:
        named = topic_night(self.topic)
        if night is None or named is not None:
            return np.full(len(rows), night is None or named == night)
        return np.asarray(self._column("night")[rows] == night)

    @property
    def first(self) -> int | None:
        """Return the first offset that is covered."""
        return int(self._column("after").min()) if len(self._offset) else None

    @property
    def end(self) -> int | None:
        """Return the offset after the last one that is covered."""
        return int(self._column("through").max()) + 1 if len(self._offset) else None

    def outcomes(self) -> dict[Outcome, int]:
        """Return how many records had each outcome."""
        numbers = np.bincount(self._outcome[self._counted], minlength=len(Outcome))
        return {outcome: int(numbers[outcome]) for outcome in Outcome}

    def codes(self) -> Codes:
        """Return, for each channel version, how often it gave each verdict code; dead letters do not count.

        A channel that was asked of nothing, because nothing could be read, is there with no codes.
        """
        judged = self._counted[self._outcome[self._counted] != Outcome.DEAD_LETTERED]
        groups: dict[tuple[ChannelVersion, ...], list[NDArray[np.uint16]]] = {}
        for block, rows in self._by_block(judged):
            groups.setdefault(block.channels, []).append(block.codes[:, rows])
        totals: Codes = {channel: Counter() for block, _ in self._pieces for channel in block.channels}
        for channels, columns in groups.items():
            for channel, codes in zip(channels, np.concatenate(columns, axis=1), strict=True):
                values, numbers = np.unique(codes, return_counts=True)
                totals[channel].update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
        return totals

    def claims(self) -> Iterator[tuple[Block, list[BlockRow]]]:
        """Yield the rows that say that a document exists: all but the filtered ones."""
        for block, rows in self._by_block(self._counted[self._outcome[self._counted] != Outcome.FILTERED]):
            yield block, rows_of(block, rows.tolist())

    def _by_block(self, rows: NDArray[np.intp]) -> Iterator[tuple[Block, NDArray[np.intp]]]:
        rows = rows[np.argsort(self._piece[rows], kind="stable")]
        pieces, starts = np.unique(self._piece[rows], return_index=True)
        for piece, (start, stop) in zip(pieces, pairwise([*starts, len(rows)]), strict=True):
            yield self._pieces[piece][0], self._row[rows[start:stop]]

    def problems(
        self,
        gaps: Sequence[Gap] = (),
        committed: int | None = None,
        begun: Begun | None = None,
    ) -> list[Problem]:
        """Return holes in the coverage, blocks that disagree, and outcomes that contradict their verdicts.

        Parameters
        ----------
        gaps
            Offsets that are known to be lost or never delivered.
        committed
            The committed offset where it is known: everything before it must be covered.
        begun
            Where the partition was begun, where that is known: everything from there on must be covered.
        """
        kinds = (self._holes(gaps, committed, begun), self._disagreements(), self._contradictions())
        return [problem for problems in kinds for problem in self._bounded(problems)]

    def lost(self, gaps: Sequence[Gap]) -> int:
        """Return how many offsets were lost: in a gap, counted once where gaps overlap, and never read after all."""
        reached = total = 0
        for gap in sorted((gap for gap in gaps if gap.lost), key=lambda gap: gap.first):
            first = max(gap.first, reached)
            if first < gap.end:
                edges = [Gap(first, first), Gap(gap.end, gap.end)]
                total += sum(end - start for start, end in self._uncovered(edges, first, gap.end))
                reached = gap.end
        return total

    def _bounded(self, problems: Sequence[Problem]) -> Sequence[Problem]:
        if len(problems) <= PROBLEMS_KEPT:
            return problems
        kept, rest = problems[: PROBLEMS_KEPT - 1], problems[PROBLEMS_KEPT - 1 :]
        what = f"{len(rest)} more of: {rest[0].what}"
        return [*kept, Problem(self.topic, self.partition, rest[0].first, rest[-1].last, what)]

    def _holes(self, gaps: Sequence[Gap], committed: int | None, begun: Begun | None) -> list[Problem]:
        claimed = [Gap(committed, committed)] if committed is not None else []
        found: set[tuple[int, int]] = set()
        if self.first is not None:
            # What lies before the first block that is kept is told by nobody any more.
            found.update(self._uncovered([*gaps, *claimed], self.first, None))
        if begun is not None and (end := max(begun.end or 0, committed or 0)) > begun.first:
            found.update(self._uncovered([*gaps, Gap(begun.first, begun.first), Gap(end, end)], begun.first, end))
        return [
            Problem(self.topic, self.partition, first, end - 1, "in no verdict block") for first, end in sorted(found)
        ]

    def _uncovered(self, known: Sequence[Gap], first: int, end: int | None) -> list[tuple[int, int]]:
        """Return the ranges from ``first`` on, and before ``end``, that neither blocks nor what is known cover."""
        starts = np.concatenate([self._column("after"), [gap.first for gap in known]]).astype(np.int64)
        ends = np.concatenate([self._column("through") + 1, [gap.end for gap in known]]).astype(np.int64)
        counts = (ends >= first) & ((starts <= end) if end is not None else True)
        starts = np.maximum(starts[counts], first)
        order = np.argsort(starts, kind="stable")
        reached = np.maximum.accumulate(ends[counts][order])
        following = starts[order][1:]
        holes = np.flatnonzero(following > reached[:-1])
        return [(int(reached[i]), int(following[i])) for i in holes]

    def _disagreements(self) -> list[Problem]:
        found: list[Problem] = []
        pairs, which = np.unique(self._piece[self._repeats], axis=0, return_inverse=True)
        for number, (older, newer) in enumerate(pairs):
            repeats = self._repeats[which.reshape(-1) == number]
            bad = disagreement(
                self._pieces[older][0], self._row[repeats[:, 0]], self._pieces[newer][0], self._row[repeats[:, 1]]
            )
            offsets = np.sort(self._offset[repeats[bad, 0]]).tolist()
            found += [Problem(self.topic, self.partition, at, at, "verdict blocks disagree") for at in offsets]
        return sorted(found)

    def _contradictions(self) -> list[Problem]:
        found: list[Problem] = []
        for block, rows in self._by_block(self._counted):
            outcome = block.outcome[rows]
            stored = (outcome == Outcome.STORED) | (outcome == Outcome.DUPLICATE)
            bad = rows[stored != accepts(block.codes[:, rows]).any(axis=0)]
            what = "its outcome contradicts its verdicts"
            found += [Problem(self.topic, self.partition, at, at, what) for at in block.offset[bad].tolist()]
        return sorted(found)


def disagreement(old: Block, old_rows: NDArray[np.intp], new: Block, new_rows: NDArray[np.intp]) -> Mask:
    """Return where two blocks tell of one record differently though the same channel versions judged it.

    What a channel says of a known object depends on what was known then: such verdicts are not compared. Nor is one
    with none, of a channel that was suspended or whose code failed: a replay gives it later. What can be read depends
    on the version of ampeld and on its configuration: between two of them, a record that only one could read is no
    disagreement.
    """
    n = len(old_rows)
    known = np.zeros(n, bool)
    differ = np.zeros(n, bool)
    read = (old.outcome[old_rows] != Outcome.DEAD_LETTERED) & (new.outcome[new_rows] != Outcome.DEAD_LETTERED)
    place = {channel: number for number, channel in enumerate(new.channels)}
    for number, channel in enumerate(old.channels):
        if channel in place:
            one, other = old.codes[number, old_rows], new.codes[place[channel], new_rows]
            follows = np.isin(one, _FOLLOWED) | np.isin(other, _FOLLOWED)
            unjudged = (np.isin(one, _UNJUDGED) | np.isin(other, _UNJUDGED)) & (one != other)
            known |= follows | unjudged
            differ |= read & ~follows & ~unjudged & (one != other)
    if set(old.channels) == set(new.channels):
        comparable = ~known & (read | (old.maker == new.maker))
        differ |= comparable & (old.outcome[old_rows] != new.outcome[new_rows])
    return differ


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def gaps_of(documents: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], list[Gap]]:
    """Return the gaps of each partition from the documents of ``gaps``."""
    gaps: dict[tuple[str, int], list[Gap]] = {}
    for document in documents:
        gap = Gap(document["first"], document["end"], document.get("kind") != "undelivered")
        gaps.setdefault((document["topic"], document["partition"]), []).append(gap)
    return gaps
