"""A sample of all alerts, the same on every daemon and at every delivery."""

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns, memo_of
from ampeld.channel.filter import Cuts, Filter

_PRIMES = tuple(
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)


class RandomFilter(Filter):
    """A fixed share of the alerts, chosen by a hash of their candid.

    Notes
    -----
    Corrected: AMPEL's RandFilter throws dice anew at each delivery.
    """

    passing_rate: float  # share of the alerts that are accepted, 0 to 1
    seed: int = 0  # another one gives another sample; not negative

    def prepare(self) -> None:
        """Look at the parameters.

        Raises
        ------
        ValueError
            If one is out of its range.
        """
        if not 0 <= self.passing_rate <= 1:
            raise ValueError("passing_rate: not within 0 and 1")
        if not 0 <= self.seed < 1 << 64:
            raise ValueError("seed: not within 0 and 2^64 - 1")

    def cuts(self, a: Columns) -> Cuts:
        """Yield the one cut."""
        draw = memo_of(a).once(("draw", self.seed), lambda: _draw(a, self.seed))
        yield "sample", draw < self.passing_rate


def _draw(a: Columns, seed: int) -> Column:
    """Return a number for each alert that looks like one drawn evenly from [0, 1)."""
    fraction = (xxh64(a.candid.values, seed) >> np.uint64(11)) * 2.0**-53
    return Column(fraction, np.zeros(len(a), dtype=np.bool_), "draw", (a.candid,))


def xxh64(numbers: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return the hash of each number's eight bytes, the least significant first.

    Parameters
    ----------
    numbers : shape (n,), int64
    seed
        0 to 2^64 - 1.

    Notes
    -----
    Source: the specification of XXH64 for an input of 8 bytes,
    https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. Checked against the package xxhash.
    """
    one, two, three, four, five = _PRIMES
    with np.errstate(over="ignore"):
        state: NDArray[np.uint64] = np.full(len(numbers), seed, dtype=np.uint64) + five + np.uint64(8)
        state = state ^ (_rotated(numbers.view(np.uint64) * two, 31) * one)
        state = _rotated(state, 27) * one + four
        state = (state ^ (state >> np.uint64(33))) * two
        state = (state ^ (state >> np.uint64(29))) * three
        return state ^ (state >> np.uint64(32))


def _rotated(bits: NDArray[np.uint64], by: int) -> NDArray[np.uint64]:
    return (bits << np.uint64(by)) | (bits >> np.uint64(64 - by))
