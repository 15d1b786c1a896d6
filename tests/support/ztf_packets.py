"""Small ZTF packets for tests: valid ones, to be broken at will, and their bytes."""

import io
from typing import Any

import fastavro

from ampeld.alert.fields import Field
from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE

JD = 2459000.5
CANDID = 1246123450015015001
OBJECT = "ZTF20abcdefg"


def _avro(field: Field) -> dict[str, Any]:
    return {"name": field.name, "type": ["null", field.avro_type] if field.nullable else field.avro_type}


def _record(name: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [_avro(field) for field in fields]}


def ztf_schema() -> dict[str, Any]:
    """Return a schema like that of version 4.02, without cutouts; a new one each time, to be changed."""
    return {
        "type": "record",
        "name": "ztf.alert",
        "version": "4.02",
        "fields": [
            {"name": "schemavsn", "type": "string"},
            {"name": "publisher", "type": "string"},
            {"name": "objectId", "type": "string"},
            {"name": "candid", "type": "long"},
            {"name": "candidate", "type": _record("candidate", CANDIDATE)},
            {"name": "prv_candidates", "type": ["null", {"type": "array", "items": _record("prv", PRV_CANDIDATE)}]},
            {"name": "fp_hists", "type": ["null", {"type": "array", "items": _record("fp", FP_HIST)}]},
        ],
    }


def fields_of(schema: dict[str, Any], part: str = "") -> list[dict[str, Any]]:
    """Return the fields of a schema's top level, or of ``candidate``, ``prv_candidates`` or ``fp_hists``, to be changed."""
    if not part:
        return schema["fields"]
    found = next(field["type"] for field in schema["fields"] if field["name"] == part)
    return found["fields"] if part == "candidate" else found[1]["items"]["fields"]


def _values(fields: tuple[Field, ...], given: dict[str, Any]) -> dict[str, Any]:
    plain = {"float": 1.5, "int": 1, "string": "t"}
    return {field.name: None if field.nullable else plain[field.kind] for field in fields} | given


def candidate(**given: Any) -> dict[str, Any]:
    """Return a candidate; what is not given is null where it may be."""
    own = {"jd": JD, "candid": CANDID, "pid": 1246123450015, "rcid": 0, "ra": 150.0, "dec": 2.0, "magpsf": 18.5}
    return _values(CANDIDATE, own | given)


def detection(**given: Any) -> dict[str, Any]:
    """Return a detection of the history."""
    own = {"jd": JD - 3, "candid": CANDID - 3_000_000_000_000_000, "pid": 1243123450015, "ra": 150.0, "dec": 2.0}
    return _values(PRV_CANDIDATE, own | {"magpsf": 18.75, "sigmapsf": 0.125, "isdiffpos": "t"} | given)


def limit(**given: Any) -> dict[str, Any]:
    """Return an upper limit of the history."""
    own = {"jd": JD - 5, "pid": 1241123450015, "diffmaglim": 20.25, "rcid": 0}
    return _values(PRV_CANDIDATE, own | given)


def forced(**given: Any) -> dict[str, Any]:
    """Return a point of forced photometry."""
    return _values(FP_HIST, {"jd": JD - 4, "forcediffimflux": 100.5} | given)


def packet(**given: Any) -> dict[str, Any]:
    """Return an alert: one detection and one limit in its history, no forced photometry."""
    own = {
        "schemavsn": "4.02",
        "publisher": "test",
        "objectId": OBJECT,
        "candid": CANDID,
        "candidate": candidate(),
        "prv_candidates": [limit(), detection()],
        "fp_hists": None,
    }
    return own | given


def encode(*packets: dict[str, Any], schema: dict[str, Any] | None = None, codec: str = "null") -> bytes:
    """Return packets in one Avro object container."""
    out = io.BytesIO()
    fastavro.writer(out, schema or ztf_schema(), list(packets), codec=codec, sync_marker=b"ampeld-test-sync")
    return out.getvalue()


def header_size(value: bytes) -> int:
    """Return the length of what stands before the first sync marker of `encode`."""
    return value.index(b"ampeld-test-sync")
