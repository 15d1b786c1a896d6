"""Finds the schema behind the number in a frame: in a directory, among those packaged, at a registry; in this order."""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, Protocol

import orjson
import structlog
from fastavro.repository.base import SchemaRepositoryError
from fastavro.schema import SchemaParseException, load_schema

from ampeld.errors import PoisonError, RetryableError

PACKAGED: Final = (900, 1000, 1100, 1101)
"""The numbers of the schemas that come with ampeld; Rubin numbers version 9.0 as 900."""

TRIES: Final = 3
"""How often a registry is asked for a schema that it says not to have."""

_KEPT: Final = ("type", "name", "namespace", "fields", "items", "values", "symbols", "size")
_MAX_FILE: Final = 1024 * 1024

log = structlog.get_logger("ampeld.schemas")


class SchemaFileError(RetryableError):
    """A file of the schema directory cannot be used: its alerts wait until it is mended or taken away."""


class Registry(Protocol):
    """Who knows every schema."""

    async def fetch(self, number: int) -> bytes:
        """Return the JSON text of a schema.

        Raises
        ------
        PoisonError
            If the registry answers that there is none.
        RetryableError
            If it does not answer.
        """


class Schemas:
    """The schemas of framed alerts, by number.

    What an operator puts into the directory comes first: as ``<number>.avsc``, or in the survey's own files
    (``lsst.v9_0.alert.avsc`` and those beside it, at any depth). What a registry answers is written there.

    Parameters
    ----------
    directory
        Need not exist; None for none.
    registry
        None for none.
    between_tries_s
        How long it waits before it asks the registry again for a schema that is said not to exist [s].
    """

    def __init__(
        self, directory: Path | None = None, registry: Registry | None = None, *, between_tries_s: float = 1.0
    ) -> None:
        self._directory = directory
        self._registry = registry
        self._between_tries_s = between_tries_s

    async def find(self, number: int) -> bytes:
        """Return the JSON text of a schema, without its documentation.

        Raises
        ------
        PoisonError
            If there is no schema of this number.
        RetryableError
            If that cannot be said now.
        """
        found = await asyncio.to_thread(self.local, number)
        if found is not None:
            return found
        if self._registry is None:
            raise PoisonError(
                f"schema {number} is none of those packaged ({', '.join(map(str, PACKAGED))}), not in "
                "source.schema_directory, and there is no source.schema_registry to ask"
            )
        found = compact(await self._ask(self._registry, number))
        await asyncio.to_thread(self._keep, number, found)
        return found

    def local(self, number: int) -> bytes | None:
        """Return the JSON text of a schema that lies in the directory or is packaged, None for any other.

        Raises
        ------
        SchemaFileError
            If it cannot be read.
        """
        return self._in_directory(number) or packaged(number)

    async def _ask(self, registry: Registry, number: int) -> bytes:
        """Ask the registry, and again when it says that there is none: its copies may lag behind one another."""
        for _ in range(TRIES - 1):
            try:
                return await registry.fetch(number)
            except PoisonError:
                await asyncio.sleep(self._between_tries_s)
        return await registry.fetch(number)

    def _in_directory(self, number: int) -> bytes | None:
        if self._directory is None:
            return None
        try:
            path = _place(self._directory, number)
            return None if path is None else _load(path)
        except (OSError, ValueError, LookupError, SchemaRepositoryError, SchemaParseException) as error:
            raise SchemaFileError(f"source.schema_directory: schema {number} cannot be read: {error}") from error

    def _keep(self, number: int, text: bytes) -> None:
        """Write a schema for the next start; where that fails, the registry is asked again then."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._directory, prefix=f".{number}.", delete=False) as file:
                written = Path(file.name)
                file.write(text)
            try:
                written.chmod(0o644)
                written.replace(self._directory / f"{number}.avsc")
            finally:
                written.unlink(missing_ok=True)
        except OSError as error:
            log.warning("schemas.unwritable", directory=str(self._directory), error=error.strerror or str(error))


def packaged(number: int) -> bytes | None:
    """Return the JSON text of a schema that comes with ampeld, None for any other."""
    if number not in PACKAGED:
        return None
    return (files("ampeld.source") / "schemata" / f"{number}.avsc").read_bytes().rstrip()


def compact(text: bytes) -> bytes:
    """Return a schema's JSON text with what decoding needs and nothing else, so that every copy of it reads alike.

    Raises
    ------
    RetryableError
        If it is no JSON: a proxy's page, perhaps.
    """
    try:
        described = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RetryableError(f"a schema that is not JSON: {error}") from error
    return orjson.dumps(_stripped(described))


def _place(directory: Path, number: int) -> Path | None:
    """Return the file of a schema, None where there is none."""
    plain = directory / f"{number}.avsc"
    if plain.is_file():
        return plain
    major, minor = divmod(number, 100)
    return min(directory.rglob(f"lsst.v{major}_{minor}.alert.avsc"), default=None)


def _load(path: Path) -> bytes:
    if path.stat().st_size > _MAX_FILE:
        raise ValueError(f"{path} is larger than {_MAX_FILE} bytes")
    if path.stem.isdecimal():
        return orjson.dumps(_stripped(orjson.loads(path.read_bytes())))
    return orjson.dumps(_stripped(load_schema(str(path), _write_hint=False)))


def _stripped(described: Any) -> Any:
    if isinstance(described, Mapping):
        return {key: _inside(key, described[key]) for key in _KEPT if key in described}
    if isinstance(described, list):
        return [_stripped(one) for one in described]
    return described


def _inside(key: str, value: Any) -> Any:
    return value if key in ("name", "namespace", "symbols", "size") else _stripped(value)
