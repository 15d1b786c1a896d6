"""A channel's verdicts on decoded alerts as the daemon would give them, with the time that they take."""

import time
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.table import AlertTable
from ampeld.catalog.directory import open_catalogs
from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.explain import count_alone
from ampeld.channel.judge import RowFailure, learn_cuts
from ampeld.channel.matches import Catalogs
from ampeld.channel.panel import Panel, has_object, may_see_private, visible
from ampeld.daemon.catalogs import catalog_problems
from ampeld.daemon.schemas import make_decoder, make_schemas
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError, PoisonError
from ampeld.flow.record import Coordinates, Record
from ampeld.flow.verdict import OBJECT_CUT


class Refused(msgspec.Struct, frozen=True):
    """A record that is no alert."""

    coordinates: Coordinates
    reason: str


class Read(msgspec.Struct, frozen=True, eq=False):
    """The alerts of a batch of records; ``records[i]`` is the one behind row ``i`` of the table."""

    table: AlertTable
    records: list[Record]
    refused: list[Refused]
    catalogs: Catalogs


class Judged(msgspec.Struct, frozen=True, eq=False):
    """What a channel says of a batch."""

    codes: NDArray[np.uint16]
    """Shape (n,): one for each row of the table, SKIPPED where the channel may not see the alert."""
    failures: list[RowFailure]
    seconds: float
    """What the filter took."""
    alone: dict[str, int]
    """By cut: how many of the visible alerts it would reject if it were the only one."""


class Reader:
    """Decodes records as the daemon does.

    Parameters
    ----------
    settings
        The configuration, for its survey and its limits.
    channels
        Who will judge: their catalogues must be there.

    Raises
    ------
    ConfigError
        Naming every catalogue, and every column of one, that a channel needs and does not find.
    """

    def __init__(self, settings: Settings, channels: Sequence[Channel]) -> None:
        self._decoder = make_decoder(settings)
        self._schemas = make_schemas(settings)
        found = open_catalogs(settings.catalogs.directory)
        if problems := catalog_problems(channels, found):
            raise ConfigError([problem for of_one in problems.values() for problem in of_one])
        self._catalogs: Catalogs = found.catalogs
        self.failures = {channel.name: self._learn(channel) for channel in channels}
        """By channel: why its cuts fail on an empty batch, None where they do not."""

    def _learn(self, channel: Channel) -> str | None:
        return learn_cuts(channel.filter, channel.cut_names, self._catalogs, self._decoder.survey)

    async def prepare(self, records: Sequence[Record]) -> None:
        """Learn the schemas that framed alerts need; without it, only those learned before are known.

        Raises
        ------
        RetryableError
            If the registry does not answer.
        """
        frames = self._decoder.frames
        if frames is None:
            return
        for number in sorted(frames.unknown([record.value for record in records])):
            try:
                frames.learn(number, await self._schemas.find(number))
            except PoisonError as error:
                frames.refuse(number, str(error))

    def read(self, records: Sequence[Record]) -> Read:
        """Return the alerts among the records, and why the others are none."""
        whole = [record for record in records if record.refusal is None]
        refused = [Refused(record.coordinates, record.refusal) for record in records if record.refusal is not None]
        decoded = self._decoder.decode([record.value for record in whole])
        refused += [Refused(whole[poison.index].coordinates, poison.reason) for poison in decoded.poison]
        return Read(decoded.table, [whole[index] for index in decoded.rows], refused, self._catalogs)


def may_see(channel: Channel, table: AlertTable) -> NDArray[np.int64]:
    """Return the rows of the alerts that a channel's filter is asked about."""
    return np.flatnonzero(visible(table, private=may_see_private(channel)) & has_object(table))


def judge_alerts(channel: Channel, read: Read) -> Judged:
    """Return the verdicts of a channel on a batch, with the time that it takes when no other channel shares it."""
    table = read.table
    panel = Panel(table, read.catalogs)
    began = time.perf_counter()
    judgement = panel.judge(channel)
    seconds = time.perf_counter() - began
    rows = may_see(channel, table)
    seen = table if len(rows) == len(table) else table.select(rows)
    alone = count_alone(channel.filter, Columns(seen, read.catalogs))
    if nameless := int(np.count_nonzero(~has_object(table))):
        alone = {OBJECT_CUT: nameless, **alone}
    return Judged(judgement.codes, judgement.failures, seconds, alone)
