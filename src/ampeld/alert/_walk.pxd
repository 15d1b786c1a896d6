# cython: cdivision=True
# The interpreter of flat programs: one pass over a record's bytes, every check made, the values asked for kept.
#
# An operation is six numbers: code, slot, a, b, c, null; ampeld.alert.program writes them and says what they mean.

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport realloc
from libc.string cimport memcpy, memset

from ampeld.alert._avro cimport read_block, read_bytes, read_key, read_long, read_string

cdef enum Code:
    END, SKIP, BOOLEAN, INT, LONG, FLOAT, DOUBLE, BYTES, STRING, ENUM, UNION, JUMP, ARRAY, MAP, NEXT, CUTOUT, UNCUT, PRESENT
    NULLABLE = 32

cdef enum:
    MAX_FRAMES = 64  # a schema is no deeper
    LENGTH_BITS = 28

cdef struct Op:
    int64_t code, slot, a, b, c, null

cdef struct Sheet:  # where the values of the record at hand go: slot s to [s * stride]
    int64_t* cells
    uint8_t* missing
    int64_t stride

cdef struct History:  # the elements of all alerts so far, one after the other
    int64_t slots, count, room
    int64_t* at
    int64_t* cells
    uint8_t* missing
    const int64_t* blank

cdef struct Run:
    const uint8_t* data
    int64_t end
    int64_t origin  # what is to be added to a position to have it in the arena
    int64_t budget
    int64_t* cutouts
    History* histories
    bint exhausted

cdef struct Frame:
    int64_t left, stop
    const Op* op
    Sheet outer


cdef inline int64_t new_element(Run* run, History* history, int64_t at, Sheet* sheet) noexcept nogil:
    """Begin an element of a history, all of it missing so far; 0, or -1 without memory."""
    cdef int64_t room, slots = history.slots
    cdef void* larger
    if history.count == history.room:
        room = 2 * history.room + 64
        larger = realloc(history.at, room * 8)
        if larger == NULL:
            return -1
        history.at = <int64_t*>larger
        larger = realloc(history.cells, room * slots * 8)
        if larger == NULL:
            return -1
        history.cells = <int64_t*>larger
        larger = realloc(history.missing, room * slots)
        if larger == NULL:
            return -1
        history.missing = <uint8_t*>larger
        history.room = room
    history.at[history.count] = at + run.origin
    sheet.cells = history.cells + history.count * slots
    sheet.missing = history.missing + history.count * slots
    sheet.stride = 1
    memcpy(sheet.cells, history.blank, slots * 8)
    memset(sheet.missing, 1, slots)
    history.count += 1
    return 0


cdef inline void put_float(Sheet* sheet, int64_t slot, double value) noexcept nogil:
    """Keep a number that is there; one that is not finite is NaN, and not missing."""
    if not -INFINITY < value < INFINITY:
        value = NAN
    memcpy(sheet.cells + slot * sheet.stride, &value, 8)
    sheet.missing[slot * sheet.stride] = 0


cdef inline void put_int(Sheet* sheet, int64_t slot, int64_t value) noexcept nogil:
    sheet.cells[slot * sheet.stride] = value
    sheet.missing[slot * sheet.stride] = 0


