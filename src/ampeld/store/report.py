"""The ledger report: the accounts of all partitions added up, with what proves or breaks the balance."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import ERRORED, SKIPPED, cut_name, is_accepted, is_rejected
from ampeld.store.account import Codes, Gap, PartitionAccount, Problem
from ampeld.store.documents import Begun, ChannelVersion


class ChannelReport(msgspec.Struct):
    """What one channel said, over all its versions; ``cuts`` counts alerts by the first cut that they failed."""

    seen: int = 0
    accepted: int = 0
    rejected: int = 0
    errored: int = 0
    skipped: int = 0
    cuts: dict[str, int] = {}


class PartitionReport(msgspec.Struct, frozen=True):
    """The account of one partition: coverage ``[first, end)`` and outcomes."""

    topic: str
    partition: int
    first: int | None
    end: int | None
    committed: int | None
    received: int
    stored: int
    filtered: int
    duplicate: int
    dead_lettered: int
    gaps: int


class LedgerReport(msgspec.Struct, frozen=True):
    """Everything that was received and how it ended; ``gaps`` counts lost offsets, which are outside ``received``."""

    received: int
    stored: int
    filtered: int
    duplicate: int
    dead_lettered: int
    gaps: int
    balanced: bool
    channels: dict[str, ChannelReport]
    partitions: list[PartitionReport]
    problems: list[Problem]


class ReportBuilder:
    """Adds up partitions.

    Parameters
    ----------
    cuts : mapping of str to sequence of str
        The cut names of each channel version, by number.
    """

    def __init__(self, cuts: Mapping[str, Sequence[str]]) -> None:
        self._cuts = cuts
        self._codes: Codes = {}
        self._partitions: list[PartitionReport] = []
        self._problems: list[Problem] = []

    def add(
        self,
        account: PartitionAccount,
        gaps: Sequence[Gap],
        committed: int | None,
        *,
        begun: Begun | None = None,
        count_gaps: bool = True,
    ) -> None:
        """Add the account of a partition, with its gaps, and where it was begun and committed where that is known."""
        outcomes = account.outcomes()
        for channel, codes in account.codes().items():
            self._codes.setdefault(channel, Counter()).update(codes)
            self._blame_codes(account, channel, codes)
        self._problems += account.problems(gaps, committed, begun)
        self._partitions.append(
            PartitionReport(
                topic=account.topic,
                partition=account.partition,
                first=account.first,
                end=account.end,
                committed=committed,
                received=sum(outcomes.values()),
                stored=outcomes[Outcome.STORED],
                filtered=outcomes[Outcome.FILTERED],
                duplicate=outcomes[Outcome.DUPLICATE],
                dead_lettered=outcomes[Outcome.DEAD_LETTERED],
                gaps=account.lost(gaps) if count_gaps else 0,
            )
        )

    def _blame_codes(self, account: PartitionAccount, channel: ChannelVersion, codes: Counter[int]) -> None:
        first, end = account.first or 0, account.end or 1
        for code, number in codes.items():
            if not _count(ChannelReport(cuts={}), code, number, self._cuts.get(channel.version, ())):
                what = f"channel {channel.name} gave {number} alerts the code {code:#x}, which means nothing there"
                self._problems.append(Problem(account.topic, account.partition, first, end - 1, what))

    def blame(self, problems: Sequence[Problem]) -> None:
        """Add problems that were found elsewhere."""
        self._problems += problems

    def report(self) -> LedgerReport:
        """Return the sum."""
        channels = self._channels()
        partitions = sorted(self._partitions, key=lambda part: (part.topic, part.partition))
        total = {
            name: sum(getattr(part, name) for part in partitions)
            for name in ("received", "stored", "filtered", "duplicate", "dead_lettered", "gaps")
        }
        return LedgerReport(
            **total,
            balanced=not self._problems,
            channels=channels,
            partitions=partitions,
            problems=sorted(self._problems),
        )

    def _channels(self) -> dict[str, ChannelReport]:
        reports: dict[str, ChannelReport] = {}
        for channel, codes in sorted(self._codes.items(), key=lambda item: (item[0].name, item[0].version)):
            cuts = self._cuts.get(channel.version, ())
            report = reports.setdefault(channel.name, ChannelReport(cuts={}))
            for name in cuts:
                report.cuts.setdefault(name, 0)
            for code, number in codes.items():
                _count(report, code, number, cuts)
        return reports


def _count(report: ChannelReport, code: int, number: int, cuts: Sequence[str]) -> bool:
    if code == SKIPPED:
        report.skipped += number
        return True
    if is_accepted(code):
        report.accepted += number
    elif code == ERRORED:
        report.errored += number
    elif is_rejected(code) and (cut := _name(code, cuts)) is not None:
        report.rejected += number
        report.cuts[cut] = report.cuts.get(cut, 0) + number
    else:
        return False
    report.seen += number
    return True


def _name(code: int, cuts: Sequence[str]) -> str | None:
    try:
        return cut_name(code, list(cuts))
    except IndexError:
        return None
