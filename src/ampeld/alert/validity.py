"""What makes a decoded packet a ZTF alert: the fields, their types, and the values that identities rest on."""

import math
from collections.abc import Mapping
from typing import Any, Final

from ampeld.alert.identity import stock_of
from ampeld.alert.schema import AvroType
from ampeld.alert.shape import is_limit, limit_id
from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE, FieldKind
from ampeld.errors import PoisonError

_FIRST_JD: Final = (
    1721425.5  # year 1: from here to year 4541 a Julian date has a calendar date and fits a point's number
)
_LAST_JD: Final = 3380000.0
_LARGEST_CANDID: Final = 2**63 - 1

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "candidate": ("jd", "fid", "pid", "candid", "programid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf"),
    "prv_candidates": ("jd", "fid", "candid", "programid"),
    "fp_hists": ("jd",),
}
_NEVER_NULL: Final[Mapping[str, tuple[str, ...]]] = {
    **_REQUIRED,
    "prv_candidates": ("jd", "fid", "programid"),
}
_KNOWN: Final[Mapping[str, Mapping[str, FieldKind]]] = {
    part: {field.name: field.kind for field in fields}
    for part, fields in (("candidate", CANDIDATE), ("prv_candidates", PRV_CANDIDATE), ("fp_hists", FP_HIST))
}
# A column takes what Avro itself would promote to its type.
_FITTING: Final[Mapping[FieldKind, tuple[str, ...]]] = {
    "float": ("float", "double", "int", "long"),
    "int": ("int", "long"),
    "string": ("string",),
}
_EXPECTED: Final[Mapping[FieldKind, str]] = {"float": "a number", "int": "an integer", "string": "a string"}


def check_schema(avro_type: AvroType) -> None:
    """Check, once per schema, that its records can be ZTF alerts; further fields are welcome.

    Raises
    ------
    PoisonError
        Naming the first field that is missing or of a wrong type.
    """
    if avro_type.kind != "record":
        raise PoisonError(f"{avro_type.kind} where a record is expected: no ZTF alert")
    missing = [name for name in ("objectId", "candid", "candidate") if avro_type.field(name) is None]
    if missing:
        raise PoisonError(f"{missing[0]}: missing in record {avro_type.name[:100]}: another survey's packet?")
    _check_kind("objectId", _present(avro_type, "objectId"), "string")
    _check_kind("candid", _present(avro_type, "candid"), "int")
    candidate = _inner("candidate", _present(avro_type, "candidate"), "record")
    _check_record("candidate", candidate)
    for part in ("prv_candidates", "fp_hists"):
        history = avro_type.field(part)
        if history is not None:
            _check_record(part, _inner(part, _inner(part, history, "array").parts[0], "record"))


def check_packet(packet: Mapping[str, Any]) -> None:
    """Check the values of a decoded alert.

    Raises
    ------
    PoisonError
        Naming the first field that is wrong.
    """
    _check_name(packet["objectId"])
    candidate = packet["candidate"]
    if candidate is None:
        raise PoisonError("candidate: null")
    _check_values("candidate", "candidate", candidate)
    _check_position(candidate)
    for part in ("prv_candidates", "fp_hists"):
        for index, record in enumerate(packet.get(part) or ()):
            path = f"{part}[{index}]"
            if record is None:
                raise PoisonError(f"{path}: null")
            _check_values(part, path, record)
            if part == "prv_candidates" and is_limit(record):
                _check_limit(path, record)


def _check_name(name: Any) -> None:
    if name is None:
        raise PoisonError("objectId: null")
    try:
        stock_of(name)
    except ValueError as error:
        raise PoisonError(f"objectId: {error}") from None


def _check_values(part: str, path: str, record: Mapping[str, Any]) -> None:
    for name in _NEVER_NULL[part]:
        if record[name] is None:
            raise PoisonError(f"{path}.{name}: null")
    candid = record.get("candid")
    if candid is not None and not 0 < candid <= _LARGEST_CANDID:
        raise PoisonError(f"{path}.candid: not between 1 and 2^63 - 1")
    for name in ("jd", "ra", "dec"):
        value = record.get(name)
        if value is not None and not math.isfinite(value):
            raise PoisonError(f"{path}.{name}: not finite")
    if not _FIRST_JD <= record["jd"] <= _LAST_JD:
        raise PoisonError(f"{path}.jd: no Julian date between {_FIRST_JD} and {_LAST_JD}")


def _check_position(candidate: Mapping[str, Any]) -> None:
    if not 0 <= candidate["ra"] <= 360:
        raise PoisonError("candidate.ra: not between 0 and 360 degrees")
    if not -90 <= candidate["dec"] <= 90:
        raise PoisonError("candidate.dec: not between -90 and 90 degrees")


def _check_limit(path: str, record: Mapping[str, Any]) -> None:
    try:
        limit_id(record)
    except PoisonError as error:
        raise PoisonError(f"{path}: {error}") from None


def _present(avro_type: AvroType, name: str) -> AvroType:
    found = avro_type.field(name)
    if found is None:
        raise PoisonError(f"{name}: missing")
    return found


def _branches(avro_type: AvroType) -> list[AvroType]:
    """Return the types that a value that is there may have."""
    parts = avro_type.parts if avro_type.kind == "union" else (avro_type,)
    return [part for part in parts if part.kind != "null"]


def _inner(path: str, avro_type: AvroType, kind: str) -> AvroType:
    """Return the record or array behind a field that may be null."""
    branches = _branches(avro_type)
    if [branch.kind for branch in branches] != [kind]:
        found = branches[0].kind if branches else "null"
        raise PoisonError(f"{path}: {found} where a single {kind} is expected")
    return branches[0]


def _check_record(part: str, record: AvroType) -> None:
    for name in _REQUIRED[part]:
        if record.field(name) is None:
            raise PoisonError(f"{part}.{name}: missing in the schema")
    for name, avro_type in zip(record.labels, record.parts, strict=True):
        kind = _KNOWN[part].get(name)
        if kind is not None:
            _check_kind(f"{part}.{name}", avro_type, kind)


def _check_kind(path: str, avro_type: AvroType, kind: FieldKind) -> None:
    for branch in _branches(avro_type):
        if branch.kind not in _FITTING[kind]:
            raise PoisonError(f"{path}: {branch.kind} where {_EXPECTED[kind]} is expected")
