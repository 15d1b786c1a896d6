# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One record of the science bytes as Python values, as they are stored: compiled, every read bounded."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport isfinite
from libc.stdint cimport INT64_MAX, int64_t, uint8_t
from libc.string cimport memcpy

from ampeld.alert._avro cimport read_bytes, read_long

cdef enum Kind:
    NULL_, BOOLEAN, INTEGER, FLOAT, DOUBLE, BYTES, STRING, FIXED, ENUM, UNION, RECORD, ARRAY, MAP

_KINDS = {
    "null": NULL_, "boolean": BOOLEAN, "int": INTEGER, "long": INTEGER, "float": FLOAT, "double": DOUBLE,
    "bytes": BYTES, "string": STRING, "fixed": FIXED, "enum": ENUM, "union": UNION, "record": RECORD,
    "array": ARRAY, "map": MAP,
}


cdef class Reader:
    """Reads values of one type; of a record, the fields that are not left out."""

    cdef Kind kind
    cdef int64_t size
    cdef tuple labels, parts
    cdef frozenset dropped
    cdef bint finite

    def __init__(self, avro_type, frozenset dropped, bint finite, dict made):
        made[id(avro_type)] = self
        self.kind = _KINDS[avro_type.kind]
        self.size = avro_type.size
        self.labels = avro_type.labels
        self.dropped = dropped
        self.finite = finite
        self.parts = tuple([
            made[id(part)] if id(part) in made else Reader(part, frozenset(), finite, made)
            for part in avro_type.parts
        ])


def reader(avro_type not None, dropped=frozenset(), *, finite=True):
    """Return what `decode` reads a type with.

    Parameters
    ----------
    avro_type
        An `ampeld.alert.schema.AvroType`.
    dropped
        Fields of the record that are left out.
    finite
        Whether a number that is not finite becomes None.
    """
    return Reader(avro_type, frozenset(dropped), finite, {})


def decode(Reader reader not None, const uint8_t[::1] data not None, int64_t at):
    """Return the value that begins at a position, as fastavro gives it, numbers that are not finite as the reader says.

    Raises
    ------
    ValueError
        If the bytes end inside it, or are none of the type.
    """
    cdef int64_t end = data.shape[0]
    if not 0 <= at <= end:
        raise ValueError("a position outside the data")
    return value(reader, &data[0] if end else NULL, end, &at)


cdef object value(Reader reader, const uint8_t* data, int64_t end, int64_t* at):
    cdef Kind kind = reader.kind
    cdef int64_t number = 0, start = 0
    cdef double real = 0
    cdef float single = 0
    if kind == UNION:
        at[0] = checked(read_long(data, at[0], end, &number))
        if not 0 <= number < len(reader.parts):
            raise ValueError("a branch that the union does not have")
        reader = <Reader>reader.parts[number]
        kind = reader.kind
    if kind == NULL_:
        return None
    if kind == FLOAT:
        if end - at[0] < 4:
            raise ValueError("the data end inside a number")
        memcpy(&single, data + at[0], 4)
        at[0] += 4
        return <double>single if isfinite(single) or not reader.finite else None
    if kind == DOUBLE:
        if end - at[0] < 8:
            raise ValueError("the data end inside a number")
        memcpy(&real, data + at[0], 8)
        at[0] += 8
        return real if isfinite(real) or not reader.finite else None
    if kind == INTEGER:
        at[0] = checked(read_long(data, at[0], end, &number))
        return number
    if kind == STRING or kind == BYTES:
        at[0] = checked(read_bytes(data, at[0], end, &start))
        if kind == BYTES:
            return PyBytes_FromStringAndSize(<const char*>data + start, at[0] - start)
        return PyUnicode_DecodeUTF8(<const char*>data + start, at[0] - start, NULL)
    if kind == BOOLEAN:
        if at[0] >= end:
            raise ValueError("the data end before a boolean")
        at[0] += 1
        return data[at[0] - 1] != 0
    if kind == RECORD:
        return record(reader, data, end, at)
    if kind == ENUM:
        at[0] = checked(read_long(data, at[0], end, &number))
        if not 0 <= number < len(reader.labels):
            raise ValueError("a symbol that the enum does not have")
        return reader.labels[number]
    if kind == FIXED:
        if end - at[0] < reader.size:
            raise ValueError("the data end inside a fixed")
        at[0] += reader.size
        return PyBytes_FromStringAndSize(<const char*>data + at[0] - reader.size, reader.size)
    return items(reader, data, end, at)


cdef dict record(Reader reader, const uint8_t* data, int64_t end, int64_t* at):
    cdef dict found = {}
    cdef Py_ssize_t i
    cdef bint whole = not reader.dropped
    for i in range(len(reader.labels)):
        label = reader.labels[i]
        inner = value(<Reader>reader.parts[i], data, end, at)
        if whole or label not in reader.dropped:
            found[label] = inner
    return found


cdef object items(Reader reader, const uint8_t* data, int64_t end, int64_t* at):
    cdef Reader item = <Reader>reader.parts[0]
    cdef bint keyed = reader.kind == MAP
    cdef list listed = []
    cdef dict mapped = {}
    cdef int64_t count = 0, size = 0, start = 0, i
    while True:
        at[0] = checked(read_long(data, at[0], end, &count))
        if not count:
            return mapped if keyed else listed
        if count < 0:
            at[0] = checked(read_long(data, at[0], end, &size))
            count = -max(count, -INT64_MAX)
        if count > end - at[0]:  # every item has a width
            raise ValueError("more items than there are bytes")
        for i in range(count):
            if keyed:
                at[0] = checked(read_bytes(data, at[0], end, &start))
                key = PyUnicode_DecodeUTF8(<const char*>data + start, at[0] - start, NULL)
                mapped[key] = value(item, data, end, at)
            else:
                listed.append(value(item, data, end, at))


cdef inline int64_t checked(int64_t at) except -1:
    if at < 0:
        raise ValueError("bytes that break the encoding")
    return at
