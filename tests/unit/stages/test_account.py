"""The account of a flush has one row for each record, in order, with the store's numbers for cuts."""

import asyncio

import numpy as np
import pytest
from fakes.store import MemoryStore, account_rows
from support.packets import alert
from support.pipelines import PROVENANCE, channel

from ampeld.alert.decode import Decoder
from ampeld.errors import InvariantError
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Batch, Coordinates, Record
from ampeld.flow.verdict import ACCEPTED, CUT
from ampeld.stages.account import Bookkeeper
from ampeld.stages.decode import decode_batch
from ampeld.stages.values import Brought, Judged

DAY_MS = 86_400_000


def record(offset, value, partition=0, timestamp_ms=None):
    return Record(
        topic="t",
        partition=partition,
        offset=offset,
        value=value,
        after=offset,
        through=offset,
        timestamp_ms=timestamp_ms,
    )


def judged(records, codes, *channels):
    decoded = decode_batch(Decoder(2 * 2**20), Batch(records, [], 0.0))
    return Judged(decoded, channels, np.array(codes, np.uint16).reshape(len(channels), -1), [[] for _ in channels])


def account_of(store, batches, links=None, brought=None):
    return asyncio.run(Bookkeeper(store, PROVENANCE, "g").account(batches, links or {}, brought or {}))


def test_the_records_of_all_batches_are_rows_in_the_order_of_their_coordinates():
    one = channel("a")
    one.cut_names.number("rb")
    batches = [
        judged([record(7, alert(candid=1007), 1), record(3, b"nonsense", timestamp_ms=5 * DAY_MS)], [CUT], one),
        judged([record(4, alert(candid=1004)), record(5, alert(candid=1005))], [CUT, ACCEPTED], one),
    ]
    stock = int(batches[1].decoded.table.stock[1])
    where = Coordinates("t", 0, 5)
    rows = account_rows(
        account_of(MemoryStore(), batches, {(stock, 1005, "a"): -9}, {where: Brought(point=1005, first=where)})
    )
    assert [(row.coordinates.partition, row.coordinates.offset) for row in rows] == [(0, 3), (0, 4), (0, 5), (1, 7)]
    assert [row.candid for row in rows] == [None, 1004, 1005, 1007]
    assert [row.outcome for row in rows] == [
        Outcome.DEAD_LETTERED,
        Outcome.FILTERED,
        Outcome.STORED,
        Outcome.FILTERED,
    ]
    assert [row.codes for row in rows] == [(), (CUT,), (ACCEPTED,), (CUT,)]
    assert [(row.links, row.point) for row in rows] == [({}, None), ({}, None), ({"a": -9}, 1005), ({}, None)]
    assert rows[0].night == 5


def test_cuts_have_the_numbers_that_the_store_gave_them_first():
    store = MemoryStore()
    asyncio.run(store.cut_numbers("version-of-a", ["drb", "rb"]))
    one = channel("a")
    assert [one.cut_names.number(name) for name in ("rb", "drb", "fwhm")] == [0, 1, 2]
    records = [record(i, alert(candid=1000 + i)) for i in range(3)]
    rows = account_rows(account_of(store, [judged(records, [CUT, CUT + 1, CUT + 2], one)]))
    assert [row.codes for row in rows] == [(CUT + 1,), (CUT,), (CUT + 2,)]


@pytest.mark.parametrize("stamp", [None, -1, 2**62])
def test_a_time_stamp_that_means_no_day_gives_no_night(stamp):
    rows = account_rows(account_of(MemoryStore(), [judged([record(0, b"", timestamp_ms=stamp)], [], channel("a"))]))
    assert [row.night for row in rows] == [None]


def test_a_record_that_is_neither_alert_nor_dead_letter_is_an_invariant_error():
    batch = judged([record(0, alert(candid=1000))], [CUT], channel("a"))
    batch.decoded.batch.records.append(record(1, b""))
    with pytest.raises(InvariantError):
        account_of(MemoryStore(), [batch])
