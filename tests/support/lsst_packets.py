"""Small LSST packets for tests: valid ones, to be broken at will, and their bytes as frames and containers."""

import io
from functools import cache
from typing import Any

import fastavro
import orjson

from ampeld.alert.fields import Field
from ampeld.alert.lsst import DIA_FORCED_SOURCE, DIA_NONDETECTION_LIMIT, DIA_OBJECT, DIA_SOURCE
from ampeld.source.schemas import packaged

MJD = 60_900.25
SOURCE_ID = 7_912_941_781_254_298
OBJECT_ID = 281_323_062_375_219_201
PLAIN = {"float": 1.5, "int": 1, "string": "r", "bool": False}


def lsst_schema(number: int = 1101) -> dict[str, Any]:
    """Return a packaged schema; a new one each time, to be changed."""
    text = packaged(number)
    assert text is not None
    return orjson.loads(text)


def schema_with_limits() -> dict[str, Any]:
    """Return a schema with upper limits, which the packaged ones do not have."""
    schema = lsst_schema()
    fields = [{"name": field.name, "type": field.avro_type} for field in DIA_NONDETECTION_LIMIT]
    item = {"type": "record", "name": "lsst.test.diaNondetectionLimit", "fields": fields}
    schema["fields"].append({"name": "prvDiaNondetectionLimits", "type": ["null", {"type": "array", "items": item}]})
    return schema


def fields_of(schema: dict[str, Any], record: str = "") -> list[dict[str, Any]]:
    """Return the fields of a schema's root, ``diaSource``, ``diaObject`` or ``prvDiaForcedSources``, to be changed."""
    if not record:
        return schema["fields"]
    found = next(field["type"] for field in schema["fields"] if field["name"] == record)
    found = found[1] if isinstance(found, list) else found
    return (found["items"] if found["type"] == "array" else found)["fields"]


def _values(fields: tuple[Field, ...], given: dict[str, Any]) -> dict[str, Any]:
    # What was nullable in older schemas is a plain number in newer ones, so that zero suits all of them.
    counted = {name.name for name in fields if name.name.endswith("Ndata") or name.name == "bboxSize"}
    empty = {field.name: 0 if field.name in counted else None for field in fields if field.nullable}
    plain = {field.name: PLAIN[field.kind] for field in fields if not field.nullable}
    return empty | plain | given


def source(**given: Any) -> dict[str, Any]:
    """Return a detection of 1000 nJy in r; what is not given is null where it may be."""
    own = {"diaSourceId": SOURCE_ID, "visit": 11, "detector": 3, "midpointMjdTai": MJD, "ra": 150.0, "dec": 2.0}
    own |= {"psfFlux": 1000.0, "psfFluxErr": 50.0, "snr": 20.0, "band": "r", "reliability": 0.75, "isNegative": False}
    return _values(DIA_SOURCE, own | {"diaObjectId": OBJECT_ID} | given)


def forced(**given: Any) -> dict[str, Any]:
    """Return a point of forced photometry, ten days before."""
    own = {"diaForcedSourceId": 9001, "diaObjectId": OBJECT_ID, "visit": 5, "midpointMjdTai": MJD - 10}
    own |= {"ra": 150.0, "dec": 2.0, "psfFlux": -25.0, "psfFluxErr": 50.0, "band": "i"}
    return _values(DIA_FORCED_SOURCE, own | given)


def limit(**given: Any) -> dict[str, Any]:
    """Return an upper limit, twenty days before."""
    own = {"ccdVisitId": 700, "midpointMjdTai": MJD - 20, "band": "g", "diaNoise": 20.0}
    return _values(DIA_NONDETECTION_LIMIT, own | given)


def dia_object(**given: Any) -> dict[str, Any]:
    """Return what is known of the object."""
    own = {"diaObjectId": OBJECT_ID, "ra": 150.0, "dec": 2.0, "nDiaSources": 2, "validityStartMjdTai": MJD}
    return _values(DIA_OBJECT, own | given)


def packet(**given: Any) -> dict[str, Any]:
    """Return an alert: a source three days before and a forced one in its history."""
    own = {
        "diaSourceId": SOURCE_ID,
        "observation_reason": "wfd",
        "target_name": None,
        "diaSource": source(),
        "prvDiaSources": [source(diaSourceId=SOURCE_ID - 1, visit=9, midpointMjdTai=MJD - 3, psfFlux=500.0)],
        "prvDiaForcedSources": [forced()],
        "diaObject": dia_object(),
        "ssSource": None,
    }
    return own | given


def alert(candid: int = SOURCE_ID, stock: int = OBJECT_ID, mjd: float = MJD, **given: Any) -> dict[str, Any]:
    """Return an alert of an object, the history made to fit."""
    own = source(diaSourceId=candid, diaObjectId=stock, midpointMjdTai=mjd) | given
    return packet(
        diaSourceId=candid,
        diaSource=own,
        prvDiaSources=None,
        prvDiaForcedSources=[forced(diaForcedSourceId=candid + 10**6, diaObjectId=stock, midpointMjdTai=mjd - 1)],
        diaObject=dia_object(diaObjectId=stock, lastDiaSourceMjdTai=mjd),
    )


def solar(**given: Any) -> dict[str, Any]:
    """Return an alert of a solar-system object, which belongs to no diaObject."""
    return packet(diaSource=source(diaObjectId=None, ssObjectId=77), prvDiaForcedSources=None, diaObject=None) | given


@cache
def _parsed(number: int) -> Any:
    return fastavro.parse_schema(lsst_schema(number))


def record_of(packet: dict[str, Any], schema: dict[str, Any] | None = None, number: int = 1101) -> bytes:
    """Return the bare record of a packet."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _parsed(number) if schema is None else fastavro.parse_schema(schema), packet)
    return out.getvalue()


def frame(packet: dict[str, Any], number: int = 1101, schema: dict[str, Any] | None = None) -> bytes:
    """Return a packet in a Confluent frame; of the packaged schema of that number, if no other is given."""
    return b"\x00" + number.to_bytes(4, "big") + record_of(packet, schema, number)


def container(packet: dict[str, Any], schema: dict[str, Any] | None = None, codec: str = "null") -> bytes:
    """Return a packet in an Avro object container."""
    out = io.BytesIO()
    fastavro.writer(out, schema or lsst_schema(), [packet], codec=codec, sync_marker=b"ampeld-test-sync")
    return out.getvalue()
