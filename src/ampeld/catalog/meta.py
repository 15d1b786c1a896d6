"""What a catalogue says of itself: ``meta.json`` beside its columns."""

import hashlib
import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from ampeld.catalog.errors import CatalogError

FORMAT: Final = 1
META: Final = "meta.json"
INDEX: Final = "hpx29"
"""The column of cells of order 29, nested, by which the rows are in ascending order."""
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a catalogue can be called."""

Kind = Literal["float", "int", "bool", "text"]


class ColumnMeta(msgspec.Struct, frozen=True, kw_only=True):
    """One column: the numpy files ``<name>.npy``, and ``<name>.missing.npy`` where rows lack it."""

    name: str
    kind: Kind
    unit: str = ""
    description: str = ""
    source: str = ""
    """What it was called in the table."""
    missing: int = 0
    """How many rows lack it; a float that is missing is NaN and has no file of its own for that."""
    digest: str = ""
    """xxh3-128 of its values, and after a hyphen that of where they are missing."""


class SourceMeta(msgspec.Struct, frozen=True, kw_only=True):
    """A table that was imported."""

    path: str
    bytes: int
    rows: int
    skipped: int = 0
    """Rows that were left out, for want of a position."""


class CatalogMeta(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue: rows in ascending order of `INDEX`, positions in ICRS [deg]."""

    format: int
    name: str
    rows: int
    columns: list[ColumnMeta]
    data: str
    """The directory of the columns, beside this file."""
    digest: str
    """16 hexadecimal digits that change with the columns and their contents."""
    sources: list[SourceMeta]
    imported: str
    """When, in UTC."""
    ampeld: str
    """The version that made it."""
    epoch: float | None = None
    """Julian year of the positions."""
    description: str = ""


def read_meta(directory: Path) -> CatalogMeta:
    """Return what a catalogue says of itself.

    Parameters
    ----------
    directory
        The catalogue's.

    Raises
    ------
    CatalogError
        If it cannot be read.
    """
    path = directory / META
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        version = msgspec.json.decode(raw, type=_Versioned).format
        if version != FORMAT:
            raise CatalogError(f"{path}: is of format {version}, and this ampeld reads {FORMAT}: import it again")
        return msgspec.json.decode(raw, type=CatalogMeta)
    except msgspec.DecodeError as error:
        raise CatalogError(f"{path}: does not describe a catalogue: {error}") from error


def digest_of(columns: list[ColumnMeta]) -> str:
    """Return the digest of a catalogue with these columns."""
    plain = [(column.name, column.kind, column.unit, column.digest) for column in columns]
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()[:16]


class _Versioned(msgspec.Struct):
    format: int
