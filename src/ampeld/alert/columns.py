"""What the kernel made of a batch: plain arrays over the science bytes of its alerts, fit to travel."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert.fields import FieldKind
from ampeld.alert.program import LENGTH_BITS, Program, Slot, Slots, compile_element, history_slots
from ampeld.alert.schema import AvroType, parse
from ampeld.alert.survey import Survey, Values
from ampeld.alert.wire import MAX_DECODED

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Fill = Callable[..., tuple[Ints, Bytes]]
"""`ampeld.alert.kernel.fill`."""

_KEPT: Final = 32
_KEPT_PROGRAMS: Final = 512  # one for each field that is asked for alone; they are small
_LENGTH: Final = (1 << LENGTH_BITS) - 1
_ASCII: Final = np.array([chr(code) for code in range(128)] + [""], dtype=object)


class History(msgspec.Struct, frozen=True, eq=False):
    """The elements of one history of all alerts, one after the other.

    Those of alert ``i`` are ``offsets[i]`` to ``offsets[i + 1]``; ``at`` is where each begins in the arena.
    Field ``names[s]`` of all stands in ``cells[:, s]`` and ``missing[:, s]``.
    """

    offsets: Ints
    at: Ints
    names: tuple[str, ...]
    cells: Ints
    missing: Bytes


class Sheet(msgspec.Struct, frozen=True, eq=False):
    """A batch of valid alerts.

    ``texts`` are the schemas in JSON, ``which`` the one of each alert.
    ``cells`` and ``missing``, shape (slots, n), hold every scalar of the survey in its slot.
    ``arena`` holds the science bytes, those of alert ``i`` from ``begin[i]`` to ``end[i]``.
    ``odd`` marks alerts whose values only a full decode can judge; they have passed it.
    """

    survey: Survey
    texts: tuple[bytes, ...]
    which: Ints
    cells: Ints
    missing: Bytes
    arena: Bytes
    begin: Ints
    end: Ints
    histories: Mapping[str, History]
    odd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.which)

    def select(self, rows: Ints) -> "Sheet":
        """Return these alerts, over the same arena."""
        histories = {}
        for name, history in self.histories.items():
            counts = np.diff(history.offsets)[rows]
            offsets = np.zeros(len(rows) + 1, dtype=np.int64)
            np.cumsum(counts, out=offsets[1:])
            chosen = np.arange(offsets[-1]) + np.repeat(history.offsets[rows] - offsets[:-1], counts)
            histories[name] = History(
                offsets, history.at[chosen], history.names, history.cells[chosen], history.missing[chosen]
            )
        return msgspec.structs.replace(
            self,
            which=self.which[rows],
            cells=self.cells.take(rows, axis=1),
            missing=self.missing.take(rows, axis=1),
            begin=self.begin[rows],
            end=self.end[rows],
            histories=histories,
            odd=self.odd[rows],
        )

    def scalar(self, slot: Slot) -> Values:
        """Return the values of one slot, float64, int64, bool or object, and where they are missing; shape (n,)."""
        return self.values(slot.kind, self.cells[slot.number], self.missing[slot.number])

    def values(self, kind: FieldKind, cells: Ints, missing: Bytes) -> Values:
        """Return what cells hold, and where they are missing."""
        found: NDArray[Any]
        gone = missing.view(np.bool_)
        if kind == "float":
            found = cells.view(np.float64)
            gone = np.isnan(found)
        elif kind == "int":
            found = cells
        elif kind == "bool":
            found = cells.astype(np.bool_)
        else:
            found = self._texts(cells, gone)
        return found, gone

    def _texts(self, cells: Ints, missing: NDArray[np.bool_]) -> NDArray[np.object_]:
        lengths, starts = cells & _LENGTH, cells >> LENGTH_BITS
        found: NDArray[np.object_]
        if not len(cells) or lengths.max() <= 1:  # flags; a single byte is ASCII
            codes = np.full(len(cells), len(_ASCII) - 1)
            single = lengths == 1
            codes[single] = self.arena[starts[single]]
            found = _ASCII[codes]
        else:
            data = self.arena.data
            found = np.empty(len(cells), dtype=object)
            spans = zip(starts.tolist(), lengths.tolist(), strict=True)
            found[:] = [str(data[start : start + length], "utf-8") for start, length in spans]
        found[missing] = None
        return found

    def element(self, history: str, name: str) -> Values:
        """Return a field of the elements of a history that was decoded at once; as `scalar`, shape (elements,)."""
        found = self.histories[history]
        place = found.names.index(name)
        kind = element_slots(self.survey, history, found.names).by_name[history, name].kind
        return self.values(kind, found.cells[:, place], found.missing[:, place])

    def read(self, history: str, names: tuple[str, ...], fill: Fill) -> dict[str, Values]:
        """Return further fields of the elements of a history, by a second pass over their bytes."""
        found = self.histories[history]
        slots = element_slots(self.survey, history, names)
        programs = [element_program(text, self.survey, history, names) for text in self.texts]
        which = np.repeat(self.which, np.diff(found.offsets))
        cells, missing = fill(self.arena, programs, which, found.at, blank=slots.blank, budget=MAX_DECODED)
        kept = slots.inside(history).items()
        return {name: self.values(slot.kind, cells[:, slot.number], missing[:, slot.number]) for name, slot in kept}


@lru_cache(maxsize=_KEPT)
def type_of(text: bytes) -> AvroType:
    """Return the type that a schema describes, which `ampeld.alert.schema.parse` has passed before."""
    return parse(text)[0]


@lru_cache(maxsize=_KEPT_PROGRAMS)
def element_program(text: bytes, survey: Survey, history: str, names: tuple[str, ...]) -> Program:
    """Return the program that fills these fields of an element of a history."""
    return compile_element(type_of(text), history, element_slots(survey, history, names))


@lru_cache(maxsize=_KEPT_PROGRAMS)
def element_slots(survey: Survey, history: str, names: tuple[str, ...]) -> Slots:
    """Return the places of these fields."""
    return history_slots(survey, history, names)
