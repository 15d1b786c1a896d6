"""Reads the account back: the ledger report with proof that every document it tells of exists, and single alerts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.flow.verdict import describe
from ampeld.store.account import PartitionAccount, gaps_of, topic_night
from ampeld.store.blocks import Block, decode_block, rows_of
from ampeld.store.connection import Connection
from ampeld.store.documents import Begun
from ampeld.store.errors import translated
from ampeld.store.proof import Proof
from ampeld.store.report import LedgerReport, ReportBuilder

Place = tuple[str, int]

_FILES_AT_ONCE = 500
"""Files are topics of few rows each: so many are looked at together."""


class ChannelVerdict(msgspec.Struct, frozen=True):
    """What one channel said of an alert."""

    channel: str
    version: str
    code: int
    verdict: str
    """In words, with the name of the cut."""


class AlertAccount(msgspec.Struct, frozen=True):
    """How one record of an alert ended."""

    coordinates: Coordinates
    outcome: str
    candid: int
    stock: int | None
    run: str
    written: str
    """When the block was written, UTC."""
    verdicts: list[ChannelVerdict]


class AccountReader:
    """Reads verdict blocks of all daemons.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def report(
        self,
        *,
        night: int | None = None,
        topics: Collection[str] | None = None,
        group: str | None = None,
        run: str | None = None,
        committed: Mapping[Place, int] | None = None,
        committed_by: str | None = None,
    ) -> LedgerReport:
        """Return the ledger report.

        Parameters
        ----------
        night
            Only alerts of this night, days since 1970-01-01.
        topics
            Only these topics (or files, by their absolute paths).
        group, run
            Only blocks of this consumer group, of this run.
        committed
            The committed offset of each partition, where known: everything before it must be covered.
        committed_by
            The group that committed them: from where it began, everything must be covered.
        """
        match = {key: value for key, value in (("group", group), ("run", run)) if value is not None}
        gaps = gaps_of(await self._all("gaps", {}, None))
        builder = ReportBuilder(await self._cuts())
        proof = Proof(self._connection)
        names = await self._topics(match, night, topics)
        begun = {} if run is not None else await self._begun(committed_by, committed or {})
        if run is None:
            names |= {topic for topic, _ in (*gaps, *begun) if _wanted(topic, night, topics)}
        for chunk in _chunks(sorted(names)):
            accounts = await self._accounts(match, chunk, {*gaps, *begun}, night)
            for place, account in accounts.items():
                dated = night is None or topic_night(place[0]) == night
                offset = (committed or {}).get(place)
                builder.add(account, gaps.get(place, ()), offset, begun=begun.get(place), count_gaps=dated)
            async for problems in proof.of(accounts.values()):
                builder.blame(problems)
        return builder.report()

    async def _begun(self, group: str | None, committed: Mapping[Place, int]) -> dict[Place, Begun]:
        """Return where this group began partitions that it has committed, and where files began that have an end."""
        found: dict[Place, Begun] = {}
        for document in await self._all("begun", {"$or": [{"group": group}, {"end": {"$exists": True}}]}, None):
            place = (document["topic"], document["partition"])
            begun = Begun(*place, first=document["first"], end=document.get("end"))
            if max(begun.end or 0, committed.get(place, 0)) > begun.first:
                found[place] = begun
        return found

    async def _accounts(
        self, match: Mapping[str, Any], topics: Sequence[str], gaps: Collection[Place], night: int | None
    ) -> dict[Place, PartitionAccount]:
        wanted = set(topics)
        pieces: dict[Place, list[tuple[Block, slice]]] = {place: [] for place in gaps if place[0] in wanted}
        with translated():
            blocks = self._connection["verdict_blocks"].find({**match, "parts.topic": {"$in": list(topics)}})
            async for document in blocks:
                block = decode_block(document)
                for part, rows in block.slices():
                    if part.topic in wanted:
                        pieces.setdefault((part.topic, part.partition), []).append((block, rows))
        return {place: PartitionAccount(*place, held, night=night) for place, held in sorted(pieces.items())}

    async def _topics(self, match: Mapping[str, Any], night: int | None, topics: Collection[str] | None) -> set[str]:
        if topics is not None:
            match = {**match, "parts.topic": {"$in": list(topics)}}
        names = {name for name in await self._distinct(match) if _wanted(name, night, topics)}
        if night is not None:
            undated = await self._distinct({**match, "nights": night})
            names |= {name for name in undated if topic_night(name) is None and (topics is None or name in topics)}
        return names

    async def _distinct(self, match: Mapping[str, Any]) -> list[str]:
        pipeline: list[Mapping[str, Any]] = [
            {"$match": match},
            {"$unwind": "$parts"},
            {"$group": {"_id": "$parts.topic"}},
        ]
        with translated():
            found = await self._connection["verdict_blocks"].aggregate(pipeline).to_list(None)
        return [document["_id"] for document in found]

    async def _cuts(self) -> dict[str, list[str]]:
        return {document["_id"]: document["cuts"] for document in await self._all("channel_versions", {}, {"cuts": 1})}

    async def _all(
        self, collection: str, match: Mapping[str, Any], fields: Mapping[str, Any] | None
    ) -> list[dict[str, Any]]:
        with translated():
            found: list[dict[str, Any]] = await self._connection[collection].find(match, fields).to_list(None)
        return found

    async def find_alert(self, candid: int) -> list[AlertAccount]:
        """Return how each record with this candid ended, by its newest block, in the order of coordinates."""
        cuts = await self._cuts()
        near = {"candids.max": {"$gte": candid}, "candids.min": {"$lte": candid}}
        blocks = [decode_block(document) for document in await self._all("verdict_blocks", near, None)]
        found: dict[Coordinates, AlertAccount] = {}
        for block in sorted(blocks, key=lambda block: block.written):
            for row in rows_of(block, (block.candid == candid).nonzero()[0].tolist()):
                found[row.coordinates] = AlertAccount(
                    coordinates=row.coordinates,
                    outcome=Outcome(row.outcome).name.lower(),
                    candid=candid,
                    stock=row.stock,
                    run=block.run,
                    written=block.written.isoformat(timespec="seconds"),
                    verdicts=[
                        ChannelVerdict(channel.name, channel.version, code, _words(code, cuts.get(channel.version, [])))
                        for channel, code in zip(block.channels, row.codes, strict=True)
                    ],
                )
        return [found[coordinates] for coordinates in sorted(found)]


def _wanted(topic: str, night: int | None, topics: Collection[str] | None) -> bool:
    return (topics is None or topic in topics) and (night is None or topic_night(topic) == night)


def _words(code: int, cuts: list[str]) -> str:
    try:
        return describe(code, cuts)
    except IndexError:
        return f"code {code:#x}, which means nothing here"


def _chunks(topics: Sequence[str]) -> list[Sequence[str]]:
    files = [topic for topic in topics if topic.startswith("/")]
    chunks: list[Sequence[str]] = [files[i : i + _FILES_AT_ONCE] for i in range(0, len(files), _FILES_AT_ONCE)]
    return chunks + [[topic] for topic in topics if not topic.startswith("/")]
