# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One record of the science bytes as BSON, without a Python value between: compiled, every read bounded."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport isfinite
from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from ampeld.alert._avro cimport read_bytes, read_long, read_string

cdef enum Kind:
    NULL_, BOOLEAN, INTEGER, FLOAT, DOUBLE, BYTES, STRING, FIXED, ENUM, UNION, RECORD

_KINDS = {
    "null": NULL_, "boolean": BOOLEAN, "int": INTEGER, "long": INTEGER, "float": FLOAT, "double": DOUBLE,
    "bytes": BYTES, "string": STRING, "fixed": FIXED, "enum": ENUM, "union": UNION, "record": RECORD,
}

cdef enum:
    B_DOUBLE = 0x01, B_STRING = 0x02, B_DOCUMENT = 0x03, B_BINARY = 0x05, B_BOOLEAN = 0x08, B_NULL = 0x0A
    B_INT32 = 0x10, B_INT64 = 0x12


cdef class Packer:
    """Packs values of one type; of a record, the fields that are not left out."""

    cdef Kind kind
    cdef int64_t size
    cdef tuple labels, parts, kept

    def __init__(self, avro_type, dropped, within):
        if avro_type.kind not in _KINDS or id(avro_type) in within:
            raise TypeError(f"a type that is not packed: {avro_type.kind}")
        within = {*within, id(avro_type)}
        self.kind = _KINDS[avro_type.kind]
        self.size = avro_type.size
        self.labels = tuple([label.encode() + b"\0" for label in avro_type.labels])
        self.kept = tuple([label not in dropped for label in avro_type.labels])
        self.parts = tuple([Packer(part, (), within) for part in avro_type.parts])


cdef class Buffer:
    def __dealloc__(self):
        free(self.data)

    cdef int reserve(self, int64_t more) except -1:
        cdef int64_t room = 2 * self.room + more + 2048
        cdef void* larger
        if self.size + more > self.room:
            larger = realloc(self.data, room)
            if larger == NULL:
                raise MemoryError
            self.data = <char*>larger
            self.room = room
        return 0

    cdef int put(self, const void* data, int64_t size) except -1:
        self.reserve(size)
        memcpy(self.data + self.size, data, size)
        self.size += size
        return 0

    cdef int put_key(self, uint8_t kind, bytes label) except -1:
        self.put(&kind, 1)
        return self.put(PyBytes_AS_STRING(label), PyBytes_GET_SIZE(label))

    cdef int put_int32(self, int64_t number) except -1:
        cdef int32_t narrow = <int32_t>number  # little-endian, as the machines that the kernel is built for
        return self.put(&narrow, 4)


def packer(avro_type not None, dropped=frozenset()):
    """Return what `pack` packs a record with; ``dropped`` names fields that it is to leave out.

    Raises
    ------
    TypeError
        If the record holds arrays, maps or itself: no stored body does, and their packing is left to others.
    """
    if avro_type.kind != "record":
        raise TypeError(f"a {avro_type.kind} is no document")
    return Packer(avro_type, dropped, set())


def pack(Packer packer not None, const uint8_t[::1] data not None, int64_t at):
    """Return the record that begins at a position as BSON, null for a number that is not finite.

    Raises
    ------
    ValueError
        If the bytes end inside it, or are none of the type.
    """
    cdef int64_t end = data.shape[0]
    cdef Buffer found = Buffer()
    if not 0 <= at < end:
        raise ValueError("a position outside the data")
    document(packer, &data[0], end, &at, found)
    return PyBytes_FromStringAndSize(found.data, found.size)


cdef int document(Packer packer, const uint8_t* data, int64_t end, int64_t* at, Buffer out) except -1:
    cdef int64_t begin = out.size, behind
    cdef int32_t size
    cdef Py_ssize_t i
    cdef uint8_t zero = 0
    out.put_int32(0)
    for i in range(len(packer.parts)):
        behind = out.size
        element(<Packer>packer.parts[i], <bytes>packer.labels[i], data, end, at, out)
        if not packer.kept[i]:
            out.size = behind
    out.put(&zero, 1)
    if out.size - begin > INT32_MAX:
        raise ValueError("larger than a document may be")
    size = <int32_t>(out.size - begin)
    memcpy(out.data + begin, &size, 4)
    return 0


cdef int element(Packer packer, bytes label, const uint8_t* data, int64_t end, int64_t* at, Buffer out) except -1:
    cdef Kind kind = packer.kind
    cdef int64_t number = 0, start = 0
    cdef double real = 0
    cdef float single = 0
    if kind == UNION:
        at[0] = checked(read_long(data, at[0], end, &number))
        if not 0 <= number < len(packer.parts):
            raise ValueError("a branch that the union does not have")
        packer = <Packer>packer.parts[number]
        kind = packer.kind
    if kind == FLOAT or kind == DOUBLE:
        start = 4 if kind == FLOAT else 8
        if end - at[0] < start:
            raise ValueError("the data end inside a number")
        if kind == FLOAT:
            memcpy(&single, data + at[0], 4)
            real = single
        else:
            memcpy(&real, data + at[0], 8)
        at[0] += start
        if not isfinite(real):
            return out.put_key(B_NULL, label)
        out.put_key(B_DOUBLE, label)
        return out.put(&real, 8)
    if kind == NULL_:
        return out.put_key(B_NULL, label)
    if kind == INTEGER:
        at[0] = checked(read_long(data, at[0], end, &number))
        if INT32_MIN <= number <= INT32_MAX:
            out.put_key(B_INT32, label)
            return out.put_int32(number)
        out.put_key(B_INT64, label)
        return out.put(&number, 8)
    if kind == STRING:
        at[0] = checked(read_string(data, at[0], end, &start))
        return text(label, <const char*>data + start, at[0] - start, out)
    if kind == BOOLEAN:
        if at[0] >= end:
            raise ValueError("the data end before a boolean")
        out.put_key(B_BOOLEAN, label)
        at[0] += 1
        number = data[at[0] - 1] != 0
        return out.put(&number, 1)
    if kind == BYTES or kind == FIXED:
        if kind == BYTES:
            at[0] = checked(read_bytes(data, at[0], end, &start))
        else:
            start = at[0]
            if end - start < packer.size:
                raise ValueError("the data end inside a fixed")
            at[0] += packer.size
        out.put_key(B_BINARY, label)
        out.put_int32(at[0] - start)
        number = 0  # the subtype: any bytes
        out.put(&number, 1)
        return out.put(data + start, at[0] - start)
    if kind == ENUM:
        at[0] = checked(read_long(data, at[0], end, &number))
        if not 0 <= number < len(packer.labels):
            raise ValueError("a symbol that the enum does not have")
        symbol = <bytes>packer.labels[number]
        return text(label, PyBytes_AS_STRING(symbol), PyBytes_GET_SIZE(symbol) - 1, out)
    out.put_key(B_DOCUMENT, label)
    return document(packer, data, end, at, out)


cdef int text(bytes label, const char* data, int64_t size, Buffer out) except -1:
    cdef uint8_t zero = 0
    out.put_key(B_STRING, label)
    out.put_int32(size + 1)
    out.put(data, size)
    return out.put(&zero, 1)


cdef inline int64_t checked(int64_t at) except -1:
    if at < 0:
        raise ValueError("bytes that break the encoding")
    return at