cdef inline int64_t follow(Run* run, const Op* ops, int64_t at, Sheet sheet) noexcept nogil:
    """Follow a program from a position on; return the position behind, or -1 for a fault."""
    cdef const uint8_t* data = run.data
    cdef int64_t end = run.end, index = 0, start = 0, code
    cdef const Op* op = ops
    cdef Frame frames[MAX_FRAMES]
    cdef Frame* frame = frames
    cdef int depth = 0
    cdef float single = 0
    cdef double number = 0
    while True:
        code = op.code
        if code & NULLABLE:
            if at < end and data[at] < 4 and not data[at] & 1:
                index = data[at] >> 1
                at += 1
            else:
                at = read_long(data, at, end, &index)
                if at < 0 or not 0 <= index <= 1:
                    return -1
            if index == op.null:
                op += 1
                continue
            code ^= NULLABLE
        if code == SKIP:
            if op.a > end - at:
                return -1
            at += op.a
        elif code == FLOAT:
            if 4 > end - at:
                return -1
            memcpy(&single, data + at, 4)  # little-endian, as the machines that the kernel is built for
            at += 4
            put_float(&sheet, op.slot, single)
        elif code == DOUBLE:
            if 8 > end - at:
                return -1
            memcpy(&number, data + at, 8)
            at += 8
            put_float(&sheet, op.slot, number)
        elif code == INT or code == LONG:
            at = read_long(data, at, end, &index)
            if at < 0 or (code == INT and index != <int32_t>index):
                return -1
            if op.slot >= 0:
                if op.a:
                    put_float(&sheet, op.slot, <double>index)
                else:
                    put_int(&sheet, op.slot, index)
        elif code == STRING:
            at = read_string(data, at, end, &start)
            if at < 0 or (op.slot >= 0 and (at - start) >> LENGTH_BITS):
                return -1
            if op.slot >= 0:
                put_int(&sheet, op.slot, (start + run.origin) << LENGTH_BITS | (at - start))
        elif code == BOOLEAN:
            if at >= end or data[at] > 1:
                return -1
            if op.slot >= 0:
                put_int(&sheet, op.slot, data[at])
            at += 1
        elif code == BYTES:
            at = read_bytes(data, at, end, &start)
            if at < 0:
                return -1
        elif code == ENUM:
            at = read_long(data, at, end, &index)
            if at < 0 or not 0 <= index < op.a:
                return -1
        elif code == UNION:
            at = read_long(data, at, end, &index)
            if at < 0 or not 0 <= index < op.a:
                return -1
            op += 1 + index
            op = ops + op.a
            continue
        elif code == JUMP:
            op = ops + op.a
            continue
        elif code == ARRAY or code == MAP or code == NEXT:
            if code != NEXT:
                frame = &frames[depth]
                depth += 1
                frame.left, frame.stop, frame.op, frame.outer = 0, -1, op, sheet
            if not frame.left:
                if frame.stop >= 0 and at != frame.stop:
                    return -1
                at = read_block(data, at, end, frame.op.b, frame.op.c, &run.budget, &frame.left, &frame.stop)
                if at < 0:
                    return -1
                if not frame.left:
                    sheet = frame.outer
                    op = ops + frame.op.a
                    depth -= 1
                    if depth:
                        frame = &frames[depth - 1]
                    continue
            frame.left -= 1
            op = frame.op
            if op.code & ~NULLABLE == MAP:
                at = read_key(data, at, end, &start)
                if at < 0:
                    return -1
            if op.slot >= 0 and new_element(run, &run.histories[op.slot], at, &sheet):
                run.exhausted = True
                return -1
        elif code == CUTOUT:
            run.cutouts[2 * op.slot] = at
        elif code == UNCUT:
            run.cutouts[2 * op.slot + 1] = at
            run.origin -= at - run.cutouts[2 * op.slot]
        elif code == PRESENT:
            put_int(&sheet, op.slot, at + run.origin)
        else:  # END
            return at
        op += 1


cdef inline void copy_science(
    uint8_t* to, const uint8_t* data, int64_t at, int64_t end, const int64_t* stamps, Py_ssize_t cutouts
) noexcept nogil:
    """Copy a record without its cutouts, which are few and may stand in any order."""
    cdef Py_ssize_t i
    cdef int64_t stop, behind
    while at < end:
        stop = behind = end
        for i in range(cutouts):
            if at <= stamps[2 * i] < stop:
                stop, behind = stamps[2 * i], stamps[2 * i + 1]
        memcpy(to, data + at, stop - at)
        to += stop - at
        at = behind
