"""What of the packing other compiled modules build upon: bytes that grow."""

from libc.stdint cimport int64_t, uint8_t


cdef class Buffer:
    cdef char* data
    cdef int64_t size, room

    cdef int reserve(self, int64_t more) except -1
    cdef int put(self, const void* data, int64_t size) except -1
    cdef int put_key(self, uint8_t kind, bytes label) except -1
    cdef int put_int32(self, int64_t number) except -1
