"""Sorting what does not fit into memory: sorted runs on disk, then slices of all of them merged in turn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ampeld.catalog.meta import INDEX

RUN_BYTES: Final = 1 << 26
SLICE_ROWS: Final = 1 << 19
# The keys of a run that say where to cut the slices: one in so many, and so many at least.
_EVERY: Final = 1 << 10
_AT_LEAST: Final = 64

Records = NDArray[Any]
"""A structured array with the field `INDEX` to sort by."""


class Runs:
    """Rows on their way to be sorted.

    Parameters
    ----------
    directory
        Where the runs are written; it is the caller's to remove.
    run_bytes, slice_rows
        What may be in memory at once, when adding and when merging.
    """

    def __init__(self, directory: Path, *, run_bytes: int = RUN_BYTES, slice_rows: int = SLICE_ROWS) -> None:
        self._directory = directory
        self._run_bytes = run_bytes
        self._slice_rows = slice_rows
        self._waiting: list[Records] = []
        self._paths: list[Path] = []
        self._lengths: list[int] = []
        self._dtypes: dict[str, np.dtype[Any]] = {}

    def __len__(self) -> int:
        return sum(self._lengths) + sum(map(len, self._waiting))

    @property
    def dtypes(self) -> dict[str, np.dtype[Any]]:
        """Return by field the type that holds the values of all rows so far."""
        return dict(self._dtypes)

    def add(self, fields: dict[str, NDArray[Any]]) -> None:
        """Take some rows; those of one field may differ in width or precision from call to call."""
        for name, values in fields.items():
            known = self._dtypes.get(name)
            self._dtypes[name] = values.dtype if known is None else np.result_type(known, values.dtype)
        dtype = np.dtype([(name, values.dtype) for name, values in fields.items()])
        records = np.empty(len(fields[INDEX]), dtype=dtype)
        for name, values in fields.items():
            records[name] = values
        self._waiting.append(records)
        if sum(part.nbytes for part in self._waiting) >= self._run_bytes:
            self._spill()

    def merged(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield all rows in ascending order of `INDEX`, a slice at a time; those with equal ones as they were added."""
        self._spill()
        runs = [np.load(path, mmap_mode="r").view(np.ndarray) for path in self._paths]
        keys = [np.load(_key_path(path), mmap_mode="r").view(np.ndarray) for path in self._paths]
        places = np.zeros(len(runs), dtype=np.int64)
        for limit in [*self._cuts(keys), None]:
            ends = [len(key) if limit is None else int(np.searchsorted(key, limit)) for key in keys]
            parts = [run[start:end] for run, start, end in zip(runs, places.tolist(), ends, strict=True) if end > start]
            places[:] = ends
            if parts:
                order = np.argsort(np.concatenate([part[INDEX] for part in parts]), kind="stable")
                yield {
                    name: np.concatenate([part[name] for part in parts]).astype(dtype, copy=False)[order]
                    for name, dtype in self._dtypes.items()
                }

    def _cuts(self, keys: list[NDArray[np.int64]]) -> list[int]:
        """Return the keys at which slices of some `slice_rows` begin, by a sample of each run."""
        slices = -(-len(self) // self._slice_rows)
        if slices < 2:
            return []
        samples = [key[:: max(1, min(_EVERY, len(key) // _AT_LEAST))] for key in keys]
        sample = np.sort(np.concatenate(samples))
        return [int(key) for key in np.unique(sample[np.arange(1, slices) * len(sample) // slices])]

    def _spill(self) -> None:
        if not self._waiting:
            return
        names = list(self._dtypes)
        whole = {name: np.concatenate([part[name] for part in self._waiting]) for name in names}
        self._waiting = []
        order = np.argsort(whole[INDEX], kind="stable")
        records = np.empty(len(order), dtype=[(name, values.dtype) for name, values in whole.items()])
        for name, values in whole.items():
            records[name] = values[order]
        path = self._directory / f"run-{len(self._paths):05}.npy"
        np.save(path, records)
        np.save(_key_path(path), whole[INDEX][order])  # once more for itself: searching a field would copy all of it
        self._paths.append(path)
        self._lengths.append(len(records))


def _key_path(path: Path) -> Path:
    return path.with_suffix(".key.npy")
