# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The columns of a batch straight from its bytes: compiled, without the GIL, every read bounded."""

import numpy as np

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from ampeld.alert._avro cimport only_record
from ampeld.alert._walk cimport END, History, Op, Run, Sheet, copy_science, follow

cdef class Buffers:
    """The bytes of several objects, held for a while."""

    cdef Py_buffer* views
    cdef Py_ssize_t held

    def __cinit__(self, list values):
        self.held = 0
        self.views = <Py_buffer*>calloc(len(values) + 1, sizeof(Py_buffer))
        if self.views == NULL:
            raise MemoryError
        for value in values:
            PyObject_GetBuffer(value, &self.views[self.held], PyBUF_SIMPLE)
            self.held += 1

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.held):
            PyBuffer_Release(&self.views[i])
        free(self.views)

    cdef inline const uint8_t* data(self, Py_ssize_t i) noexcept nogil:
        return <const uint8_t*>self.views[i].buf

    cdef inline int64_t size(self, Py_ssize_t i) noexcept nogil:
        return self.views[i].len


def locate(list values not None, list openings not None, const uint8_t[::1] contained not None):
    """Find the record of each value that begins with one of the openings.

    Parameters
    ----------
    values
        Buffers.
    openings
        What values begin with: headers of containers up to their sync markers, or the beginnings of frames.
    contained : shape (openings,)
        Whether an opening is that of a container, in which the record stands in one block between two sync markers.

    Returns
    -------
    tuple of ndarray
        The number of the opening, -1 where another look is needed; where the record begins and ends; int64.
    """
    cdef Buffers rows = Buffers(values)
    cdef Buffers heads = Buffers(openings)
    cdef int64_t[::1] which = np.full(rows.held, -1, dtype=np.int64)
    cdef int64_t[::1] begin = np.zeros(rows.held, dtype=np.int64)
    cdef int64_t[::1] end = np.zeros(rows.held, dtype=np.int64)
    cdef Py_ssize_t row, head, last = 0, tried
    cdef int64_t at, size, behind = 0
    if contained.shape[0] != heads.held:
        raise ValueError("one flag for each opening")
    with nogil:
        for row in range(rows.held):
            for tried in range(heads.held):
                head = (last + tried) % heads.held  # most often that of the row before
                size = heads.size(head)
                if rows.size(row) < size or memcmp(rows.data(row), heads.data(head), size):
                    continue
                last = head
                at, behind = size, rows.size(row)
                if not contained[head]:
                    at = size if size < behind else -1
                else:
                    at = only_record(rows.data(row), size, rows.size(row), &behind)
                if at >= 0:
                    which[row], begin[row], end[row] = head, at, behind
                break
    return np.asarray(which), np.asarray(begin), np.asarray(end)


cdef class Programs:
    """The operations of several programs, held for a while."""

    cdef const Op** each
    cdef Py_ssize_t number
    cdef list held

    def __cinit__(self, list programs):
        cdef const int64_t[::1] program
        self.held = programs
        self.number = len(programs)
        self.each = <const Op**>calloc(self.number + 1, sizeof(Op*))
        if self.each == NULL:
            raise MemoryError
        for i in range(self.number):
            program = programs[i]
            if program.shape[0] < 6 or program.shape[0] % 6 or program[program.shape[0] - 6] != END:
                raise ValueError("no program")
            self.each[i] = <const Op*>&program[0]

    def __dealloc__(self):
        free(self.each)


cdef class Histories:
    """The elements of several histories, growing while records are walked."""

    cdef History* each
    cdef Py_ssize_t number
    cdef list blanks

    def __cinit__(self, list blanks):
        cdef const int64_t[::1] blank
        self.blanks = blanks  # kept alive
        self.number = len(blanks)
        self.each = <History*>calloc(self.number + 1, sizeof(History))
        if self.each == NULL:
            raise MemoryError
        for i in range(self.number):
            blank = blanks[i]
            self.each[i].slots = blank.shape[0]
            self.each[i].blank = &blank[0]  # at least one slot

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.number):
            free(self.each[i].at)
            free(self.each[i].cells)
            free(self.each[i].missing)
        free(self.each)

    cdef tuple take(self, Py_ssize_t i):
        """Return positions, cells and missing marks of a history as arrays."""
        cdef History* one = &self.each[i]
        at = np.empty(one.count, dtype=np.int64)
        cells = np.empty((one.count, one.slots), dtype=np.int64)
        missing = np.empty((one.count, one.slots), dtype=np.uint8)
        cdef int64_t[::1] to_at = at
        cdef int64_t[:, ::1] to_cells = cells
        cdef uint8_t[:, ::1] to_missing = missing
        if one.count:
            memcpy(&to_at[0], one.at, one.count * 8)
            memcpy(&to_cells[0, 0], one.cells, one.count * one.slots * 8)
            memcpy(&to_missing[0, 0], one.missing, one.count * one.slots)
        return at, cells, missing


