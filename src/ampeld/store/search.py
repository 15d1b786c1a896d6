"""Finds what one channel said of an alert or of an object, in the verdict blocks of all daemons, the newest first."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.store.blocks import decode_block, rows_of
from ampeld.store.connection import Connection
from ampeld.store.errors import translated

_EPOCH = date(1970, 1, 1)


class FoundVerdict(msgspec.Struct, frozen=True):
    """What a channel said of one record."""

    coordinates: Coordinates
    candid: int
    stock: int | None
    night: date | None
    outcome: Outcome
    version: str
    """The channel's version that judged."""
    code: int
    cuts: tuple[str, ...]
    """The names behind the code."""
    written: datetime


class VerdictSearch:
    """Looks through verdict blocks.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._blocks = connection["verdict_blocks"]
        self._versions = connection["channel_versions"]

    async def of_alert(self, channel: str, candid: int) -> list[FoundVerdict]:
        """Return the verdicts on an alert, one for each record that brought it; by the index of candids."""
        return await self._look(
            channel, {"candids.max": {"$gte": candid}, "candids.min": {"$lte": candid}}, "candid", candid
        )

    async def of_object(
        self, channel: str, stock: int, *, told: Callable[[date], None] = lambda _: None
    ) -> list[FoundVerdict]:
        """Return the verdicts on an object's alerts of the newest night on which it had any.

        Night by night is looked through, the newest first: an index of objects would be larger than the blocks. A
        night of a million alerts, some tens of megabytes of blocks, takes about two seconds.

        Parameters
        ----------
        channel
            Its name.
        stock
            The object's number.
        told
            Told of each night before it is looked through.
        """
        with translated():
            nights = sorted(await self._blocks.distinct("nights"), reverse=True)
        for night in nights:
            told(_EPOCH + timedelta(days=night))
            if found := await self._look(channel, {"nights": night}, "stock", stock):
                return found
        return []

    async def _look(self, channel: str, match: Mapping[str, Any], column: str, wanted: int) -> list[FoundVerdict]:
        found: dict[Coordinates, FoundVerdict] = {}
        cuts: dict[str, tuple[str, ...]] = {}
        async for document in self._documents({**match, "channels.name": channel}):
            block = decode_block(document)
            rows = (getattr(block, column) == wanted).nonzero()[0].tolist()
            if not rows:
                continue
            place = next(i for i, one in enumerate(block.channels) if one.name == channel)
            version = block.channels[place].version
            if version not in cuts:
                cuts[version] = await self._cuts(version)
            for row in rows_of(block, rows):
                older = found.get(row.coordinates)
                if row.candid is None or (older is not None and older.written > block.written):
                    continue
                found[row.coordinates] = FoundVerdict(
                    coordinates=row.coordinates,
                    candid=row.candid,
                    stock=row.stock,
                    night=None if row.night is None else _EPOCH + timedelta(days=row.night),
                    outcome=Outcome(row.outcome),
                    version=version,
                    code=row.codes[place],
                    cuts=cuts[version],
                    written=block.written,
                )
        return sorted(found.values(), key=lambda verdict: (verdict.written, verdict.coordinates))

    async def _documents(self, match: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        with translated():
            async for document in self._blocks.find(match):
                yield document

    async def _cuts(self, version: str) -> tuple[str, ...]:
        with translated():
            document = await self._versions.find_one({"_id": version}, {"cuts": 1})
        return tuple((document or {}).get("cuts", ()))
