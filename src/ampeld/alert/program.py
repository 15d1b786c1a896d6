"""A writer's schema as a flat program for the kernel: what to pass over, what to keep, and in which slot.

An operation is six numbers: ``code, slot, a, b, c, null``.
With the flag `NULLABLE` it stands for a union of null and one plain type; ``null`` is the index of null in it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.fields import Field, FieldKind
from ampeld.alert.schema import AvroType
from ampeld.alert.survey import ROOT, Survey

Program = NDArray[np.int64]

END: Final = 0  # the record is over
SKIP: Final = 1  # pass `a` bytes
BOOLEAN: Final = 2
INT: Final = 3  # of 32 bits; `a`: keep it as a float
LONG: Final = 4  # the same of 64 bits
FLOAT: Final = 5
DOUBLE: Final = 6
BYTES: Final = 7
STRING: Final = 8
ENUM: Final = 9  # of `a` symbols
UNION: Final = 10  # of `a` branches; as many jumps follow
JUMP: Final = 11  # to operation `a`
ARRAY: Final = 12  # of history `slot`; over at operation `a`; items of at least `b` bytes, of `c` bytes when decoded
MAP: Final = 13  # the same
NEXT: Final = 14  # the end of an item
CUTOUT: Final = 15  # cutout `slot` begins
UNCUT: Final = 16  # and ends
PRESENT: Final = 17  # a record begins: its place in the arena goes to `slot`
NULLABLE: Final = 32
LENGTH_BITS: Final = 28
"""A string is kept as its place in the arena, shifted by so many bits, and its length in bytes."""

_PRIMITIVES: Final[Mapping[str, int]] = {
    "boolean": BOOLEAN,
    "int": INT,
    "long": LONG,
    "float": FLOAT,
    "double": DOUBLE,
    "bytes": BYTES,
    "string": STRING,
}
THERE: Final = ""
_NAN: Final = int(np.array(np.nan).view(np.int64))


class Slot(msgspec.Struct, frozen=True):
    """A place for a value: its number, and how the value stands in it."""

    number: int
    kind: FieldKind


class Slots:
    """The places of some fields.

    ``by_name`` gives the slot of a field; ``blank`` is what each holds while it is missing, int64, at least one.
    """

    def __init__(self, fields: Sequence[tuple[tuple[str, str], FieldKind]]) -> None:
        self.by_name: dict[tuple[str, str], Slot] = {
            name: Slot(number, kind) for number, (name, kind) in enumerate(fields)
        }
        blank = [_NAN if slot.kind == "float" else 0 for slot in self.by_name.values()]
        self.blank: NDArray[np.int64] = np.array(blank or [0], dtype=np.int64)

    def inside(self, part: str) -> Mapping[str, Slot]:
        """Return the slots of one record or history by the names of its fields."""
        return {name: slot for (where, name), slot in self.by_name.items() if where == part}


@lru_cache
def scalar_slots(survey: Survey) -> Slots:
    """Return the places of every scalar of a survey's packets, and under the name `THERE` where a record begins."""
    fields: list[tuple[tuple[str, str], FieldKind]] = []
    for record, known in survey.records.items():
        fields += [((record, field.name), field.kind) for field in known]
        fields.append(((record, THERE), "int"))
    return Slots(fields)


def history_slots(survey: Survey, history: str, names: Sequence[str]) -> Slots:
    """Return the places of some fields of the records of a history."""
    known: dict[str, Field] = {field.name: field for field in survey.histories[history]}
    return Slots([((history, name), known[name].kind) for name in names])


def compile_record(
    avro_type: AvroType, survey: Survey, scalars: Slots, histories: Mapping[str, Slots] | None = None
) -> Program:
    """Return the program for whole records of a schema.

    Parameters
    ----------
    avro_type
        The schema's type, which ``survey.check_schema`` has passed.
    survey
        Whose parts, histories and cutouts are told apart.
    scalars
        The places of scalars.
    histories
        By name: the places of what is kept of each element. Histories count in the order of the survey.
    """
    writer = _Writer()
    histories = histories or {}
    order, cutouts = list(survey.histories), list(survey.cutouts)
    root = scalars.inside(ROOT)
    for label, part in zip(avro_type.labels, avro_type.parts, strict=True):
        if label in cutouts:
            writer.emit(CUTOUT, slot=cutouts.index(label))
            writer.write(part)
            writer.emit(UNCUT, slot=cutouts.index(label))
        elif label in survey.records:
            writer.write(part, inside=scalars.inside(label))
        elif label in order:
            kept = histories[label].inside(label) if label in histories else {}
            writer.write(part, history=order.index(label), inside=kept)
        else:
            writer.write(part, slot=root.get(label))
    return writer.finish()


