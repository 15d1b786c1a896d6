"""Decompression of Kafka's batches that stops at a limit: 8 kB on the wire may hold 256 MiB."""

import struct
import zlib
from collections.abc import Callable

import cramjam
from aiokafka.errors import CorruptRecordException

LIMIT_BYTES = 32 * 1024 * 1024
"""What one batch may hold; the largest that producers make are 1 to 20 MiB."""

_XERIAL_HEADER = b"\x82SNAPPY\x00"
_buffer = bytearray()


class TooLargeError(CorruptRecordException):  # type: ignore[misc]
    """A compressed batch holds more than it may."""

    def __init__(self) -> None:
        super().__init__(f"the compressed batch inflates to more than {LIMIT_BYTES} bytes")


def gzip_decode(payload: bytes) -> bytes:
    """Inflate a gzip stream of any number of members."""
    out = bytearray()
    rest = bytes(payload)
    while rest:
        inflater = zlib.decompressobj(31)
        out += inflater.decompress(rest, LIMIT_BYTES + 1 - len(out))
        if len(out) > LIMIT_BYTES:
            raise TooLargeError
        if not inflater.eof:
            raise CorruptRecordException("the gzip stream of the batch is broken off")
        rest = inflater.unused_data
    return bytes(out)


def zstd_decode(payload: bytes) -> bytes:
    """Inflate zstandard frames."""
    return _into_buffer(cramjam.zstd.decompress_into, payload)


def lz4_decode(payload: bytes) -> bytes:
    """Inflate an lz4 frame."""
    return _into_buffer(cramjam.lz4.decompress_into, payload)


def snappy_decode(payload: bytes) -> bytes:
    """Inflate snappy, bare or in the blocks of the xerial library; each block tells its size beforehand."""
    payload = bytes(payload)
    if not payload.startswith(_XERIAL_HEADER):
        return _snappy_block(payload, LIMIT_BYTES)
    out = bytearray()
    at = 16
    while at < len(payload):
        (length,) = struct.unpack_from("!i", payload, at)
        if length < 0 or at + 4 + length > len(payload):
            raise CorruptRecordException("a snappy block of the batch is broken off")
        out += _snappy_block(payload[at + 4 : at + 4 + length], LIMIT_BYTES - len(out))
        at += 4 + length
    return bytes(out)


def _snappy_block(block: bytes, limit: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > limit:
        raise TooLargeError
    return bytes(cramjam.snappy.decompress_raw(block))


def _into_buffer(decompress_into: Callable[[bytes, memoryview], int], payload: bytes) -> bytes:
    # One buffer for all, made at the first use: its pages cost memory only as far as they are written.
    if len(_buffer) < LIMIT_BYTES:  # it was made under a lower limit
        _buffer.extend(bytes(LIMIT_BYTES - len(_buffer)))
    try:
        size = decompress_into(bytes(payload), memoryview(_buffer)[:LIMIT_BYTES])
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise TooLargeError from error
        raise CorruptRecordException(f"the compressed batch cannot be read: {error}") from error
    return bytes(memoryview(_buffer)[:size])
