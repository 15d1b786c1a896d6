"""What units ask for before they measure: catalogues of the daemon, and files beside the channel that wants them."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.directory import Found
from ampeld.errors import AmpeldError
from ampeld.names import did_you_mean

Need = tuple[Literal["catalog", "column", "file", "path"], str]
"""What a unit's ``needs`` yields."""

_CHUNK: Final = 1 << 20


class ResourceError(AmpeldError):
    """What a unit asks for is not there, or cannot be read."""


class LocalResources:
    """Implements `ampeld.feature.unit.Resources` for one unit, and keeps the digest of everything that it asked for.

    Parameters
    ----------
    found
        The catalogues at hand.
    directory
        Where the channel file lies: relative names are meant from there, and never lead out of it.
    texts
        By name: files that are known as text already, and need not lie on disk any more.
    """

    def __init__(self, found: Found, directory: Path, texts: Mapping[str, str] | None = None) -> None:
        self.digests: dict[str, str] = {}
        """By name: 16 bytes of BLAKE2b of a file's contents or a directory's, or a catalogue's own digest."""
        self._found = found
        self._directory = directory
        self._texts = texts or {}

    def problems(self, needs: Iterable[Need]) -> list[str]:
        """Return what is missing of what a unit needs; nothing is read, so that this is quick."""
        problems: list[str] = []
        for kind, name in needs:
            try:
                if kind == "catalog":
                    self._catalog(name)
                elif kind == "column":
                    self._check_column(name)
                elif kind == "path" or name not in self._texts:
                    self._place(name, directories=kind == "path")
            except ResourceError as error:
                problems.append(str(error))
        return problems

    def catalog(self, name: str) -> "LocalSource":
        """Return a local catalogue.

        Raises
        ------
        ResourceError
            If there is none, or it cannot be used.
        """
        catalog = self._catalog(name)
        self.digests[name] = catalog.meta.digest
        return LocalSource(catalog)

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        ResourceError
            If it is not there, or cannot be read.
        """
        text = self._texts.get(name)
        try:
            data = text.encode() if text is not None else self._place(name, directories=False).read_bytes()
        except OSError as error:
            raise ResourceError(f"{name}: cannot be read: {error.strerror}") from error
        self.digests[name] = _digest([data])
        return data

    def path(self, name: str) -> str:
        """Return where a file or directory lies; all of it is read once, for its digest.

        Raises
        ------
        ResourceError
            If it is not there, or cannot be read.
        """
        place = self._place(name, directories=True)
        try:
            self.digests[name] = _digest(_contents(place))
        except OSError as error:
            raise ResourceError(f"{error.filename}: cannot be read: {error.strerror}") from error
        return str(place)

    def _catalog(self, name: str) -> Catalog:
        catalog = self._found.catalogs.get(name)
        if catalog is None:
            if name in self._found.broken:
                raise ResourceError(f"the catalogue {name!r} cannot be used: {self._found.broken[name]}")
            there = ", ".join(sorted(self._found.catalogs)) or "none"
            near = did_you_mean(name, self._found.catalogs)
            raise ResourceError(f"there is no catalogue {name!r}{near} (there: {there}); see `ampeld catalog import`")
        return catalog

    def _check_column(self, need: str) -> None:
        name, _, column = need.partition(".")
        # that there is no such catalogue is a problem of its own
        catalog = self._found.catalogs.get(name)
        if catalog is not None and column not in catalog.columns:
            near = did_you_mean(column, catalog.columns)
            raise ResourceError(f"the catalogue {name!r} has no column {column!r}{near}")

    def _place(self, name: str, *, directories: bool) -> Path:
        if not name or "\0" in name:
            raise ResourceError(f"{name!r} is no name of a file")
        given = Path(name).expanduser()
        place = Path(os.path.realpath(self._directory / given))
        if not given.is_absolute() and not place.is_relative_to(os.path.realpath(self._directory)):
            raise ResourceError(f"{name!r} leads out of {self._directory}: write the whole path of a file elsewhere")
        if place.is_file() or (directories and place.is_dir()):
            return place
        if place.is_dir():
            raise ResourceError(f"{place} is a directory, and a file is expected")
        beside = [file.name for file in place.parent.glob("*")] if place.parent.is_dir() else []
        raise ResourceError(f"there is no file {place}{did_you_mean(place.name, beside)}")


class LocalSource:
    """One catalogue, searched at one position at a time; implements `ampeld.feature.unit.Source`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def cone(self, ra: float, dec: float, radius_arcsec: float) -> Sequence[Mapping[str, Any]]:
        """Return the sources within a radius, nearest first: their columns, None where missing, and ``dist_arcsec``.

        Parameters
        ----------
        ra, dec
            [deg, ICRS], finite.
        radius_arcsec
            [arcsec], above 0 and up to 36000; it belongs to the cone.
        """
        _, rows, distances = self._catalog.cone(np.array([ra]), np.array([dec]), radius_arcsec)
        if not len(rows):
            return []
        columns = {name: self._values(name, rows) for name in self._catalog.columns}
        return [
            {"dist_arcsec": distance, **{name: values[i] for name, values in columns.items()}}
            for i, distance in enumerate(distances.tolist())
        ]

    def _values(self, name: str, rows: Any) -> list[Any]:
        values, missing = self._catalog.take(name, rows)
        return [None if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _contents(place: Path) -> Iterable[bytes]:
    """Yield the bytes of a file; of a directory those of all files below, each behind its name and its length."""
    if place.is_dir():
        for file in sorted(path for path in place.rglob("*") if path.is_file()):
            yield f"{file.relative_to(place)}\0{file.stat().st_size}\0".encode()
            yield from _chunks(file)
    else:
        yield from _chunks(place)


def _chunks(file: Path) -> Iterable[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
