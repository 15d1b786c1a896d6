"""What makes a decoded packet an alert of its survey: the fields, their types, and the values identities rest on."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from ampeld.alert.fields import Field, FieldKind
from ampeld.alert.schema import AvroType
from ampeld.errors import PoisonError

FIRST_JD: Final = (
    1721425.5  # year 1: from here to year 4541 a Julian date has a calendar date and fits a point's number
)
LAST_JD: Final = 3380000.0
LARGEST_NUMBER: Final = 2**63 - 1

# A column takes what Avro itself would promote to its type.
_FITTING: Final[Mapping[FieldKind, tuple[str, ...]]] = {
    "float": ("float", "double", "int", "long"),
    "int": ("int", "long"),
    "string": ("string",),
    "bool": ("boolean",),
}
_EXPECTED: Final[Mapping[FieldKind, str]] = {
    "float": "a number",
    "int": "an integer",
    "string": "a string",
    "bool": "a boolean",
}
_POSITION: Final = (("ra", 0, 360), ("dec", -90, 90))


class Rules(msgspec.Struct, frozen=True, eq=False):
    """What a survey's packets must hold. A part is a record or a history array of the packet's root.

    ``root`` are the fields of the root that must be there; the first of ``records`` is the alert's own point.
    ``required`` names fields that each part must have, ``never_null`` those of them that must have a value.
    ``candid`` and ``time`` name fields of every point, ``jd_of`` turns times (a number or an array) into Julian dates
    [d, UTC]. ``check_name`` (packet) and ``check_point`` (part, path, record) raise PoisonError for the survey's own
    rules.
    """

    name: str
    root: tuple[Field, ...]
    records: Mapping[str, tuple[Field, ...]]
    histories: Mapping[str, tuple[Field, ...]]
    required: Mapping[str, tuple[str, ...]]
    never_null: Mapping[str, tuple[str, ...]]
    candid: str
    time: str
    jd_of: Callable[[Any], Any]
    check_name: Callable[[Mapping[str, Any]], None]
    check_point: Callable[[str, str, Mapping[str, Any]], None]

    @property
    def own(self) -> str:
        """Return the record of the alert's own point."""
        return next(iter(self.records))


def check_schema(rules: Rules, avro_type: AvroType) -> None:
    """Check, once per schema, that its records can be alerts of the survey; further fields are welcome.

    Raises
    ------
    PoisonError
        Naming the first field that is missing or of a wrong type.
    """
    if avro_type.kind != "record":
        raise PoisonError(f"{avro_type.kind} where a record is expected: no {rules.name} alert")
    expected = [*(field.name for field in rules.root), *(name for name in rules.records if name in rules.required)]
    missing = [name for name in expected if avro_type.field(name) is None]
    if missing:
        raise PoisonError(f"{missing[0]}: missing in record {avro_type.name[:100]}: another survey's packet?")
    for field in rules.root:
        _check_kind(field.name, _present(avro_type, field.name), field.kind)
    for part, fields in rules.records.items():
        record = avro_type.field(part)
        if record is not None:
            _check_record(rules, part, fields, _inner(part, record, "record"))
    for part, fields in rules.histories.items():
        history = avro_type.field(part)
        if history is not None:
            _check_record(rules, part, fields, _inner(part, _inner(part, history, "array").parts[0], "record"))


def additions(rules: Rules, avro_type: AvroType, known: Collection[str]) -> tuple[str, ...]:
    """Return the paths of the fields that a checked schema has and the survey's tables lack.

    Parameters
    ----------
    rules
        Records that are not ``required`` are not looked into: their tables name but the fields of use.
    avro_type
        A schema that `check_schema` has passed.
    known
        The fields of the root that are neither records nor histories.
    """
    found = [name for name in avro_type.labels if name not in {*known, *rules.records, *rules.histories}]
    for part, fields in {**rules.records, **rules.histories}.items():
        there = avro_type.field(part)
        if there is not None and part in rules.required:
            record = _branches(there)[0]
            record = _branches(record.parts[0])[0] if record.kind == "array" else record
            found += [f"{part}.{name}" for name in record.labels if name not in {field.name for field in fields}]
    return tuple(found)


def check_packet(rules: Rules, packet: Mapping[str, Any]) -> None:
    """Check the values of a decoded alert.

    Raises
    ------
    PoisonError
        Naming the first field that is wrong.
    """
    rules.check_name(packet)
    own = packet[rules.own]
    if own is None:
        raise PoisonError(f"{rules.own}: null")
    _check_values(rules, rules.own, rules.own, own)
    for name, low, high in _POSITION:
        if not low <= own[name] <= high:
            raise PoisonError(f"{rules.own}.{name}: not between {low} and {high} degrees")
    for part in rules.histories:
        for index, record in enumerate(packet.get(part) or ()):
            path = f"{part}[{index}]"
            if record is None:
                raise PoisonError(f"{path}: null")
            _check_values(rules, part, path, record)
            rules.check_point(part, path, record)


def _check_values(rules: Rules, part: str, path: str, record: Mapping[str, Any]) -> None:
    for name in rules.never_null[part]:
        if record[name] is None:
            raise PoisonError(f"{path}.{name}: null")
    known = _known(rules, part)
    candid = record.get(rules.candid) if rules.candid in known else None
    if candid is not None and not 0 < candid <= LARGEST_NUMBER:
        raise PoisonError(f"{path}.{rules.candid}: not between 1 and 2^63 - 1")
    for name in (rules.time, "ra", "dec"):
        if name not in known:
            continue
        value = record.get(name)
        if value is not None and not math.isfinite(value):
            raise PoisonError(f"{path}.{name}: not finite")
    if not FIRST_JD <= rules.jd_of(record[rules.time]) <= LAST_JD:
        raise PoisonError(f"{path}.{rules.time}: no Julian date between {FIRST_JD} and {LAST_JD}")


@lru_cache
def _known(rules: Rules, part: str) -> frozenset[str]:
    """Return the fields of a part that the survey is known to have: others may mean and hold anything."""
    return frozenset(field.name for field in (rules.records.get(part) or rules.histories[part]))


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


def _check_record(rules: Rules, part: str, fields: tuple[Field, ...], record: AvroType) -> None:
    for name in rules.required.get(part, ()):
        if record.field(name) is None:
            raise PoisonError(f"{part}.{name}: missing in the schema")
    known = {field.name: field.kind for field in fields}
    for name, avro_type in zip(record.labels, record.parts, strict=True):
        kind = known.get(name)
        if kind is not None:
            _check_kind(f"{part}.{name}", avro_type, kind)


def _check_kind(path: str, avro_type: AvroType, kind: FieldKind) -> None:
    for branch in _branches(avro_type):
        if branch.kind not in _FITTING[kind]:
            raise PoisonError(f"{path}: {branch.kind} where {_EXPECTED[kind]} is expected")
