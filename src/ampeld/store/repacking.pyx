# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Stored points from BSON to MessagePack, without a Python value between: compiled, every read bounded."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from ampeld.alert.packing cimport Buffer

cdef enum:
    B_DOUBLE = 0x01, B_STRING = 0x02, B_DOCUMENT = 0x03, B_ARRAY = 0x04, B_BINARY = 0x05, B_BOOLEAN = 0x08
    B_NULL = 0x0A, B_INT32 = 0x10, B_INT64 = 0x12
    M_MAP32 = 0xDF, M_ARRAY32 = 0xDD, M_STR32 = 0xDB, M_STR8 = 0xD9, M_FIXSTR = 0xA0, M_BIN32 = 0xC6, M_NIL = 0xC0
    M_FALSE = 0xC2, M_TRUE = 0xC3, M_DOUBLE = 0xCB, M_INT64 = 0xD3
    M_EMPTY_MAP = 0x80
    MOST_DEPTH = 100  # as deep as a stored document may be


cdef struct Span:
    const uint8_t* data
    int64_t at
    int64_t end


cdef struct Element:
    uint8_t kind
    const uint8_t* name
    int64_t name_size


def repack(const uint8_t[::1] batch not None):
    """Return the points of one answer of the server: documents with ``_id`` and, where they have them, some others.

    Parameters
    ----------
    batch
        Documents in BSON, one behind the other.

    Returns
    -------
    list of (int, bool, float or None, float or None, bytes)
        Of each: its number; whether it has ``first``; ``body.jd``; ``body.midpointMjdTai``; ``body`` as MessagePack.

    Raises
    ------
    ValueError
        If the bytes end inside a document, or one holds what MessagePack has no word for.
    """
    cdef Span span
    cdef list found = []
    cdef int64_t end = batch.shape[0]
    cdef Buffer out = Buffer()
    span.data = &batch[0] if end else NULL
    span.at = 0
    while span.at < end:
        span.end = end
        found.append(point(&span, out))
    return found


cdef tuple point(Span* span, Buffer out):
    cdef int64_t behind = span.end, end = begin(span)
    cdef Element element
    cdef object number = None, jd = None, mjd = None
    cdef bint is_first = False
    out.size = 0
    while next_element(span, &element):
        if named(&element, b"_id", 3):
            number = integer(span, element.kind)
        elif named(&element, b"body", 4) and element.kind == B_DOCUMENT:
            out.size = 0
            jd, mjd = body(span, out)
        else:
            is_first = is_first or named(&element, b"first", 5)
            skip(span, element.kind)
    finish(span, end, behind)
    if number is None:
        raise ValueError("a document without a number")
    if not out.size:
        put_byte(out, M_EMPTY_MAP)
    return number, is_first, jd, mjd, PyBytes_FromStringAndSize(out.data, out.size)


cdef tuple body(Span* span, Buffer out):
    """Write the record of a point; return its times."""
    cdef int64_t behind = span.end, end = begin(span), place = out.size
    cdef Element element
    cdef uint32_t count = 0
    cdef object jd = None, mjd = None
    put_headed(out, M_MAP32, 0, 4)
    while next_element(span, &element):
        put_text(out, element.name, element.name_size)
        if named(&element, b"jd", 2):
            jd = real(span, element.kind)
        elif named(&element, b"midpointMjdTai", 14):
            mjd = real(span, element.kind)
        value(span, element.kind, out, 1)
        count += 1
    finish(span, end, behind)
    patch(out, place, count)
    return jd, mjd


cdef int value(Span* span, uint8_t kind, Buffer out, int depth) except -1:
    cdef int64_t size, place, behind, end
    cdef int64_t number
    cdef uint64_t bits
    cdef uint32_t count = 0
    cdef Element element
    if kind == B_DOUBLE:
        memcpy(&bits, taken(span, 8), 8)
        return put_headed(out, M_DOUBLE, bits, 8)
    if kind == B_INT32 or kind == B_INT64:
        number = whole(span, kind)
        if 0 <= number < 128:
            return put_byte(out, <uint8_t>number)
        return put_headed(out, M_INT64, <uint64_t>number, 8)
    if kind == B_STRING:
        size = length(span)
        if size < 1:
            raise ValueError("a text without an end")
        return put_text(out, taken(span, size), size - 1)
    if kind == B_NULL:
        return put_byte(out, M_NIL)
    if kind == B_BOOLEAN:
        return put_byte(out, M_TRUE if taken(span, 1)[0] else M_FALSE)
    if kind == B_BINARY:
        size = length(span)
        if taken(span, 1)[0]:
            raise ValueError("bytes of a special kind")
        put_headed(out, M_BIN32, <uint64_t>size, 4)
        return out.put(taken(span, size), size)
    if kind != B_DOCUMENT and kind != B_ARRAY:
        raise ValueError(f"an element of kind {kind}")
    if depth >= MOST_DEPTH:
        raise ValueError("a document that is too deep")
    behind = span.end
    end = begin(span)
    place = out.size
    put_headed(out, M_MAP32 if kind == B_DOCUMENT else M_ARRAY32, 0, 4)
    while next_element(span, &element):
        if kind == B_DOCUMENT:
            put_text(out, element.name, element.name_size)
        value(span, element.kind, out, depth + 1)
        count += 1
    finish(span, end, behind)
    return patch(out, place, count)


