"""The Avro object container around an alert: one header with the schema, one record, nothing else."""

import zlib
from typing import Final

import msgspec

from ampeld.alert import wire
from ampeld.errors import PoisonError

MAX_INFLATED: Final = 32 * 1024 * 1024

_MAGIC: Final = b"Obj\x01"
_SYNC: Final = 16
_MAX_ENTRIES: Final = 100
_CODECS: Final = ("null", "deflate")


class Header(msgspec.Struct, frozen=True):
    """What stands before the sync marker: ``size`` bytes."""

    schema: bytes
    codec: str
    size: int


def read_header(value: bytes) -> Header:
    """Read the header of a container.

    Raises
    ------
    PoisonError
        If it is none: the reason says what the bytes look like instead.
    """
    if not value.startswith(_MAGIC):
        raise PoisonError(_foreign(value))
    try:
        entries, size = _entries(value)
    except IndexError:
        raise PoisonError(f"the data end at byte {len(value)}, inside the header of the container") from None
    except wire.FaultError as fault:
        raise PoisonError(f"{fault.what} at byte {fault.at} (header of the container)") from None
    schema, codec = entries.get(b"avro.schema"), entries.get(b"avro.codec", b"null").decode("latin-1")
    if schema is None:
        raise PoisonError("container without a schema")
    if codec not in _CODECS:
        raise PoisonError(f"container with a codec that is neither of {', '.join(_CODECS)}")
    return Header(schema, codec, size)


def read_record(value: bytes, header: Header) -> tuple[bytes, int]:
    """Return the bytes of the only record of a container, and where they begin in it.

    Raises
    ------
    PoisonError
        If there is none or more than one, a marker is wrong, or anything is left over.
    """
    try:
        found, at = _blocks(value, header)
    except IndexError:
        raise PoisonError(f"the data end at byte {len(value)}, inside the container") from None
    except wire.FaultError as fault:
        raise PoisonError(f"{fault.what} at byte {fault.at} (blocks of the container)") from None
    return (found, at) if header.codec == "null" else (_inflate(found), 0)


def _foreign(value: bytes) -> str:
    """Say what bytes that are no container look like."""
    if not value:
        return "empty payload"
    if _MAGIC.startswith(value):
        return f"the data end at byte {len(value)}, inside the header of the container"
    if value.startswith(b"\x1f\x8b"):
        return "gzip data, not an Avro object container"
    if value.lstrip()[:1] in (b"{", b"["):
        return "JSON text, not an Avro object container"
    if value[0] == 0 and len(value) > 5:
        return f"Confluent frame with schema id {int.from_bytes(value[1:5], 'big')}: another survey's packet?"
    return "not an Avro object container"


def _entries(value: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return the map of the header and the position behind it."""
    entries: dict[bytes, bytes] = {}
    at, budget = len(_MAGIC), [wire.MAX_DECODED]
    while True:
        count, at, end = wire.block(value, at, 2, 1, budget)
        if not count:
            return entries, at
        if count + len(entries) > _MAX_ENTRIES:
            raise wire.FaultError(f"more than {_MAX_ENTRIES} entries", at)
        for _ in range(count):
            start, at = at, wire.skip_string(value, at)
            key = value[wire.skip_long(value, start) : at]
            start, at = at, wire.skip_bytes(value, at)
            entries[key] = value[wire.skip_long(value, start) : at]
        if end not in (-1, at):
            raise wire.FaultError("block that does not end where it says", at)


def _blocks(value: bytes, header: Header) -> tuple[bytes, int]:
    """Return the stored bytes of the block that holds the only record, and where they begin."""
    sync = value[header.size : header.size + _SYNC]
    at = header.size + len(sync)
    if len(sync) < _SYNC:
        raise IndexError
    records, found = 0, (b"", 0)
    while at < len(value):
        start = at
        try:
            count, at, size = _block(value, at, sync)
        except (IndexError, wire.FaultError):
            if records:
                raise PoisonError(f"{len(value) - start} bytes left over behind the record") from None
            raise
        records += count
        found = (value[at : at + size], at) if count else found
        at += size + _SYNC
    if records != 1:
        raise PoisonError(f"container of {records or 'no'} records")
    return found


def _block(value: bytes, at: int, sync: bytes) -> tuple[int, int, int]:
    """Return the number of records of a block, where its bytes begin, and how many there are."""
    start = at
    count, at = wire.long(value, at)
    size, at = wire.long(value, at)
    if count < 0 or size < 0:
        raise wire.FaultError("block of a negative size", start)
    if size > len(value) - at:
        raise IndexError
    if value[at + size : at + size + _SYNC] != sync:
        _refuse_marker(value, at + size)
    if size and not count:
        raise wire.FaultError(f"block of no records with {size} bytes", start)
    return count, at, size


def _refuse_marker(value: bytes, at: int) -> None:
    if at + _SYNC > len(value):
        raise IndexError
    raise wire.FaultError("wrong sync marker", at)


def _inflate(stored: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(stored, MAX_INFLATED)
    except zlib.error:
        raise PoisonError("container whose deflated block is broken") from None
    if inflater.unconsumed_tail or (not inflater.eof and len(data) >= MAX_INFLATED):
        raise PoisonError(f"container whose deflated block is larger than {MAX_INFLATED} bytes")
    if not inflater.eof:
        raise PoisonError("container whose deflated block ends early")
    # fastavro cuts zlib's frame so that a part of its check sum stays behind the data.
    if inflater.unused_data != zlib.adler32(data).to_bytes(4, "big")[: len(inflater.unused_data)]:
        raise PoisonError("container with bytes left over behind its deflated block")
    return data
