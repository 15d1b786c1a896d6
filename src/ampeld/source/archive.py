"""Walks files, directories and tar archives in their order and yields the payloads in them, one at a time."""

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from ampeld.errors import AmpeldError, ConfigError

MAX_KEPT_BYTES = 64 * 1024 * 1024
"""How much of a payload is kept when the file itself is far above any sensible message; the file has it whole."""

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_DAMAGES = (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError)


class DamagedFileError(AmpeldError):
    """A file or archive could not be read to its end; what was readable has been delivered."""


class Payload(msgspec.Struct, frozen=True):
    """One record of a file: ``number`` counts the archive's own ``.avro`` members."""

    topic: str
    number: int
    value: bytes
    refusal: str | None
    read_bytes: int
    """Bytes of the file itself (compressed, if it is) read until here."""


class Finished(msgspec.Struct, frozen=True):
    """The end of one file; ``damage`` says why it is not its real end."""

    topic: str
    size: int
    damage: str | None


class _Member(tarfile.TarInfo):
    """A member that tells its archive how the headers ended: tarfile takes rubbish for the end in silence."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            archive.ended_by = error  # type: ignore[attr-defined]
            raise


def check_paths(paths: Sequence[Path]) -> list[Path]:
    """Return the paths resolved, without those that lie in another one or come twice.

    Raises
    ------
    ConfigError
        Naming every path that is missing, unreadable or of no known kind.
    """
    problems = [problem for path in paths if (problem := _problem(path)) is not None]
    if problems:
        raise ConfigError(problems)
    resolved = list(dict.fromkeys(path.resolve() for path in paths))
    return [path for path in resolved if not any(other in path.parents for other in resolved)]


def _problem(path: Path) -> str | None:
    try:
        if path.is_dir():
            os.scandir(path).close()
            return None
        with path.open("rb"):
            pass
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return None if _is_known(path.name) else f"{path}: neither an .avro file nor a directory nor a tar archive"


def _is_known(name: str) -> bool:
    return name.lower().endswith((".avro", *ARCHIVES))


def walk(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield every file, directories in the order of their names; a directory is held in memory one at a time."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from walk([Path(entry.path)])
            elif entry.is_file() and _is_known(entry.name):
                yield Path(entry.path)


def total_bytes(paths: Sequence[Path]) -> int:
    """Return the size of everything that will be read."""
    return sum(path.stat().st_size for path in walk(paths))


def read(paths: Sequence[Path], max_message_bytes: int) -> Iterator[Payload | Finished]:
    """Yield every payload in order, and after each file that it is finished."""
    for path in walk(paths):
        # A name that is not UTF-8 has to survive the way into documents.
        topic = os.fsencode(path.resolve()).decode("utf-8", "backslashreplace")
        damage = None
        size = 0
        try:
            size = path.stat().st_size
            yield from _read_file(path, topic, max_message_bytes)
        except _DAMAGES as error:
            damage = f"{path}: {error}"
        yield Finished(topic, size, damage)


def _read_file(path: Path, topic: str, max_message_bytes: int) -> Iterator[Payload]:
    with path.open("rb") as raw:
        if path.name.lower().endswith(".avro"):
            value, refusal = _bounded(raw, path.stat().st_size, max_message_bytes)
            yield Payload(topic, 0, value, refusal, raw.tell())
            return
        with _decompressed(path, raw) as plain:
            for number, (value, refusal) in enumerate(_members(plain, max_message_bytes)):
                yield Payload(topic, number, value, refusal, raw.tell())
            while plain.read(1024 * 1024):
                pass  # the check sum of a compressed stream stands at its end


def _decompressed(path: Path, raw: IO[bytes]) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith((".tar.gz", ".tgz")):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if name.endswith((".tar.bz2", ".tbz2")):
        return bz2.BZ2File(raw)
    return lzma.LZMAFile(raw) if name.endswith((".tar.xz", ".txz")) else raw


def _members(plain: IO[bytes], max_message_bytes: int) -> Iterator[tuple[bytes, str | None]]:
    archive: Any = tarfile.TarFile(fileobj=plain, tarinfo=_Member, errorlevel=2)
    while (member := archive.next()) is not None:
        archive.members.clear()  # else every header of the archive stays in memory
        if member.isreg() and member.name.lower().endswith(".avro"):
            yield _bounded(archive.extractfile(member), member.size, max_message_bytes)
    # An archive may lack the two empty blocks at its end, as some real ones do, but not a part of a header.
    ends = (tarfile.EOFHeaderError, tarfile.EmptyHeaderError)  # type: ignore[attr-defined]
    if not isinstance(archive.ended_by, ends):
        raise tarfile.ReadError(f"the archive is broken off at byte {archive.offset}: {archive.ended_by}")


def _bounded(file: IO[bytes], size: int, max_message_bytes: int) -> tuple[bytes, str | None]:
    value = file.read(min(size, MAX_KEPT_BYTES))
    if size <= max_message_bytes:
        return value, None
    refusal = f"message of {size} bytes above source.max_message_bytes = {max_message_bytes}"
    return value, refusal if len(value) == size else f"{refusal}; its first {len(value)} bytes are kept"
