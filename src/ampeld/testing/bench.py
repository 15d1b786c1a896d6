"""Runs a channel on alerts batch by batch, however many they are, beside another one if the two are to be compared."""

from collections.abc import Callable, Sequence

import numpy as np

from ampeld.channel.channel import Channel
from ampeld.daemon.settings import Settings
from ampeld.flow.record import Record
from ampeld.flow.verdict import accepts, cut_name, describe, is_accepted
from ampeld.source.archive import DamagedFileError
from ampeld.testing.judging import Judged, Read, Reader, Refused, judge_alerts
from ampeld.testing.result import (
    AcceptedAlert,
    Bench,
    Changed,
    ChannelError,
    ChannelResult,
    Difference,
    Tally,
    group_of,
    summarize,
)
from ampeld.testing.sources import AlertSource, read_alerts

OnBatch = Callable[[Read, Judged], None]
"""Told of every batch with the verdicts of the channel."""

_KEPT_REFUSALS = 20


class BenchRun:
    """One run over alerts.

    Parameters
    ----------
    channel
        What is tried.
    settings
        The configuration, for its survey and its limits.
    other
        What it is compared with.
    on_batch
        Told of every batch.
    """

    def __init__(
        self, channel: Channel, settings: Settings, *, other: Channel | None = None, on_batch: OnBatch | None = None
    ) -> None:
        self._channel = channel
        self._other = other
        self._reader = Reader(settings, [channel] if other is None else [channel, other])
        self._on_batch = on_batch
        self._tally = Tally()
        self._comparison = _Comparison()
        self._refused = 0
        self._refusals: list[Refused] = []

    async def read(self, sources: Sequence[AlertSource], *, limit: int | None = None) -> Bench:
        """Judge the alerts of these sources, at most ``limit`` of them, and return what came of it.

        Raises
        ------
        AccessDeniedError, RetryableError, ConfigError
            If the brokers do not let us in, do not answer, or have no such topic.
        """
        damage: str | None = None
        try:
            async for records in read_alerts(sources, limit=limit):
                await self._reader.prepare(records)
                self.feed(records)
        except DamagedFileError as error:
            damage = str(error)
        return Bench(
            result=_summary(self._channel, self._tally),
            difference=None if self._other is None else self._comparison.difference(self._other),
            refused=self._refused,
            refusals=self._refusals,
            damage=damage,
        )

    def feed(self, records: Sequence[Record]) -> None:
        """Judge some records."""
        read = self._reader.read(records)
        self._refused += len(read.refused)
        self._refusals += read.refused[: _KEPT_REFUSALS - len(self._refusals)]
        if not len(read.table):
            return
        if not self._tally.seconds:  # the first batch also pays for what is loaded once: it is judged before as well
            judge_alerts(self._channel, read)
        judged = judge_alerts(self._channel, read)
        _note(self._tally, read, judged)
        if self._other is not None:
            theirs = judge_alerts(self._other, read)
            self._comparison.note(read, judged, theirs, (self._channel.cut_names.names, self._other.cut_names.names))
        if self._on_batch is not None:
            self._on_batch(read, judged)


def _note(tally: Tally, read: Read, judged: Judged) -> None:
    table = read.table
    for code, number in zip(*np.unique(judged.codes, return_counts=True), strict=True):
        tally.codes[int(code)] += int(number)
        if is_accepted(int(code)):
            tally.accepted += [
                AcceptedAlert(table.object[row], int(table.candid[row]), group_of(int(code)), float(table.jd[row]))
                for row in np.flatnonzero(judged.codes == code).tolist()
            ]
    tally.alone.update(judged.alone)
    tally.seconds += judged.seconds
    for failure in judged.failures:
        row = failure.row
        tally.keep_error(ChannelError(table.object[row], int(table.candid[row]), failure.error, failure.traceback))


def _summary(channel: Channel, tally: Tally) -> ChannelResult:
    return summarize(
        tally, channel.cut_names.names, channel=channel.name, version=channel.version, contact=channel.contact
    )


class _Comparison:
    """Which objects only one of two channels accepts."""

    def __init__(self) -> None:
        self._added: dict[str, Changed] = {}
        self._removed: dict[str, Changed] = {}

    def note(self, read: Read, ours: Judged, theirs: Judged, names: tuple[list[str], list[str]]) -> None:
        """Compare the verdicts on a batch."""
        takes = accepts(ours.codes), accepts(theirs.codes)
        for row in np.flatnonzero(takes[0] | takes[1]).tolist():
            name, candid = read.table.object[row], int(read.table.candid[row])
            why = _why(int(theirs.codes[row]), names[1]), _why(int(ours.codes[row]), names[0])
            for taken, found, cut in zip(takes, (self._added, self._removed), why, strict=True):
                if taken[row]:
                    found.setdefault(name, Changed(name, candid, cut))

    def difference(self, other: Channel) -> Difference:
        """Return what was found."""
        return Difference(
            other=other.name,
            version=other.version,
            added=[change for name, change in self._added.items() if name not in self._removed],
            removed=[change for name, change in self._removed.items() if name not in self._added],
        )


def _why(code: int, names: list[str]) -> str:
    """Return under what an alert was rejected, or why it was not judged."""
    return cut_name(code, names) or describe(code, names)
