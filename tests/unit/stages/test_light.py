"""Payloads go with the last need for them, and not before."""

import numpy as np
import pytest
from support.packets import alert
from support.pipelines import channel

from ampeld.alert.decode import Decoder
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import ACCEPTED, CUT
from ampeld.stages.decode import decode_batch
from ampeld.stages.light import lighten
from ampeld.stages.values import Judged

VALUES = [alert(candid=1001), b"nonsense", alert(candid=1002), alert(candid=1003)]
CODES = np.array([[CUT, ACCEPTED, CUT], [CUT, CUT, CUT + 1]], np.uint16)


def judged(*channels):
    records = [
        Record(topic="t", partition=0, offset=i, value=value, after=i, through=i, key=b"k", timestamp_ms=5)
        for i, value in enumerate(VALUES)
    ]
    decoded = decode_batch(Decoder(2 * 2**20), Batch(records, [], 0.0))
    return Judged(decoded, channels, CODES.copy(), [[], []])


def payloads(one):
    return [record.value for record in one.decoded.batch.records]


def test_only_what_was_accepted_and_what_could_not_be_read_keeps_its_payload():
    one = judged(channel("a"), channel("b"))
    before = list(one.decoded.batch.records)
    lighten(one)
    assert payloads(one) == [b"", VALUES[1], VALUES[2], b""]
    after = one.decoded.batch.records
    assert [record.coordinates for record in after] == [record.coordinates for record in before]
    assert [record.timestamp_ms for record in after] == [5] * 4
    assert one.decoded.dead_letters[0].record.value == VALUES[1]


def test_the_points_of_an_accepted_alert_can_still_be_shaped():
    one = judged(channel("a"), channel("b"))
    lighten(one)
    assert one.decoded.table.heads(1)[0].id == 1002


@pytest.mark.parametrize("on_known", ["bypass", "overrule"])
def test_where_known_objects_are_followed_every_payload_stays(on_known):
    one = judged(channel("a"), channel("b", on_known=on_known))
    lighten(one)
    assert payloads(one) == VALUES


def test_cutouts_are_let_go_of():
    one = judged(channel("a"), channel("b"))
    table = one.decoded.table
    table.cutout(0, "cutoutScience")
    lighten(one)
    if type(table).__name__ == "ColumnTable":
        with pytest.raises(LookupError):
            table.cutout(0, "cutoutScience")
