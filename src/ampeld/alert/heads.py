"""The stored points of an alert, told apart before any is decoded: from columns where the survey numbers its points."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, Protocol

import bson
import numpy as np
from numpy.typing import NDArray

from ampeld.alert import bodies, packing
from ampeld.alert.columns import Sheet, type_of
from ampeld.alert.lsst_slim import SlimPackets
from ampeld.alert.point import Head, Point
from ampeld.alert.program import THERE, element_type, record_type, scalar_slots
from ampeld.alert.schema import AvroType
from ampeld.alert.screen import Numbers, elements, numbers_of, scalars
from ampeld.alert.shape import UNSTORED, tags_of
from ampeld.alert.survey import Packet
from ampeld.alert.table_packets import heads_of

_OWN: Final = "candidate"
_HISTORY: Final = "prv_candidates"
_KEPT: Final = 64


class Shaper(Protocol):
    """Makes points of the rows of one batch."""

    def heads(self, row: int) -> list[Head]:
        """Return what tells the points of an alert apart, its own first, each number once."""
        ...

    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return the body of the point whose head has this index."""
        ...

    def fields(self, row: int, indexes: Sequence[int], names: tuple[str, ...]) -> list[Mapping[str, Any]] | None:
        """Return some fields of the bodies of points, None where they have to be picked out of these."""
        ...

    def packed(self, row: int, index: int) -> bytes | None:
        """Return that body as BSON, None where it has to be encoded."""
        ...


def make_shaper(sheet: Sheet, packet: Callable[[int], Packet]) -> Shaper:
    """Return the shaper of a batch; ``packet`` decodes a row as it was sent."""
    if sheet.survey.name == "lsst":
        return WholeShaper(sheet, SlimPackets(sheet, packet))
    return ZtfShaper(sheet, WholeShaper(sheet, packet))