def walk(
    list values not None, list programs not None, const int64_t[::1] which not None,
    const int64_t[::1] begin not None, const int64_t[::1] end not None, *,
    const int64_t[::1] blank not None, list blanks not None, Py_ssize_t cutouts, int64_t budget,
):
    """Walk over one record of each value and keep what the programs say.

    Parameters
    ----------
    values
        Buffers.
    programs
        As `ampeld.alert.program` makes them: int64 arrays.
    which, begin, end : shape (n,)
        By value: the program, -1 for none, and where its record begins and ends.
    blank
        What each scalar slot holds while it is missing.
    blanks
        The same for the slots of each history, at least one slot each.
    cutouts
        How many cutouts there are.
    budget
        Memory that the arrays of a record may take when decoded [byte].

    Returns
    -------
    tuple
        ``rows``: the values whose records are valid, m of them, int64;
        ``cells``, ``missing``: int64 and uint8, shape (slots, m);
        ``arena``: uint8, the records one after the other, without cutouts; ``bounds``: where each begins, (m + 1,);
        ``stamps``: where each cutout begins and ends in its value, -1 where there is none, (m, cutouts, 2);
        ``elements``: for each history ``offsets`` (m + 1,), ``at`` (in the arena), ``cells`` and ``missing``,
        shape (elements, slots).
    """
    cdef Buffers sources = Buffers(values)
    cdef Programs operations = Programs(programs)
    cdef Histories histories = Histories(blanks)
    cdef Py_ssize_t n = sources.held, m = 0, row, i
    cdef int64_t slots = blank.shape[0], slot, at, length
    if not n == which.shape[0] == begin.shape[0] == end.shape[0]:
        raise ValueError("one number for each value")
    cells, missing = np.empty((slots, n + 1), dtype=np.int64), np.ones((slots, n + 1), dtype=np.uint8)
    cells[:] = np.asarray(blank)[:, None]
    stamps = np.full((n + 1, cutouts + 1, 2), -1, dtype=np.int64)
    cdef int64_t[:, ::1] cell = cells
    cdef uint8_t[:, ::1] gone = missing
    cdef int64_t[:, :, ::1] stamp = stamps
    cdef int64_t[::1] rows = np.empty(n, dtype=np.int64)
    cdef int64_t[::1] bounds = np.zeros(n + 1, dtype=np.int64)
    cdef int64_t[:, ::1] offsets = np.zeros((histories.number, n + 1), dtype=np.int64)
    cdef Run run
    cdef Sheet sheet
    run.histories, run.exhausted, sheet.stride = histories.each, False, n + 1
    with nogil:
        for row in range(n):
            if not 0 <= which[row] < operations.number or not 0 <= begin[row] <= end[row] <= sources.size(row):
                continue
            run.data, run.end, run.budget = sources.data(row), end[row], budget
            run.origin, run.cutouts = bounds[m] - begin[row], &stamp[m, 0, 0]
            sheet.cells, sheet.missing = &cell[0, m], &gone[0, m]
            at = follow(&run, operations.each[which[row]], begin[row], sheet)
            if run.exhausted:
                break
            if at != end[row]:  # as if it had not been there
                for slot in range(slots):
                    cell[slot, m], gone[slot, m] = blank[slot], 1
                for i in range(cutouts):
                    stamp[m, i, 0] = stamp[m, i, 1] = -1
                for i in range(histories.number):
                    histories.each[i].count = offsets[i, m]
                continue
            rows[m] = row
            m += 1
            bounds[m] = end[row] + run.origin
            for i in range(histories.number):
                offsets[i, m] = histories.each[i].count
    if run.exhausted:
        raise MemoryError
    arena = np.empty(bounds[m], dtype=np.uint8)
    cdef uint8_t[::1] to = arena
    with nogil:
        for i in range(m):
            row = rows[i]
            copy_science(&to[bounds[i]], sources.data(row), begin[row], end[row], &stamp[i, 0, 0], cutouts)
    elements = [(np.asarray(offsets[i, : m + 1]), *histories.take(i)) for i in range(histories.number)]
    return (
        np.asarray(rows)[:m], np.ascontiguousarray(cells[:, :m]), np.ascontiguousarray(missing[:, :m]),
        arena, np.asarray(bounds)[: m + 1], stamps[:m, :cutouts], elements,
    )


def fill(
    const uint8_t[::1] arena not None, list programs not None, const int64_t[::1] which not None,
    const int64_t[::1] at not None, *, const int64_t[::1] blank not None, int64_t budget,
):
    """Fill columns of elements that `walk` has met: shape (elements, slots), as there.

    Parameters
    ----------
    arena
        The bytes that the elements stand in.
    programs
        For one element, by schema.
    which, at : shape (elements,)
        Of each element its program and where it begins in the arena.
    blank
        What each slot holds while it is missing.
    budget
        Memory that the arrays of an element may take when decoded [byte].
    """
    cdef Programs operations = Programs(programs)
    cdef Py_ssize_t n = at.shape[0], i
    cdef int64_t slots = blank.shape[0], wrong = -1
    cells, missing = np.empty((n + 1, slots), dtype=np.int64), np.ones((n + 1, slots), dtype=np.uint8)
    cells[:] = np.asarray(blank)
    cdef int64_t[:, ::1] cell = cells
    cdef uint8_t[:, ::1] gone = missing
    cdef Run run
    cdef Sheet sheet
    if which.shape[0] != n:
        raise ValueError("one program for each element")
    run.data, run.end, run.origin = &arena[0] if arena.shape[0] else NULL, arena.shape[0], 0
    run.cutouts, run.histories, run.exhausted, sheet.stride = NULL, NULL, False, 1
    with nogil:
        for i in range(n):
            run.budget = budget
            sheet.cells, sheet.missing = &cell[i, 0], &gone[i, 0]
            if (
                not 0 <= which[i] < operations.number or not 0 <= at[i] <= run.end
                or follow(&run, operations.each[which[i]], at[i], sheet) < 0
            ):
                wrong = i
                break
    if wrong >= 0:
        raise ValueError(f"element {wrong} is not in the arena")
    return cells[:n], missing[:n]
