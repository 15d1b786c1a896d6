"""Only what LSST's points are made of, decoded from an alert's bytes: a tenth of its fields."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from ampeld.alert import bodies
from ampeld.alert.columns import Sheet, type_of
from ampeld.alert.lsst_shape import KEPT, TAGS
from ampeld.alert.program import THERE, element_type, record_type, scalar_slots
from ampeld.alert.survey import Packet

_SCHEMAS: Final = 64


class SlimPackets:
    """Packets with the records and fields that `ampeld.alert.lsst_shape` looks at, of the rows of one batch.

    Parameters
    ----------
    sheet
        The batch.
    whole
        Decodes a row in full: for what only a full decode can judge.
    """

    def __init__(self, sheet: Sheet, whole: Callable[[int], Packet]) -> None:
        self._sheet = sheet
        self._whole = whole
        slots = scalar_slots(sheet.survey).by_name
        self._records = {part: slots[part, THERE].number for part in TAGS if part in sheet.survey.records}

    def __call__(self, row: int) -> Packet:
        """Return the slim packet of a row; numbers that are not finite are left as they are."""
        sheet = self._sheet
        if sheet.odd[row]:
            return self._whole(row)
        text = sheet.texts[sheet.which[row]]
        packet: dict[str, Any] = {}
        for part, slot in self._records.items():
            there = not sheet.missing[slot, row]
            packet[part] = (
                bodies.decode(_reader(text, part), sheet.arena, int(sheet.cells[slot, row])) if there else None
            )
        for part, history in sheet.histories.items():
            begin, end = history.offsets[row : row + 2].tolist()
            if end > begin:
                reader = _reader(text, part)
                packet[part] = [bodies.decode(reader, sheet.arena, at) for at in history.at[begin:end].tolist()]
        return packet


@lru_cache(maxsize=_SCHEMAS * len(TAGS))
def _reader(text: bytes, part: str) -> bodies.Reader:
    schema, kept = type_of(text), KEPT[TAGS[part]]
    record = element_type(schema, part) if part.startswith("prv") else record_type(schema, part)
    dropped = () if kept is None else set(record.labels) - set(kept)
    return bodies.reader(record, dropped, finite=False)
