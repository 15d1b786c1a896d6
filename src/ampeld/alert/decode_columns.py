"""From payloads to columns by the kernel: one walk over the bytes of a batch, and a second look at what it refused."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import fastavro
import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.alert import kernel
from ampeld.alert.columns import History, Ints, Sheet, element_slots, type_of
from ampeld.alert.decode_packets import check, read
from ampeld.alert.decoded import DecodedAlerts, Poison
from ampeld.alert.fault import explain
from ampeld.alert.opening import Opener
from ampeld.alert.program import Program, compile_record, scalar_slots
from ampeld.alert.schema import to_fastavro, without
from ampeld.alert.schemas import RefusalError, Schema
from ampeld.alert.screen import kept_fields, suspects
from ampeld.alert.survey import Survey
from ampeld.alert.table_columns import ColumnTable, Payloads
from ampeld.alert.wire import MAX_DECODED

_KEPT: Final = 32

Kept = tuple[tuple[str, tuple[str, ...]], ...]
"""By history, in the order of the survey: the fields that are decoded at once."""


class _Located(msgspec.Struct, frozen=True, eq=False):
    """Where the records are: ``which`` schema wrote that of each value, -1 where there is none."""

    data: list[bytes]
    schemas: list[Schema]
    which: Ints
    begin: Ints
    end: Ints
    base: Ints


class ColumnDecoder:
    """Decodes payloads by the kernel, remembering the fields of histories that were asked for.

    Parameters
    ----------
    opener
        Opens what does not begin like one of the last payloads.
    survey
        Whose alerts they are.
    """

    def __init__(self, opener: Opener, survey: Survey) -> None:
        self._opener = opener
        self._survey = survey
        self._asked: set[tuple[str, str]] = set()
        self.disagreements = 0

    def decode(self, values: Sequence[bytes]) -> DecodedAlerts | None:
        """Decode payloads; None when the oracle disagrees and must decode them itself."""
        poison: list[Poison] = []
        located = self._locate(values, poison)
        rows, sheet, stamps = self._walk(located)
        refused = located.which >= 0
        refused[rows] = False
        for index in np.flatnonzero(refused).tolist():
            reason = _reason(located, index)
            if reason is None:
                self.disagreements += 1
                return None
            schema = located.schemas[located.which[index]]
            poison.append(Poison(index, "decode", reason, schema.fingerprint))
        good = self._judge(sheet, rows, located, poison)
        payloads = Payloads([located.data[index] for index in rows.tolist()], stamps)
        fingerprints = [located.schemas[which].fingerprint for which in sheet.which.tolist()]
        table = ColumnTable(sheet, fingerprints, payloads, self._asked)
        if not good.all():
            table, rows = table.select(np.flatnonzero(good)), rows[good]
        poison.sort(key=lambda one: one.index)
        return DecodedAlerts(table, rows.tolist(), poison)

    def _locate(self, values: Sequence[bytes], poison: list[Poison]) -> _Located:
        data = list(values)
        sizes = np.fromiter(map(len, data), dtype=np.int64, count=len(data))
        known = [o for o in self._opener.recent if o.header is None or o.header.codec == "null"]
        contained = np.array([o.header is not None for o in known], dtype=np.uint8)
        opening, begin, end = kernel.locate(data, [o.start for o in known], contained)
        opening[sizes > self._opener.max_bytes] = -1
        schemas: dict[str, Schema] = {o.schema.fingerprint: o.schema for o in known}
        order = list(schemas)
        places = np.array([*(order.index(o.schema.fingerprint) for o in known), -1], dtype=np.int64)
        which, base = places[opening], np.zeros(len(data), dtype=np.int64)
        for index in np.flatnonzero(opening < 0).tolist():
            try:
                opened = self._opener.open(data[index])
            except RefusalError as refusal:
                poison.append(Poison(index, refusal.stage, refusal.reason, refusal.schema))
                continue
            schemas.setdefault(opened.schema.fingerprint, opened.schema)
            which[index] = list(schemas).index(opened.schema.fingerprint)
            data[index], begin[index], end[index], base[index] = opened.data, opened.begin, opened.end, opened.base
        return _Located(data, list(schemas.values()), which, begin, end, base)

    def _walk(self, located: _Located) -> tuple[Ints, Sheet, Ints]:
        """Return which payloads are valid records, what is in them, and where their cutouts are."""
        survey, kept = self._survey, self._kept()
        texts = tuple(schema.text for schema in located.schemas)
        rows, cells, missing, arena, bounds, stamps, elements = kernel.walk(
            located.data,
            [record_program(text, survey, kept) for text in texts],
            located.which,
            located.begin,
            located.end,
            blank=scalar_slots(survey).blank,
            blanks=[element_slots(survey, history, names).blank for history, names in kept],
            cutouts=len(survey.cutouts),
            budget=MAX_DECODED,
        )
        histories = {
            history: History(offsets, at, names, own_cells, own_missing)
            for (history, names), (offsets, at, own_cells, own_missing) in zip(kept, elements, strict=True)
        }
        sheet = Sheet(
            survey=survey,
            texts=texts,
            which=located.which[rows],
            cells=cells,
            missing=missing,
            arena=arena,
            begin=bounds[:-1],
            end=bounds[1:],
            histories=histories,
            odd=np.zeros(len(rows), dtype=np.bool_),
        )
        return rows, msgspec.structs.replace(sheet, odd=suspects(sheet)), stamps

    def _kept(self) -> Kept:
        kept = kept_fields(self._survey)
        asked = sorted(self._asked)
        return tuple(
            (history, tuple(dict.fromkeys([*names, *(name for where, name in asked if where == history)])))
            for history, names in kept.items()
        )

    def _judge(self, sheet: Sheet, rows: Ints, located: _Located, poison: list[Poison]) -> NDArray[np.bool_]:
        """Return which alerts have values that an alert can have."""
        good = np.ones(len(sheet), dtype=np.bool_)
        for row in np.flatnonzero(sheet.odd).tolist():
            schema = located.schemas[sheet.which[row]]
            data = sheet.arena[sheet.begin[row] : sheet.end[row]].tobytes()
            try:
                packet = read(data, science_schema(schema.text, self._survey), schema.fingerprint)
                check(packet, self._survey, schema.fingerprint)
            except RefusalError as refusal:
                poison.append(Poison(int(rows[row]), refusal.stage, refusal.reason, refusal.schema))
                good[row] = False
        return good


@lru_cache(maxsize=_KEPT)
def record_program(text: bytes, survey: Survey, kept: Kept) -> Program:
    """Return the program for records of a schema."""
    slots = {history: element_slots(survey, history, names) for history, names in kept}
    return compile_record(type_of(text), survey, scalar_slots(survey), slots)


@lru_cache(maxsize=_KEPT)
def science_schema(text: bytes, survey: Survey) -> Any:
    """Return a schema without cutouts as fastavro takes it."""
    return fastavro.parse_schema(to_fastavro(without(type_of(text), survey.cutouts)))


def _reason(located: _Located, index: int) -> str | None:
    begin, end = int(located.begin[index]), int(located.end[index])
    schema = located.schemas[located.which[index]]
    return explain(schema.avro_type, bytes(located.data[index][begin:end]), int(located.base[index]) + begin)