class WholeShaper:
    """Shapes alerts that are decoded in full: where a point's number is a hash of its body, or where in doubt."""

    def __init__(self, sheet: Sheet, packet: Callable[[int], Packet]) -> None:
        self._shape = sheet.survey.shape
        self._packet = packet
        self._shaped: dict[int, list[Point]] = {}

    def heads(self, row: int) -> list[Head]:
        """Return the heads of all points."""
        return heads_of(self._points(row))

    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return the body of one point."""
        return self._points(row)[index].body

    def fields(self, row: int, indexes: Sequence[int], names: tuple[str, ...]) -> None:  # noqa: ARG002  as above
        """Return None: bodies are at hand."""
        return

    def packed(self, row: int, index: int) -> None:  # noqa: ARG002  the shape of every shaper
        """Return None: a body is at hand, and has to be encoded."""
        return

    def _points(self, row: int) -> list[Point]:
        if row not in self._shaped:
            self._shaped[row] = self._shape(self._packet(row))
        return self._shaped[row]


class ZtfShaper:
    """Heads from columns, bodies one by one: index 0 is the candidate, ``i + 1`` element ``i`` of the history."""

    def __init__(self, sheet: Sheet, whole: WholeShaper) -> None:
        self._sheet = sheet
        self._whole = whole
        self._history = sheet.histories[_HISTORY]

    def heads(self, row: int) -> list[Head]:
        """Return the heads of the candidate and of the detections and upper limits of its history."""
        if self._sheet.odd[row]:
            return self._whole.heads(row)
        candid, jd, rcid, programid, fid = self._own[row]
        heads = {candid: Head(candid, jd, rcid, programid, _tags(programid, fid), True, 0)}
        begin, end = self._history.offsets[row : row + 2].tolist()
        columns = (column[begin:end].tolist() for column in self._columns)
        for index, (counts, number, quadrant, unplaced, time, programme, band) in enumerate(
            zip(*columns, strict=True), 1
        ):
            if counts and number not in heads:
                place = None if unplaced else quadrant
                heads[number] = Head(number, time, place, programme, _tags(programme, band), False, index)
        return list(heads.values())

    def body(self, row: int, index: int) -> Mapping[str, Any]:
        """Return the body of one point."""
        sheet = self._sheet
        if sheet.odd[row]:
            return self._whole.body(row, index)
        text = sheet.texts[sheet.which[row]]
        if index == 0:
            own: Mapping[str, Any] = bodies.decode(_own_reader(text, None), sheet.arena, self._candidate(row))
            return own
        element = int(self._history.offsets[row]) + index - 1
        if self._numbers.is_limit[element]:
            return self._limit(element)
        reader = _element_reader(text, None)
        found: Mapping[str, Any] = bodies.decode(reader, sheet.arena, int(self._history.at[element]))
        return found

    def fields(self, row: int, indexes: Sequence[int], names: tuple[str, ...]) -> list[Mapping[str, Any]] | None:
        """Return some fields of the bodies of points; of an upper limit, all that it has."""
        sheet = self._sheet
        if sheet.odd[row]:
            return None
        text = sheet.texts[sheet.which[row]]
        begin, end = self._history.offsets[row : row + 2].tolist()
        # Of all elements at once: a look at one of an array's values costs as much as decoding a point.
        is_limit = self._numbers.is_limit[begin:end].tolist()
        at = self._history.at[begin:end].tolist()
        limits = self._limits(begin, end) if any(is_limit) else ()
        reader = _element_reader(text, names)
        return [
            bodies.decode(_own_reader(text, names), sheet.arena, self._candidate(row))
            if index == 0
            else limits[index - 1]
            if is_limit[index - 1]
            else bodies.decode(reader, sheet.arena, at[index - 1])
            for index in indexes
        ]

    def _candidate(self, row: int) -> int:
        """Return where a row's candidate begins."""
        return int(self._sheet.cells[scalar_slots(self._sheet.survey).by_name[_OWN, THERE].number, row])

    def packed(self, row: int, index: int) -> bytes | None:
        """Return the body of one point as BSON; None where it has to be encoded."""
        sheet = self._sheet
        text = sheet.texts[sheet.which[row]]
        element = int(self._history.offsets[row]) + index - 1
        if sheet.odd[row]:
            return None
        if index and self._numbers.is_limit[element]:
            return bson.encode(self._limit(element))
        packer = _own_packer(text) if index == 0 else _element_packer(text)
        if packer is None:
            return None
        slot = scalar_slots(sheet.survey).by_name[_OWN, THERE].number
        at = sheet.cells[slot, row] if index == 0 else self._history.at[element]
        return packing.pack(packer, sheet.arena, int(at))

    def _limit(self, element: int) -> Mapping[str, Any]:
        """Return the body of an upper limit, as `ampeld.alert.shape` makes it."""
        return self._limits(element, element + 1)[0]

    def _limits(self, begin: int, end: int) -> list[Mapping[str, Any]]:
        """Return the bodies of elements as if all were upper limits."""
        numbers = self._numbers
        columns = (*self._of_limits, numbers.unplaced, numbers.quadrant)
        return [
            {
                "jd": jd,
                "diffmaglim": diffmaglim,
                "rcid": None if unplaced else quadrant,
                "fid": fid,
                "programid": programid,
            }
            for jd, diffmaglim, fid, programid, unplaced, quadrant in zip(
                *(column[begin:end].tolist() for column in columns), strict=True
            )
        ]

    @cached_property
    def _of_limits(self) -> tuple[NDArray[Any], ...]:
        column = elements(self._sheet, _HISTORY)
        return tuple(column(name)[0] for name in ("jd", "diffmaglim", "fid", "programid"))

    @cached_property
    def _numbers(self) -> Numbers:
        return numbers_of(elements(self._sheet, _HISTORY))

    @cached_property
    def _own(self) -> list[tuple[int, float, int, int, int]]:
        """Return of each candidate its candid, jd, quadrant, programme and filter."""
        column = scalars(self._sheet, _OWN)
        rcid, unknown = column("rcid")
        quadrant = np.where(unknown, column("pid")[0] % 10000 // 100, rcid)  # a candidate's pid is never null
        columns = (column("candid")[0], column("jd")[0], quadrant, column("programid")[0], column("fid")[0])
        return list(zip(*(values.tolist() for values in columns), strict=True))

    @cached_property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        """Return of each element whether it is a point, and what its head takes."""
        column, numbers = elements(self._sheet, _HISTORY), self._numbers
        counts = numbers.is_limit | ~column("candid")[1]
        plain = (column(name)[0] for name in ("jd", "programid", "fid"))
        return (counts, numbers.id, numbers.quadrant, numbers.unplaced, *plain)


@lru_cache
def _tags(programid: int, fid: int) -> tuple[str, ...]:
    return tags_of(programid, fid)


@lru_cache(maxsize=_KEPT)
def _own_reader(text: bytes, names: tuple[str, ...] | None) -> bodies.Reader:
    return _reader(record_type(type_of(text), _OWN), names)


@lru_cache(maxsize=_KEPT)
def _element_reader(text: bytes, names: tuple[str, ...] | None) -> bodies.Reader:
    return _reader(element_type(type_of(text), _HISTORY), names)


def _reader(record: AvroType, names: tuple[str, ...] | None) -> bodies.Reader:
    others = () if names is None else set(record.labels) - set(names)
    return bodies.reader(record, {*UNSTORED, *others})


@lru_cache(maxsize=_KEPT)
def _own_packer(text: bytes) -> packing.Packer | None:
    return _packer(record_type(type_of(text), _OWN))


@lru_cache(maxsize=_KEPT)
def _element_packer(text: bytes) -> packing.Packer | None:
    return _packer(element_type(type_of(text), _HISTORY))


def _packer(record: AvroType) -> packing.Packer | None:
    try:
        return packing.packer(record, UNSTORED)
    except TypeError:  # arrays or maps in it
        return None