cdef int patch(Buffer out, int64_t place, uint32_t count) except -1:
    cdef int i
    for i in range(4):
        out.data[place + 1 + i] = <char>(count >> (8 * (3 - i)))
    return 0


cdef int64_t begin(Span* span) except -1:
    """Go into a document; return where it ends, which is where the span ends now."""
    cdef int64_t at = span.at, size = length(span)
    if size < 5 or size > span.end - at or span.data[at + size - 1]:
        raise ValueError("a document without an end")
    span.end = at + size
    return span.end


cdef int finish(Span* span, int64_t end, int64_t behind) except -1:
    """Leave a document behind its last element."""
    if span.at != end:
        raise ValueError("a document that ends too early")
    span.end = behind
    return 0


cdef bint next_element(Span* span, Element* element) except -1:
    """Read the head of an element; return whether there was one, else pass the end of the document."""
    cdef const uint8_t* zero
    element.kind = taken(span, 1)[0]
    if not element.kind:
        return False
    element.name = span.data + span.at
    zero = <const uint8_t*>memchr(element.name, 0, span.end - span.at)
    if zero == NULL:
        raise ValueError("a name without an end")
    element.name_size = zero - element.name
    span.at += element.name_size + 1
    return True


cdef int skip(Span* span, uint8_t kind) except -1:
    """Pass over a value."""
    cdef int64_t size
    if kind == B_DOCUMENT or kind == B_ARRAY:
        size = length(span) - 4
    elif kind == B_STRING:
        size = length(span)
    elif kind == B_BINARY:
        size = length(span) + 1
    elif kind == B_DOUBLE or kind == B_INT64:
        size = 8
    elif kind == B_INT32:
        size = 4
    elif kind == B_BOOLEAN:
        size = 1
    elif kind == B_NULL:
        size = 0
    else:
        raise ValueError(f"an element of kind {kind}")
    taken(span, size)
    return 0


cdef object real(Span* span, uint8_t kind):
    """Return the number that follows, None where it is none, and stay before it."""
    cdef int64_t at = span.at
    cdef double number
    if kind == B_DOUBLE:
        memcpy(&number, taken(span, 8), 8)
    elif kind == B_INT32 or kind == B_INT64:
        number = <double>whole(span, kind)
    else:
        return None
    span.at = at
    return number


cdef object integer(Span* span, uint8_t kind):
    if kind != B_INT32 and kind != B_INT64:
        raise ValueError("a number that is none")
    return whole(span, kind)


cdef int64_t whole(Span* span, uint8_t kind) except? -1:
    cdef int64_t number = 0
    cdef int32_t narrow = 0
    if kind == B_INT64:
        memcpy(&number, taken(span, 8), 8)
        return number
    memcpy(&narrow, taken(span, 4), 4)
    return narrow


cdef int64_t length(Span* span) except -1:
    cdef int32_t size
    memcpy(&size, taken(span, 4), 4)
    if size < 0:
        raise ValueError("a length below zero")
    return size


cdef const uint8_t* taken(Span* span, int64_t size) except NULL:
    """Return where the next bytes are, and pass them."""
    cdef const uint8_t* place = span.data + span.at
    if size < 0 or size > span.end - span.at:
        raise ValueError("the data end inside a value")
    span.at += size
    return place


cdef int put_byte(Buffer out, uint8_t byte) except -1:
    return out.put(&byte, 1)


cdef int put_headed(Buffer out, uint8_t head, uint64_t number, int width) except -1:
    """Put a byte, and the lowest bytes of a number, the highest of them first."""
    cdef uint8_t bytes_[9]
    cdef int i
    bytes_[0] = head
    for i in range(width):
        bytes_[1 + i] = <uint8_t>(number >> (8 * (width - 1 - i)))
    return out.put(bytes_, 1 + width)


cdef int put_text(Buffer out, const uint8_t* text, int64_t size) except -1:
    if size < 32:
        put_byte(out, <uint8_t>(M_FIXSTR | size))
    elif size < 256:
        put_headed(out, M_STR8, <uint64_t>size, 1)
    else:
        put_headed(out, M_STR32, <uint64_t>size, 4)
    return out.put(text, size)


cdef inline bint named(const Element* element, const char* name, int64_t size):
    return element.name_size == size and not memcmp(element.name, name, size)
