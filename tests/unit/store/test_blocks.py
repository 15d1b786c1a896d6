"""Verdict blocks lose nothing, stay small, and say who they are."""

import base64
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store import CHANNELS, an_account, dead, filtered, stored

from ampeld.errors import InvariantError
from ampeld.flow.outcome import Outcome
from ampeld.flow.record import Coordinates
from ampeld.store import blocks
from ampeld.store.blocks import BlockRow, decode_block, encode_account, rows_of
from ampeld.store.documents import ChannelVersion

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


@st.composite
def judged_rows(draw):
    places = draw(st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 2**62)), max_size=8))
    rows = []
    for topic, partition, offset in places:
        outcome = draw(st.sampled_from(Outcome))
        lost = outcome is Outcome.DEAD_LETTERED
        links = draw(st.dictionaries(st.sampled_from(["bright", "young"]), st.integers(-(2**31), 2**31 - 1)))
        before, behind = draw(st.integers(0, min(offset, 9))), draw(st.integers(0, 9))
        rows.append(
            BlockRow(
                coordinates=Coordinates(topic, partition, offset),
                after=offset - before,
                through=offset + behind,
                outcome=outcome,
                candid=draw(st.none() | INT64),
                stock=draw(st.none() | INT64),
                night=draw(st.none() | st.integers(-(2**31) + 1, 2**31 - 1)),
                codes=() if lost else draw(st.tuples(*[st.integers(0, 65535)] * len(CHANNELS))),
                links=links,
                point=draw(INT64) if links else None,
            )
        )
    return rows


@given(judged_rows())
@settings(max_examples=60)
def test_what_is_encoded_is_decoded(rows):
    decoded = [row for document in encode_account(an_account(*rows)) for row in rows_of(decode_block(document))]

    assert decoded == sorted(rows, key=lambda row: row.coordinates)


@given(judged_rows())
@settings(max_examples=30)
def test_a_block_that_would_be_too_large_is_split(rows):
    limit = blocks.MAX_COLUMNS
    blocks.MAX_COLUMNS = 60
    try:
        documents = encode_account(an_account(*rows))
    finally:
        blocks.MAX_COLUMNS = limit

    decoded = [row for document in documents for row in rows_of(decode_block(document))]
    assert decoded == sorted(rows, key=lambda row: row.coordinates)
    assert len(rows) < 5 or len(documents) > 1


def test_a_part_tells_what_it_covers():
    rows = [filtered(5, through=9), filtered(3, after=1), filtered(2, partition=4), dead(7, topic="other")]

    (document,) = encode_account(an_account(*rows))

    assert document["parts"] == [
        {"topic": "night", "partition": 0, "base": 1, "end": 10, "n": 2},
        {"topic": "night", "partition": 4, "base": 2, "end": 3, "n": 1},
        {"topic": "other", "partition": 0, "base": 7, "end": 8, "n": 1},
    ]
    assert document["nights"] == [18000]


def test_the_same_account_has_the_same_identity_and_another_run_has_not():
    one, same, other = (encode_account(an_account(filtered(5), run=run))[0]["_id"] for run in ("r1", "r1", "r2"))

    assert one == same != other


def test_an_account_without_rows_has_no_block():
    assert encode_account(an_account()) == []


def test_rows_without_the_codes_of_a_channel_are_an_invariant_error():
    account = an_account(filtered(5))
    with pytest.raises(InvariantError, match="of 3 channels"):
        encode_account(msgspec.structs.replace(account, channels=(*CHANNELS, ChannelVersion("third", "v1"))))


def test_a_block_of_the_first_format_is_still_read():
    # As ampeld before format 2 wrote it, for the three rows below.
    document = {
        "_id": "2b5c2e4ff2ec800d045715de5ecfd292",
        "format": 1,
        "run": "r1",
        "instance": "main",
        "version": "0.1",
        "config": "c1",
        "group": "g",
        "channels": [{"name": "bright", "version": "v1"}, {"name": "young", "version": "v2"}],
        "parts": [
            {"topic": "night", "partition": 0, "base": 2, "end": 10, "n": 2},
            {"topic": "other", "partition": 0, "base": 7, "end": 8, "n": 1},
        ],
        "n": 3,
        "columns": base64.b64decode("eJxjZmJiwAYYsYoCAQt24RZGBmZs4uzs7FjVBwQwuLlBmA1ArYwQKwUYBASQrP79//9/AIZtBoU="),
    }

    assert rows_of(decode_block(document)) == [
        stored(3, 900, after=2),
        filtered(5, through=9),
        stored(7, 0, Outcome.DEAD_LETTERED, topic="other", night=None, codes=(), links={}),
    ]


def test_a_million_alerts_a_night_cost_tens_of_megabytes():
    chance = np.random.default_rng(1)
    rows = [
        filtered(
            i,
            candid=int(chance.integers(2**59)),
            stock=int(chance.integers(2**37)),
            codes=tuple(codes),
            partition=i % 16,
        )
        for i, codes in enumerate(chance.integers(0x1000, 0x1010, (256, 2)).tolist())
    ]

    (document,) = encode_account(an_account(*rows))

    assert len(document["columns"]) / len(rows) < 30


def test_a_block_knows_when_it_was_written():
    when = datetime(2024, 5, 1, tzinfo=UTC)
    (document,) = encode_account(an_account(stored(1, 900)))

    assert decode_block(document | {"written": when}).written == when
