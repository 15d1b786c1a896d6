"""Writing a catalogue: every file to the disk first, then one rename that makes it the one in force."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.catalog.digest import raw
from ampeld.catalog.intake import MISSING
from ampeld.catalog.meta import META, CatalogMeta

_WORK = ".import-"
_DATA = "data-"


@contextlib.contextmanager
def workplace(directory: Path) -> Iterator[Path]:
    """Make a directory to work in beside the catalogues, and remove it; also those that killed imports have left."""
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob(f"{_WORK}*"):
        with contextlib.suppress(OSError), _locked(left):
            shutil.rmtree(left)
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=directory))
    try:
        with _locked(work):
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_columns(
    data: Path, slices: Iterable[Mapping[str, NDArray[Any]]], dtypes: Mapping[str, np.dtype[Any]], rows: int
) -> None:
    """Write the columns of a catalogue, each to a file of its own.

    Parameters
    ----------
    data
        The directory to make.
    slices
        All rows in their order, some at a time.
    dtypes
        The type of each field; one that says where another is missing has no file when that is nowhere.
    rows
        How many there are.
    """
    data.mkdir()
    needless = {name for name in dtypes if name.endswith(MISSING)}
    with contextlib.ExitStack() as files:
        opened = {name: files.enter_context((data / f"{name}.npy").open("wb")) for name in dtypes}
        for name, dtype in dtypes.items():
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (rows,)}
            np.lib.format.write_array_header_1_0(opened[name], header)
        for part in slices:
            for name, values in part.items():
                opened[name].write(raw(values))
            needless -= {name for name in needless if part[name].any()}
        for name, file in opened.items():
            if name in needless:
                (data / f"{name}.npy").unlink()
                continue
            file.flush()
            os.fsync(file.fileno())
    _sync(data)


def put_in_force(data: Path, target: Path, meta: CatalogMeta) -> None:
    """Make written columns the catalogue of this name; whoever has opened the former one keeps it.

    Parameters
    ----------
    data
        Where they were written, on the same file system.
    target
        The catalogue's directory.
    meta
        What it says of itself.
    """
    target.mkdir(exist_ok=True)
    data.rename(target / meta.data)
    _sync(target)
    new = target / f".{META}.new"
    with new.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(meta), indent=2))
        file.flush()
        os.fsync(file.fileno())
    new.replace(target / META)
    _sync(target)
    _sync(target.parent)
    for old in target.glob(f"{_DATA}*"):
        if old.name != meta.data:
            shutil.rmtree(old, ignore_errors=True)


def exists(target: Path) -> bool:
    """Tell whether there is a catalogue already, be it broken."""
    return (target / META).exists()


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
