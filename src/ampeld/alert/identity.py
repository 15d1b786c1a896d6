"""The numbers that make every write repeatable: of an object, of a point, of a set of points (AMPEL's own)."""

import re
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Final

import bson
import xxhash

_NAME: Final = re.compile(r"ZTF([0-9]{2})([a-z]{7})")
_FIRST_YEAR: Final = 17
_YEAR_BITS: Final = 4
_LETTERS: Final = 7
EPOCH_JD: Final = 2457754.5  # 2017-01-01, before the survey's first image


def stock_of(object_name: str) -> int:
    """Return the number of an object: its seven letters in base 26, then four bits for the year.

    Parameters
    ----------
    object_name
        As ``ZTF18abxhyqv``; the year 17 to 32.

    Raises
    ------
    ValueError
        If that is no name of a ZTF object.
    """
    match = _NAME.fullmatch(object_name)
    year = int(match[1]) - _FIRST_YEAR if match else -1
    if match is None or not 0 <= year < 1 << _YEAR_BITS:
        raise ValueError("not the name of a ZTF object")
    letters = 0
    for letter in match[2]:
        letters = letters * 26 + ord(letter) - ord("a")
    return letters << _YEAR_BITS | year


def name_of(stock: int) -> str:
    """Return the name of the object with this number.

    Raises
    ------
    ValueError
        If no name has this number.
    """
    letters, year = stock >> _YEAR_BITS, stock & (1 << _YEAR_BITS) - 1
    if not 0 <= letters < 26**_LETTERS:
        raise ValueError(f"{stock} is not the number of a ZTF object")
    text = ""
    for _ in range(_LETTERS):
        letters, digit = divmod(letters, 26)
        text = chr(ord("a") + digit) + text
    return f"ZTF{year + _FIRST_YEAR}{text}"


def upper_limit_id(jd: float, rcid: int, diffmaglim: float) -> int:
    """Return the number of an upper limit, negative from 2017 on.

    Parameters
    ----------
    jd
        Julian date [d], finite.
    rcid
        Readout quadrant.
    diffmaglim
        The limit [mag], finite.
    """
    return int((EPOCH_JD - jd) * 1_000_000) * 10_000_000 - rcid * 100_000 - round(diffmaglim * 1000)


def body_id(body: Mapping[str, Any]) -> int:
    """Return the number of a point that has none of its own: signed 64 bits of what is kept of it.

    Parameters
    ----------
    body
        Its fields, in any order; the hash (XXH64) is of their BSON, sorted by name.
    """
    digest = xxhash.xxh64_intdigest(bson.encode(dict(sorted(body.items()))))
    return digest - (1 << 64) if digest >= 1 << 63 else digest


def link_of(ids: Iterable[int]) -> int:
    """Return the signed 32-bit link of a state: a hash of its points' numbers, whatever their order."""
    ordered = sorted(ids)
    digest = xxhash.xxh32_intdigest(struct.pack(f">{len(ordered)}q", *ordered), 0)
    return digest - (1 << 32) if digest >= 1 << 31 else digest
