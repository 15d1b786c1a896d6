"""What a field of a packet is: its name, its type, whether it may be null, and what it means."""

from typing import Final, Literal

import msgspec

AvroType = Literal["double", "float", "int", "long", "string", "boolean"]
FieldKind = Literal["float", "int", "string", "bool"]
"""How a field stands in a column: float64, int64, text or bool."""

_KINDS: Final[dict[AvroType, FieldKind]] = {
    "double": "float",
    "float": "float",
    "int": "int",
    "long": "int",
    "string": "string",
    "boolean": "bool",
}


class Field(msgspec.Struct, frozen=True):
    """A field of a record, as the survey's newest known schema has it."""

    name: str
    avro_type: AvroType
    nullable: bool
    unit_doc: str

    @property
    def kind(self) -> FieldKind:
        """Return how the field stands in a column."""
        return _KINDS[self.avro_type]


def required(avro_type: AvroType, name: str, doc: str) -> Field:
    """Return a field that is never null."""
    return Field(name, avro_type, False, doc)


def optional(avro_type: AvroType, name: str, doc: str) -> Field:
    """Return a field that may be null."""
    return Field(name, avro_type, True, doc)