def compile_element(avro_type: AvroType, history: str, slots: Slots) -> Program:
    """Return the program for one element of a history; `END` alone where the schema lacks the history."""
    writer = _Writer()
    if avro_type.field(history) is not None:
        writer.write(element_type(avro_type, history), inside=slots.inside(history))
    return writer.finish()


def record_type(avro_type: AvroType, name: str) -> AvroType:
    """Return the type of a record of the root that the schema is known to have."""
    return _branch(avro_type, name, "record")


def element_type(avro_type: AvroType, history: str) -> AvroType:
    """Return the type of the elements of an array of the root that the schema is known to have."""
    return _branch(avro_type, history, "array").parts[0]


def _branch(avro_type: AvroType, name: str, kind: str) -> AvroType:
    found = avro_type.parts[avro_type.labels.index(name)]
    branches = found.parts if found.kind == "union" else (found,)
    return next(branch for branch in branches if branch.kind == kind)


class _Writer:
    """Writes operations; jumps are numbers of operations."""

    def __init__(self) -> None:
        self._ops: list[list[int]] = []
        self._fence = 0  # an operation that something jumps to is not merged with the one before it

    def emit(self, code: int, *, slot: int = -1, a: int = 0, b: int = 0, c: int = 0) -> int:
        self._ops.append([code, slot, a, b, c, -1])
        return len(self._ops) - 1

    def finish(self) -> Program:
        self.emit(END)
        program: Program = np.array(self._ops, dtype=np.int64).ravel()
        program.setflags(write=False)
        return program

    def write(
        self,
        avro_type: AvroType,
        *,
        slot: Slot | None = None,
        inside: Mapping[str, Slot] | None = None,
        history: int = -1,
    ) -> None:
        """Write a type.

        ``slot`` keeps its value; ``inside`` keeps values of the record that it is, or that its elements are, which
        then belong to a history.
        """
        match avro_type.kind:
            case "record":
                inside = inside or {}
                if THERE in inside:
                    self.emit(PRESENT, slot=inside[THERE].number)
                for label, part in zip(avro_type.labels, avro_type.parts, strict=True):
                    self.write(part, slot=inside.get(label))
            case "array" | "map":
                self._loop(avro_type, inside, history)
            case "union":
                self._union(avro_type, slot, inside, history)
            case _:
                self._plain(avro_type, slot)

    def _plain(self, avro_type: AvroType, slot: Slot | None) -> None:
        kind = avro_type.kind
        if kind == "enum":
            self.emit(ENUM, a=len(avro_type.labels))
        elif kind in ("null", "fixed") or (slot is None and kind in ("float", "double")):
            self._skip(avro_type.width)
        else:
            number = -1 if slot is None else slot.number
            self.emit(_PRIMITIVES[kind], slot=number, a=slot is not None and slot.kind == "float")

    def _skip(self, width: int) -> None:
        last = self._ops[-1] if len(self._ops) > self._fence else None
        if last is not None and last[0] == SKIP:
            last[2] += width
        elif width:
            self.emit(SKIP, a=width)

    def _loop(self, avro_type: AvroType, inside: Mapping[str, Slot] | None, history: int) -> None:
        item, keyed = avro_type.parts[0], avro_type.kind == "map"
        code = MAP if keyed else ARRAY
        begin = self.emit(code, slot=history, b=item.width + keyed, c=item.weight)
        self._fence = len(self._ops)
        self.write(item, inside=inside)
        self.emit(NEXT)
        self._ops[begin][2] = self._fence = len(self._ops)

    def _union(self, avro_type: AvroType, slot: Slot | None, inside: Mapping[str, Slot] | None, history: int) -> None:
        parts = avro_type.parts
        kinds = [part.kind for part in parts]
        plain = [part for part in parts if part.kind in _PRIMITIVES or part.kind in ("enum", "fixed")]
        if len(parts) == 2 and kinds.count("null") == 1 and len(plain) == 1:
            self._fence = len(self._ops)
            self._plain(plain[0], slot)
            if len(self._ops) == self._fence:  # of no width, as a fixed of size 0 is
                self.emit(SKIP)
            self._ops[-1][0] |= NULLABLE
            self._ops[-1][5] = kinds.index("null")
            self._fence = len(self._ops)
            return
        self.emit(UNION, a=len(parts))
        table = [self.emit(JUMP) for _ in parts]
        ends = []
        for entry, part in zip(table, parts, strict=True):
            self._ops[entry][2] = self._fence = len(self._ops)
            self.write(part, slot=slot, inside=inside, history=history)
            ends.append(self.emit(JUMP))
        for jump in ends:
            self._ops[jump][2] = len(self._ops)
        self._fence = len(self._ops)
