"""Everything that is no alert, by kind, each with the words that the reason of its dead letter must hold."""

import gzip
import io
import random
from collections.abc import Iterator
from typing import Any

import fastavro
from support.packets import encode, packet, schema
from support.ztf_packets import ztf_schema

SYNC = b"0123456789abcdef"

Poison = tuple[str, bytes, str]
"""The kind, the payload, and what its reason says."""


def varint(number: int) -> bytes:
    raw = (number << 1) ^ (number >> 80)
    out = bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    return bytes([*out, raw])


def container(head: bytes, body: bytes) -> bytes:
    return head + varint(1) + varint(len(body)) + body + SYNC


def head_of(value: bytes) -> bytes:
    return value[: value.index(SYNC) + len(SYNC)]


def changed(name: str, kind: Any) -> Any:
    """Return the schema with another type for a field, or without it when the type is None."""
    plain = ztf_schema()
    fields = [dict(f, type=kind) if f["name"] == name else f for f in plain["fields"]]
    return dict(plain, fields=[f for f in fields if f["name"] != name or kind is not None])


def foreign(record: dict, fields: list[dict]) -> bytes:
    schema_ = {"type": "record", "name": "alert", "namespace": "lsst", "fields": fields}
    return encode(record, fastavro.parse_schema(schema_))


def long_candid() -> bytes:
    """Return an alert whose candid is a varint of 11 bytes, with nothing else wrong."""
    good = packet()
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema(), good)
    texts = b"".join(varint(len(t)) + t.encode() for t in (good["schemavsn"], good["publisher"], good["objectId"]))
    rest = out.getvalue()[len(texts) + len(varint(good["candid"])) :]
    return container(head_of(encode(good)), texts + varint(2**70) + rest)


def kinds() -> Iterator[Poison]:
    """Yield one payload of each kind."""
    good = encode(packet())
    head = head_of(good)
    flipped = bytearray(good)
    flipped[-1] ^= 0x10
    yield "empty", b"", "empty payload"
    yield "truncated", good[:-100], "inside the container"
    yield "flipped bit", bytes(flipped), "sync marker"
    yield "random", random.Random(1).randbytes(300), "not an Avro object container"
    yield "JSON", b'{"objectId": "ZTF18aaaaaab"}', "JSON"
    yield "gzip", gzip.compress(good), "gzip"
    yield "trailing garbage", good + b"garbage", "left over"
    yield "no record", head, "no records"
    yield "two records", container(head, b"")[:-18] + good[len(head) :] * 2, "2 records"
    yield "another survey", foreign({"diaObjectId": 1}, [{"name": "diaObjectId", "type": "long"}]), "objectId"
    yield "a field missing", encode(packet(), fastavro.parse_schema(changed("candid", None))), "candid"
    wrong = dict(packet(), objectId=17)
    yield "a field wrongly typed", encode(wrong, fastavro.parse_schema(changed("objectId", "long"))), "objectId"
    yield "no name of ZTF", encode(packet("SN2011fe")), "name of a ZTF object"
    for field, value in (("jd", float("nan")), ("ra", float("inf")), ("dec", float("-inf"))):
        yield f"{field} is no number", encode(packet(**{field: value})), field
    yield "candid beyond 64 bits", long_candid(), "64 bits"
    yield from bombs(head)


def bombs(head: bytes) -> Iterator[Poison]:
    node = {"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]}
    recursive = foreign({"node": {"next": None}}, [{"name": "node", "type": node}])
    yield "recursive schema", recursive, "recursive"
    nothing = {"type": "array", "items": "null"}
    endless = head_of(foreign({"nothing": []}, [{"name": "nothing", "type": nothing}]))
    yield "zero-width items", container(endless, varint(50_000_000) + b"\x00"), "without width"
    yield "size bomb", container(head, varint(2**40)), "length"
