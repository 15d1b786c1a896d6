"""Tables of ZTF alerts made in both ways, from decoded packets and by the kernel, and what makes two tables equal."""

from typing import Any

import numpy as np
from support.ztf_packets import encode, fields_of, ztf_schema

from ampeld.alert.decode import Decoder
from ampeld.alert.decoded import DecodedAlerts
from ampeld.alert.table import AlertTable, names
from ampeld.alert.table_packets import PacketTable

LIMIT = 10_000_000


def of_packets(*packets: dict[str, Any]) -> AlertTable:
    """Return the table of decoded packets."""
    return PacketTable(packets, ["0" * 16] * len(packets))


def of_bytes(*packets: dict[str, Any]) -> AlertTable:
    """Return the table that the kernel makes of the packets' bytes, written with the fields that each has."""
    decoded = Decoder(LIMIT, kernel=True).decode([_written(packet) for packet in packets])
    assert not decoded.poison
    return decoded.table


def _written(packet: dict[str, Any]) -> bytes:
    schema = ztf_schema()
    fields = fields_of(schema, "candidate")
    fields[:] = [field for field in fields if field["name"] in packet["candidate"]]
    return encode(packet, schema=schema)


def assert_same_batch(found: DecodedAlerts, expected: DecodedAlerts) -> None:
    """Assert that two decoders made the same of the same payloads, in every value."""
    assert found.poison == expected.poison
    assert found.rows == expected.rows
    assert_same_table(found.table, expected.table)


def assert_same_table(found: AlertTable, expected: AlertTable) -> None:
    """Assert that two tables hold the same alerts: columns, packets, points and cutouts."""
    survey = expected.survey
    assert found.survey is survey
    assert found.schema == expected.schema
    assert found.object == expected.object
    if not len(expected):  # the columns of no alerts have a test of their own
        return
    for name in ("candid", "programid", "jd", "stock"):
        _same(name, getattr(found, name), getattr(expected, name))
    for record, fields in survey.records.items():
        for field in fields:
            one, other = found.scalar(field.name, record), expected.scalar(field.name, record)
            _same(f"{record}.{field.name}", one.values, other.values)
            _same(f"{record}.{field.name}, missing", one.missing, other.missing)
    for kind in survey.kinds:
        _same(kind, found.offsets(kind), expected.offsets(kind))
        for name in names(kind, survey):
            part, whole = found.ragged(kind, name), expected.ragged(kind, name)
            _same(f"{kind}.{name}", part.values, whole.values)
            _same(f"{kind}.{name}, missing", part.missing, whole.missing)
            _same(f"{kind}.{name}, offsets", part.offsets, whole.offsets)
    for row in range(len(expected)):
        assert found.packet(row) == expected.packet(row)
        assert_same_points(found, expected, row)


def assert_same_points(found: AlertTable, expected: AlertTable, row: int) -> None:
    """Assert that two tables store the same of one alert."""
    heads, others = found.heads(row), expected.heads(row)
    assert [_identity(head) for head in heads] == [_identity(head) for head in others]
    for head, other in zip(heads, others, strict=True):
        body = found.body(row, head.index)
        assert body == expected.body(row, other.index)
        assert list(body) == list(expected.body(row, other.index))


def _identity(head: Any) -> tuple[Any, ...]:
    return head.id, head.jd, head.rcid, head.programid, head.tag, head.full


def _same(what: str, found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype, what
    assert np.array_equal(found, expected, equal_nan=found.dtype.kind == "f"), what
