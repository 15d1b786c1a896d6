"""The promises of the daemon as questions to the database, the broker and the oracle: by ids, never by counts alone."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pymongo.database import Database
from support.broker import committed, ends
from support.daemons import Site
from support.streams import Sent

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import is_accepted
from ampeld.store.blocks import BlockRow, decode_block, rows_of
from ampeld.store.connection import Connection
from ampeld.store.reader import AccountReader
from ampeld.store.report import LedgerReport

Db = Database[dict[str, Any]]
Place = tuple[str, int, int]


def rows(db: Db) -> dict[Place, list[tuple[BlockRow, frozenset[str]]]]:
    """Return what the verdict blocks say of each record, the newest last, with the channels that accepted."""
    found: dict[Place, list[tuple[BlockRow, frozenset[str]]]] = {}
    for document in db["verdict_blocks"].find().sort("written"):
        block = decode_block(document)
        names = [channel.name for channel in block.channels]
        for row in rows_of(block):
            takers = frozenset(n for n, code in zip(names, row.codes, strict=False) if is_accepted(code))
            where = row.coordinates
            found.setdefault((where.topic, where.partition, where.offset), []).append((row, takers))
    return found


def check_commits(site: Site, sent: Sequence[Sent]) -> Mapping[tuple[str, int], int]:
    """Every offset below the committed one has its outcome in the store; committed is read first."""
    offsets = committed(site.kafka, site.group, sorted({one.topic for one in sent}))
    told = rows(site.db)
    lost = [one.place for one in sent if one.offset < offsets.get(one.place[:2], 0) and one.place not in told]
    assert not lost, f"committed, but in no verdict block: {lost[:10]}"
    return offsets


def check_all(site: Site, sent: Sequence[Sent]) -> None:
    """Everything was delivered; nothing is lost, nothing doubled, and the account is true."""
    offsets = check_commits(site, sent)
    assert offsets == ends(site.kafka, sorted({one.topic for one in sent})), "not everything is committed"
    check_outcomes(site.db, sent)
    check_documents(site.db)
    check_letters(site.db, sent)
    report = ledger(site, offsets)
    assert report.balanced, report.problems[:10]
    assert report.received == len(sent)
    assert report.dead_lettered == sum(one.message.poison for one in sent)
    assert not report.gaps


def ledger(site: Site, offsets: Mapping[tuple[str, int], int]) -> LedgerReport:
    """Return the account that ``ampeld ledger`` gives, without the second that its process needs to start."""

    async def ask() -> LedgerReport:
        connection = Connection(site.mongodb, site.database)
        try:
            return await AccountReader(connection).report(committed=offsets)
        finally:
            await connection.close()

    return asyncio.run(ask())


def check_outcomes(db: Db, sent: Sequence[Sent]) -> None:
    """Every record ended as the rule says, and exactly the accepted alerts are stored."""
    firsts = {point["_id"]: point["first"] for point in db["t0"].find({"first": {"$exists": True}}, {"first": 1})}
    accepted = {one.message.candid for one in sent if one.message.takers}
    assert firsts.keys() == accepted, f"missing {accepted - firsts.keys()}, too many {firsts.keys() - accepted}"
    told = rows(db)
    assert told.keys() == {one.place for one in sent}
    for one in sent:
        row, takers = told[one.place][-1]
        assert row.outcome == _outcome(one, firsts), f"{one.place}: {row.outcome.name}"
        assert takers == one.message.takers, one.place
        assert row.links.keys() == takers, one.place


def _outcome(one: Sent, firsts: Mapping[int, Mapping[str, Any]]) -> Outcome:
    if one.message.poison:
        return Outcome.DEAD_LETTERED
    if not one.message.takers:
        return Outcome.FILTERED
    first = firsts[one.message.candid]
    is_first = (first["topic"], first["partition"], first["offset"]) == one.place
    return Outcome.STORED if is_first else Outcome.DUPLICATE


def check_documents(db: Db) -> None:
    """No identity has two documents."""
    names = Counter(name for document in db["stock"].find({}, {"name": 1}) for name in document["name"])
    states = Counter((state["stock"], state["link"]) for state in db["t1"].find({}, {"stock": 1, "link": 1}))
    twice = [key for counts in (names, states) for key, number in counts.items() if number > 1]
    assert not twice, f"two documents of {twice[:5]}"


def check_letters(db: Db, sent: Sequence[Sent]) -> None:
    """Each poison has exactly one dead letter, with its payload and a reason; nothing else has one."""
    letters = Counter((d["topic"], d["partition"], d["offset"]) for d in db["dead_letters"].find())
    assert letters == Counter(one.place for one in sent if one.message.poison)
    payloads = {one.place: one.message.payload for one in sent}
    for letter in db["dead_letters"].find():
        assert letter["payload"] == payloads[letter["topic"], letter["partition"], letter["offset"]]
        assert letter["reason"]
        assert letter["stage"] in {"decode", "validate"}


def documents(db: Db, *, states: bool = True, without: Collection[str] = ()) -> dict[str, dict[Any, Any]]:
    """Return the science in a database: lists as sets; times, runs, journals and places left out.

    Parameters
    ----------
    states
        With all states; without, the newest of each object and channel only: those that do not depend on order.
    without
        Fields of points to leave out.
    """
    stock = {
        d["_id"]: {
            **{key: frozenset(d[key]) for key in ("name", "tag", "channel")},
            "known": d["known"],
            "state": d["state"],
        }
        for d in db["stock"].find()
    }
    points = {
        d["_id"]: {
            **{key: frozenset(d[key]) for key in ("stock", "tag", "channel")},
            **{key: d[key] for key in ("body", "since") if key not in without},
        }
        for d in db["t0"].find()
    }
    newest = {(number, state["link"]) for number, d in stock.items() for state in d["state"].values()}
    found = {
        (d["stock"], d["link"]): {"dps": d["dps"], **({"channel": frozenset(d["channel"])} if states else {})}
        for d in db["t1"].find()
        if states or (d["stock"], d["link"]) in newest
    }
    assert newest <= found.keys()
    return {"stock": stock, "t0": points, "t1": found}


def check_same(site: Site, calm: Site, *, states: bool) -> None:
    """The documents are those of one daemon that read the same topics and that nobody disturbed: `calm`, drained."""
    ours, theirs = documents(site.db, states=states), documents(calm.db, states=states)
    for collection, expected in theirs.items():
        assert ours[collection].keys() == expected.keys(), collection
        for identity, document in expected.items():
            assert ours[collection][identity] == document, f"{collection} {identity}"
