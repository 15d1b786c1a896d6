"""Avro's primitive encodings, each read with every check that the specification asks for.

Functions take the bytes and a position and return the position behind what they read.
A read past the end raises IndexError, anything else that is wrong a `FaultError`.
"""

from typing import Final

MAX_DECODED: Final = 32 * 1024 * 1024
"""Largest estimate of the memory [byte] that the arrays and maps of one record may take when decoded."""

_LONGEST: Final = 10


class FaultError(Exception):
    """The bytes break the encoding: what is wrong, and at which byte."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what, at)
        self.what = what
        self.at = at


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned varint of at most 64 bits, and the position behind it."""
    value = shift = 0
    for position in range(at, at + _LONGEST):
        byte = data[position]
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> 64:
                break
            return value, position + 1
        shift += 7
    raise FaultError("varint longer than 64 bits", at)


def long(data: bytes, at: int) -> tuple[int, int]:
    """Return a long, and the position behind it."""
    raw, at = varint(data, at)
    return raw >> 1 ^ -(raw & 1), at


def skip_long(data: bytes, at: int) -> int:
    """Pass a long."""
    return varint(data, at)[1]


def skip_int(data: bytes, at: int) -> int:
    """Pass an int: a varint whose value fits 32 bits."""
    raw, behind = varint(data, at)
    if raw >> 32:
        raise FaultError("int beyond 32 bits", at)
    return behind


def skip_boolean(data: bytes, at: int) -> int:
    """Pass a boolean."""
    if data[at] > 1:
        raise FaultError("boolean that is neither 0 nor 1", at)
    return at + 1


def skip_fixed(data: bytes, at: int, size: int) -> int:
    """Pass ``size`` bytes, all of which must be there."""
    if at + size > len(data):
        raise IndexError
    return at + size


def skip_bytes(data: bytes, at: int) -> int:
    """Pass bytes with their length."""
    size, start = long(data, at)
    if not 0 <= size <= len(data) - start:
        raise FaultError(f"length {size} with {max(0, len(data) - start)} bytes left", at)
    return start + size


def skip_string(data: bytes, at: int) -> int:
    """Pass a string: bytes that are UTF-8."""
    size, start = long(data, at)
    if not 0 <= size <= len(data) - start:
        raise FaultError(f"length {size} with {max(0, len(data) - start)} bytes left", at)
    try:
        data[start : start + size].decode()
    except UnicodeDecodeError as error:
        raise FaultError("string that is not UTF-8", start + error.start) from None
    return start + size


def skip_key(data: bytes, at: int) -> int:
    """Pass the key of a map: a string that can name a field of a stored document."""
    behind = skip_string(data, at)
    key = data[skip_long(data, at) : behind]
    if key.startswith(b"$") or b"\x00" in key:
        raise FaultError("map key that begins with $ or holds a NUL", at)
    return behind


def skip_enum(data: bytes, at: int, symbols: int) -> int:
    """Pass an enum of so many symbols."""
    index, behind = long(data, at)
    if not 0 <= index < symbols:
        raise FaultError(f"enum index {index} of {symbols} symbols", at)
    return behind


def union_index(data: bytes, at: int, branches: int) -> tuple[int, int]:
    """Return the index of a union's branch, and the position behind it."""
    index, behind = long(data, at)
    if not 0 <= index < branches:
        raise FaultError(f"union index {index} of {branches} branches", at)
    return index, behind


def block(data: bytes, at: int, width: int, weight: int, budget: list[int]) -> tuple[int, int, int]:
    """Read the head of a block of an array or map.

    Parameters
    ----------
    data, at
        Where it stands.
    width
        The fewest bytes that an item takes.
    weight
        The estimated memory of a decoded item [byte].
    budget
        The memory left for the record, one number; what the block takes is subtracted.

    Returns
    -------
    tuple of int
        Number of items (0 at the end), position of the first, and where the block must end (-1: not stated).
    """
    count, start = long(data, at)
    end = -1
    if count < 0:
        count = -count
        size, start = long(data, start)
        end = start + size
        if size < 0 or end > len(data):
            raise FaultError(f"block of {size} bytes with {max(0, len(data) - start)} left", at)
    if count * width > len(data) - start:
        raise FaultError(f"block of {count} items with {max(0, len(data) - start)} bytes left", at)
    budget[0] -= count * weight
    if budget[0] < 0:
        raise FaultError(f"decoded arrays above {MAX_DECODED} bytes", at)
    return count, start, end
