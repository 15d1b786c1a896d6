"""A simulated night on disk, made once for each seed and size: three alerts per object, packets of real size."""

import mmap
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from ampeld.demo.simulate import SimulatedNights

CACHE = Path(__file__).resolve().parents[1] / "var" / "nights"
PER_OBJECT = 3
NIGHTS = 8
"""An object is visited on some of them: three times on the average."""


class Night(Sequence[bytes]):
    """The packets of a night in the order in which they are sent, mapped into memory.

    Parameters
    ----------
    seed
        Of the simulation.
    alerts
        At least so many.
    """

    def __init__(self, seed: int, alerts: int) -> None:
        stem = CACHE / f"{seed}-{alerts}"
        self._index, self._packets = stem.with_suffix(".npy"), stem.with_suffix(".dat")
        if not self._index.exists():
            _simulate(seed, alerts, stem)
        self._ends = np.load(self._index)
        self.objects: list[str] = pickle.loads(stem.with_suffix(".pkl").read_bytes())
        with self._packets.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, number: int) -> bytes: ...
    @overload
    def __getitem__(self, number: slice) -> list[bytes]: ...
    def __getitem__(self, number: int | slice) -> bytes | list[bytes]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        return self._map[self._ends[number] : self._ends[number + 1]]

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))


def _simulate(seed: int, alerts: int, stem: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    ends, objects = [0], []
    partial = stem.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as file:
        for alert in SimulatedNights(seed, alerts, objects=alerts // PER_OBJECT, nights=NIGHTS):
            file.write(alert.packet)
            ends.append(ends[-1] + len(alert.packet))
            objects.append(alert.object)
    partial.replace(stem.with_suffix(".dat"))
    stem.with_suffix(".pkl").write_bytes(pickle.dumps(objects))
    np.save(stem.with_suffix(".npy"), np.array(ends))
