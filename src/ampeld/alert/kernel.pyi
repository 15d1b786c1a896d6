from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Ints: TypeAlias = NDArray[np.int64]
_Bytes: TypeAlias = NDArray[np.uint8]

def locate(values: list[bytes], openings: list[bytes], contained: _Bytes) -> tuple[_Ints, _Ints, _Ints]: ...
def walk(
    values: list[bytes],
    programs: list[_Ints],
    which: _Ints,
    begin: _Ints,
    end: _Ints,
    *,
    blank: _Ints,
    blanks: list[_Ints],
    cutouts: int,
    budget: int,
) -> tuple[_Ints, _Ints, _Bytes, _Bytes, _Ints, _Ints, Sequence[tuple[_Ints, _Ints, _Ints, _Bytes]]]: ...
def fill(
    arena: NDArray[Any], programs: list[_Ints], which: _Ints, at: _Ints, *, blank: _Ints, budget: int
) -> tuple[_Ints, _Bytes]: ...
