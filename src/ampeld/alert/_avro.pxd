# cython: cdivision=True
# Avro's primitive encodings as ampeld.alert.wire reads them, without the GIL; a position behind, or -1 for a fault.
#
# ``end`` is the first byte that must not be read; every function stays below it.

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

cdef enum:
    SYNC = 16


cdef inline int64_t read_varint(const uint8_t* data, int64_t at, int64_t end, uint64_t* value) noexcept nogil:
    cdef uint64_t found = 0
    cdef uint8_t byte
    cdef int shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        if shift == 63 and byte & 126:
            return -1  # beyond 64 bits
        found |= (<uint64_t>(byte & 127)) << shift
        if byte < 128:
            value[0] = found
            return at
        shift += 7
    return -1


cdef inline int64_t read_long(const uint8_t* data, int64_t at, int64_t end, int64_t* value) noexcept nogil:
    cdef uint64_t raw = 0
    if at < end and data[at] < 128:  # one byte: indices, lengths, small numbers
        raw = data[at]
        at += 1
    else:
        at = read_varint(data, at, end, &raw)
    value[0] = <int64_t>((raw >> 1) ^ (0 - (raw & 1)))
    return at


cdef inline bint is_utf8(const uint8_t* data, int64_t at, int64_t end) noexcept nogil:
    """Tell whether the bytes are UTF-8 as Python is strict about it: shortest forms, no surrogates, up to U+10FFFF."""
    cdef uint64_t eight = 0
    cdef uint8_t first, low, high
    cdef int follow, i
    while at < end:
        if end - at >= 8:
            memcpy(&eight, data + at, 8)
            if not eight & <uint64_t>0x8080808080808080:
                at += 8
                continue
        first = data[at]
        at += 1
        if first < 0x80:
            continue
        low, high = 0x80, 0xBF  # what the second byte may be
        if 0xC2 <= first <= 0xDF:
            follow = 1
        elif 0xE0 <= first <= 0xEF:
            follow = 2
            if first == 0xE0:
                low = 0xA0
            elif first == 0xED:
                high = 0x9F
        elif 0xF0 <= first <= 0xF4:
            follow = 3
            if first == 0xF0:
                low = 0x90
            elif first == 0xF4:
                high = 0x8F
        else:
            return False
        if end - at < follow or not low <= data[at] <= high:
            return False
        for i in range(1, follow):
            if data[at + i] & 0xC0 != 0x80:
                return False
        at += follow
    return True


cdef inline int64_t read_bytes(const uint8_t* data, int64_t at, int64_t end, int64_t* start) noexcept nogil:
    """Pass bytes with their length; ``start`` is where they begin."""
    cdef int64_t size = 0
    at = read_long(data, at, end, &size)
    if at < 0 or size < 0 or size > end - at:
        return -1
    start[0] = at
    return at + size


cdef inline int64_t read_string(const uint8_t* data, int64_t at, int64_t end, int64_t* start) noexcept nogil:
    at = read_bytes(data, at, end, start)
    return at if at < 0 or is_utf8(data, start[0], at) else -1


cdef inline int64_t read_key(const uint8_t* data, int64_t at, int64_t end, int64_t* start) noexcept nogil:
    """Pass the key of a map: a string that can name a field of a stored document."""
    cdef int64_t i
    at = read_string(data, at, end, start)
    if at < 0 or (at > start[0] and data[start[0]] == 36):  # $
        return -1
    for i in range(start[0], at):
        if not data[i]:
            return -1
    return at


cdef inline int64_t read_block(
    const uint8_t* data, int64_t at, int64_t end, int64_t width, int64_t weight,
    int64_t* budget, int64_t* count, int64_t* stop,
) noexcept nogil:
    """Pass the head of a block: ``count`` items (0 at the end), which must end at ``stop`` (-1: not stated)."""
    cdef int64_t size = 0
    stop[0] = -1
    at = read_long(data, at, end, count)
    if at < 0:
        return -1
    if count[0] < 0:
        if count[0] == INT64_MIN:
            return -1
        count[0] = -count[0]
        at = read_long(data, at, end, &size)
        if at < 0 or size < 0 or size > end - at:
            return -1
        stop[0] = at + size
    # Divided, because the products could overflow; width and weight are at least 1.
    if count[0] > (end - at) // width or count[0] > budget[0] // weight:
        return -1
    budget[0] -= count[0] * weight
    return at


cdef inline int64_t only_record(const uint8_t* data, int64_t at, int64_t end, int64_t* behind) noexcept nogil:
    """Return where the only record of a container begins whose sync marker stands at ``at``; -1 if it is not so."""
    cdef const uint8_t* sync = data + at
    cdef int64_t count = 0, size = 0
    if end - at < SYNC:
        return -1
    at = read_long(data, at + SYNC, end, &count)
    if at < 0 or count != 1:
        return -1
    at = read_long(data, at, end, &size)
    if at < 0 or size < 0 or end - at < SYNC or size != end - at - SYNC or memcmp(data + at + size, sync, SYNC):
        return -1
    behind[0] = at + size
    return at
