"""Finds single alerts among many, by candid or by object, and explains them."""

from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.explain import Explanation, explain, explain_nameless
from ampeld.channel.panel import has_object
from ampeld.daemon.settings import Settings
from ampeld.flow.record import Coordinates
from ampeld.testing.judging import Read, Reader, may_see
from ampeld.testing.sources import AlertSource, read_alerts

Wanted = str | int
"""An object by its name, or an alert by its candid."""


class Found(msgspec.Struct, frozen=True):
    """An alert of a source, explained."""

    coordinates: Coordinates
    explanation: Explanation | None
    """None where the channel may not see the alert."""
    object: str
    candid: int
    jd: float


def wanted_of(text: str) -> Wanted:
    """Return an alert's candid for a number, else an object's name; LSST names its objects by numbers too."""
    return int(text) if text.isdecimal() else text


async def find_alerts(
    channel: Channel,
    sources: Sequence[AlertSource],
    wanted: Wanted,
    settings: Settings,
    *,
    told: Callable[[int], None] = lambda _: None,
) -> AsyncGenerator[Found, None]:
    """Yield the alerts that are wanted, explained for the channel.

    Parameters
    ----------
    channel
        Whose cuts are told.
    sources
        Where to look: everything is read.
    wanted
        A candid, or an object: then all of its alerts.
    settings
        The configuration, for its survey and its limits.
    told
        Told how many records were read, batch by batch.
    """
    reader = Reader(settings, [channel])
    async for records in read_alerts(sources):
        await reader.prepare(records)
        read = reader.read(records)
        told(len(records))
        for row in matching_rows(read, wanted):
            yield explain_row(channel, read, row)


def matching_rows(read: Read, wanted: Wanted) -> list[int]:
    """Return the rows of a batch that are wanted."""
    table = read.table
    name = str(wanted)
    candids = table.candid.tolist()
    return [row for row in range(len(table)) if candids[row] == wanted or table.object[row] == name]


def explain_row(channel: Channel, read: Read, row: int) -> Found:
    """Return one alert of a batch, explained where the channel may see it."""
    table = read.table
    columns = Columns(table, read.catalogs)
    explanation = None
    if not has_object(table)[row]:
        explanation = explain_nameless(columns, row, channel.cut_names)
    elif row in may_see(channel, table):
        explanation = explain(channel.filter, columns, row, channel.cut_names)
    place = read.records[row].coordinates
    return Found(place, explanation, table.object[row], int(table.candid[row]), float(table.jd[row]))
