"""Documents for the tests of stores, with as little said as a test needs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates, Record
from ampeld.flow.verdict import ACCEPTED, CUT
from ampeld.store.blocks import BlockRow
from ampeld.store.documents import (
    Account,
    ChannelFailure,
    ChannelVersion,
    DeadLetter,
    ObjectDocument,
    ObjectState,
    PointChange,
    PointDocument,
    StateChange,
)
from ampeld.store.rows import NO_ID, NO_NIGHT, Rows, sorted_rows

CHANNELS = (ChannelVersion("bright", "v1"), ChannelVersion("young", "v2"))


def meta(alert: int = 900, channel: str = "bright", jd: float = 2459000.5) -> dict[str, Any]:
    return {"alert": alert, "channel": channel, "jd": jd, "run": "r1"}


def where(offset: int, topic: str = "night", partition: int = 0) -> dict[str, Any]:
    return {"topic": topic, "partition": partition, "offset": offset}


def new_point(id_: int = 900, stock: int = 7, **changes: Any) -> PointDocument:
    fields = {
        "channel": ("bright",),
        "tag": ("ZTF", "ZTF_G"),
        "body": {"jd": 2459000.5, "rcid": 12, "programid": 1, "magpsf": 18.25, "extra": {"a": "$b"}},
        "since": 2459000.5,
        "first": None,
        "meta": meta(id_),
    }
    return PointDocument(id=id_, stock=stock, **(fields | changes))


def change(id_: int = 900, stock: int = 7, **changes: Any) -> PointChange:
    fields = {"channel": (), "since": 2459000.5, "body": None, "first": None, "tag": (), "meta": meta(id_)}
    return PointChange(id=id_, stock=stock, **(fields | changes))


def an_object(id_: int = 7, rev: int = 1, **changes: Any) -> ObjectDocument:
    fields = {
        "name": ("ZTF20aaaaaaa",),
        "tag": ("ZTF",),
        "channel": ("bright",),
        "state": {"bright": ObjectState(-5, 900, 2459000.5)},
        "known": {"bright": 2459000.5},
        "ts": {"any": {"tied": 1.5, "upd": 2.5}},
        "journal": ({"alert": 900, "channel": "bright", "jd": 2459000.5},),
    }
    return ObjectDocument(id=id_, rev=rev, **(fields | changes))


def a_state(stock: int = 7, link: int = -5, **changes: Any) -> StateChange:
    fields = {"dps": (-3, 900), "channel": ("bright",), "tag": ("ZTF",), "meta": (meta(),)}
    return StateChange(stock=stock, link=link, **(fields | changes))


def record(offset: int, topic: str = "night", partition: int = 0, **changes: Any) -> Record:
    fields = {"value": b"payload", "after": offset, "through": offset}
    return Record(topic=topic, partition=partition, offset=offset, **(fields | changes))


def stored(offset: int, candid: int | None, outcome: Outcome = Outcome.STORED, **changes: Any) -> BlockRow:
    place = Coordinates(changes.pop("topic", "night"), changes.pop("partition", 0), offset)
    fields = {"stock": 7, "night": 18000, "codes": (ACCEPTED, CUT), "links": {"bright": -5}}
    fields |= {"after": offset, "through": offset} | changes
    point = candid if fields["links"] else None
    return BlockRow(coordinates=place, outcome=outcome, candid=candid, **({"point": point} | fields))


def filtered(offset: int, candid: int = 1, codes: tuple[int, ...] = (CUT, CUT + 1), **changes: Any) -> BlockRow:
    return stored(offset, candid, Outcome.FILTERED, codes=codes, links={}, **changes)


def dead(offset: int, **changes: Any) -> BlockRow:
    return stored(offset, None, Outcome.DEAD_LETTERED, stock=None, codes=(), links={}, **changes)


def as_rows(rows: Sequence[BlockRow], channels: Sequence[ChannelVersion] = CHANNELS) -> Rows:
    """Return single rows as the columns of an account."""
    names = [channel.name for channel in channels]
    codes = np.zeros((len(channels), len(rows)), np.uint16)
    for i, row in enumerate(rows):
        codes[: len(row.codes), i] = row.codes
    columns = {
        "offset": [row.coordinates.offset for row in rows],
        "after": [row.after for row in rows],
        "through": [row.through for row in rows],
        "candid": [NO_ID if row.candid is None else row.candid for row in rows],
        "stock": [NO_ID if row.stock is None else row.stock for row in rows],
    }
    return sorted_rows(
        [(row.coordinates.topic, row.coordinates.partition) for row in rows],
        {
            **{name: np.array(values, np.int64) for name, values in columns.items()},
            "night": np.array([NO_NIGHT if row.night is None else row.night for row in rows], np.int32),
            "outcome": np.array([row.outcome for row in rows], np.uint8),
        },
        codes,
        [
            (i, names.index(name), link, row.point or 0)
            for i, row in enumerate(rows)
            for name, link in row.links.items()
        ],
    )


def letter(offset: int, **changes: Any) -> DeadLetter:
    return DeadLetter(record=record(offset, **changes), stage="decode", reason="empty payload", schema=None)


def failure(offset: int, channel: str = "young") -> ChannelFailure:
    return ChannelFailure(
        channel=channel,
        version="v2",
        contact="young@example.org",
        coordinates=Coordinates("night", 0, offset),
        candid=900,
        object="ZTF20aaaaaaa",
        error="ValueError: broken \ud800 text",
        traceback="Traceback …",
    )


def an_account(*rows: BlockRow, **changes: Any) -> Account:
    fields: dict[str, Any] = {
        "run": "r1",
        "instance": "main",
        "version": "0.1",
        "config": "c1",
        "group": "g",
        "channels": CHANNELS,
        "dead_letters": (),
        "failures": (),
    }
    fields |= changes
    return Account(rows=as_rows(rows, fields["channels"]), **fields)
