"""Write a simulated alert as a ZTF packet: schema 4.02 in an Avro object container, as the survey sends it."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import orjson

from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE, Field

VERSION = "4.02"
_NAMESPACE = "ztf.alert"
_MAGIC = b"Obj\x01"


def _record(name: str, doc: str, fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": _NAMESPACE, "doc": doc, "fields": list(fields)}


def _plain(field: Field) -> dict[str, Any]:
    if not field.nullable:
        return {"name": field.name, "type": field.avro_type, "doc": field.unit_doc}
    return {"name": field.name, "type": ["null", field.avro_type], "doc": field.unit_doc, "default": None}


def _optional_list(name: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "type": ["null", {"type": "array", "items": record}], "default": None}


_CUTOUT = _record(
    "cutout",
    "a small image around the candidate",
    [
        {"name": "fileName", "type": "string", "doc": "where the image comes from"},
        {"name": "stampData", "type": "bytes", "doc": "FITS, 63 x 63 pixels of 32-bit floats, gzipped"},
    ],
)
_CANDIDATE = _record("candidate", "the detection that triggered the alert", [_plain(field) for field in CANDIDATE])
_PRV = _record("prv_candidate", "a detection or a limit of the 30 days before", [_plain(f) for f in PRV_CANDIDATE])
_FP = _record("fp_hist", "forced photometry of the 30 days before", [_plain(field) for field in FP_HIST])

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "ztf.alert",
    "doc": "avro alert schema for ZTF, filled by a simulation",
    "version": VERSION,
    "fields": [
        {"name": "schemavsn", "type": "string", "doc": "version of this schema"},
        {"name": "publisher", "type": "string", "doc": "who sends the packet"},
        {"name": "objectId", "type": "string", "doc": "name of the object"},
        {"name": "candid", "type": "long", "doc": "number of the detection"},
        {"name": "candidate", "type": _CANDIDATE},
        _optional_list("prv_candidates", _PRV),
        _optional_list("fp_hists", _FP),
        {"name": "cutoutScience", "type": ["null", _CUTOUT], "default": None},
        {"name": "cutoutTemplate", "type": ["null", f"{_NAMESPACE}.cutout"], "default": None},
        {"name": "cutoutDifference", "type": ["null", f"{_NAMESPACE}.cutout"], "default": None},
    ],
}
"""The writer's schema of every simulated packet."""

_PARSED = {name: fastavro.parse_schema(record) for name, record in (("c", _CANDIDATE), ("p", _PRV), ("f", _FP))}


def varint(number: int) -> bytes:
    """Return an Avro long: zigzag, seven bits a byte, lowest first."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def _bytes(content: bytes) -> bytes:
    return varint(len(content)) + content


_SCHEMA_TEXT = orjson.dumps(SCHEMA)
_HEADER = _MAGIC + varint(2) + _bytes(b"avro.codec") + _bytes(b"null") + _bytes(b"avro.schema") + _bytes(_SCHEMA_TEXT) + b"\0"
_PREFIX = _bytes(VERSION.encode()) + _bytes(b"ampeld simulate")


def encode_candidate(body: Mapping[str, Any]) -> bytes:
    """Return the ``candidate`` record."""
    return _encoded("c", body)


def encode_previous(body: Mapping[str, Any]) -> bytes:
    """Return one record of ``prv_candidates``; fields that the body lacks are null."""
    return _encoded("p", body)


def encode_forced(body: Mapping[str, Any]) -> bytes:
    """Return one record of ``fp_hists``."""
    return _encoded("f", body)


def packet(
    name: str,
    candid: int,
    candidate: bytes,
    history: Sequence[bytes],
    forced: Sequence[bytes],
    stamps: Sequence[tuple[str, bytes]],
) -> bytes:
    """Return a whole alert packet.

    Parameters
    ----------
    name
        Of the object.
    candid
        Of the detection; with it the sync marker is fixed too, so that packets repeat byte for byte.
    candidate, history, forced
        Encoded records; an empty list is written as null.
    stamps
        File name and content of the science, template and difference images.
    """
    parts = [_PREFIX, _bytes(name.encode()), varint(candid), candidate, _list(history), _list(forced)]
    for file_name, content in stamps:
        parts += [varint(1), _bytes(file_name.encode()), _bytes(content)]
    body = b"".join(parts)
    sync = hashlib.blake2b(b"%d" % candid, digest_size=16).digest()
    return b"".join((_HEADER, sync, varint(1), varint(len(body)), body, sync))


def _list(records: Sequence[bytes]) -> bytes:
    if not records:
        return varint(0)
    return varint(1) + varint(len(records)) + b"".join(records) + b"\0"


def _encoded(record: str, body: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, _PARSED[record], body)
    return buffer.getvalue()
