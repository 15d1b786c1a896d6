"""The kernel asked only whether bytes are one record of a schema."""

import functools
import itertools

import numpy as np

from ampeld.alert import kernel
from ampeld.alert.program import compile_record, scalar_slots
from ampeld.alert.schema import AvroType
from ampeld.alert.survey import ZTF
from ampeld.alert.wire import MAX_DECODED

_BLANK = np.zeros(1, dtype=np.int64)


def accepts(avro_type: AvroType, data: bytes) -> bool:
    """Tell whether the kernel accepts the bytes, alone and between two copies that do not disturb each other."""
    alone = _accepted(avro_type, [data])
    assert _accepted(avro_type, [data, b"", data, data]) in ([*alone, *([2, 3] if alone else [])], _with_empty(alone))
    return bool(alone)


def _with_empty(alone: list[int]) -> list[int]:
    """Return which of the four are accepted when nothing is a record too."""
    return [0, 1, 2, 3] if alone else [1]


def _accepted(avro_type: AvroType, values: list[bytes]) -> list[int]:
    number = len(values)
    found = kernel.walk(
        values,
        [_program(avro_type)],
        np.zeros(number, dtype=np.int64),
        np.zeros(number, dtype=np.int64),
        np.array([len(value) for value in values], dtype=np.int64),
        blank=scalar_slots(ZTF).blank,
        blanks=[_BLANK, _BLANK],
        cutouts=len(ZTF.cutouts),
        budget=MAX_DECODED,
    )
    arena, bounds = found[3], found[4]
    assert [arena[begin:end].tobytes() for begin, end in itertools.pairwise(bounds)] == [
        values[row] for row in found[0].tolist()
    ]
    return found[0].tolist()


@functools.lru_cache(maxsize=8)
def _program(avro_type: AvroType) -> "np.ndarray":
    return compile_record(avro_type, ZTF, scalar_slots(ZTF))
