"""The 16-bit code of a channel's verdict on one alert.

========  =========================================================================================================
code      meaning
========  =========================================================================================================
0         the channel was not asked (a dead letter, or a channel of another daemon)
1         accepted
2         bypassed: a known object, accepted without asking the filter
3         overruled: a known object that the filter rejected, accepted all the same
4         skipped: the channel may not see the alert's own point, or is suspended
5         errored: the channel's own code failed
0x1000+k  rejected by the cut of number k
0x4000+g  accepted in group g, 1 to 16383
0x8000+r  rejected with code -r, 1 to 32767: by ``accept``, or by a cut whose name says so: ``bright (-3)``
========  =========================================================================================================
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

UNASKED = 0
ACCEPTED = 1
BYPASSED = 2
OVERRULED = 3
SKIPPED = 4
ERRORED = 5
CUT = 0x1000
GROUP = 0x4000
REJECTION = 0x8000

MAX_CUT = 0x0FFF
MAX_GROUP = 0x3FFF
MAX_REJECTION = 0x7FFF

ACCEPT_CUT = "accept"
"""The name under which the rejections of a filter's ``accept`` are counted."""

OBJECT_CUT = "has_object"
"""The name under which every channel rejects an alert that belongs to no object, such as one of the solar system."""


def is_accepted(code: int) -> bool:
    """Tell whether the code means that the channel takes the alert."""
    return code in (ACCEPTED, BYPASSED, OVERRULED) or GROUP <= code < REJECTION


def is_rejected(code: int) -> bool:
    """Tell whether the code means that a cut or ``accept`` said no."""
    return CUT <= code < GROUP or code >= REJECTION


class Kind(IntEnum):
    """What a code comes to, for those who count verdicts."""

    UNASKED = 0
    ACCEPTED = 1
    REJECTED = 2
    SKIPPED = 3
    ERRORED = 4


# A look-up costs a nanosecond a code where comparisons cost ten, and there are as many codes as channels times alerts.
_KINDS = np.full(1 << 16, Kind.UNASKED, np.uint8)
_KINDS[[ACCEPTED, BYPASSED, OVERRULED]] = Kind.ACCEPTED
_KINDS[SKIPPED] = Kind.SKIPPED
_KINDS[ERRORED] = Kind.ERRORED
_KINDS[CUT:GROUP] = Kind.REJECTED
_KINDS[GROUP:REJECTION] = Kind.ACCEPTED
_KINDS[REJECTION:] = Kind.REJECTED
_ACCEPTS: NDArray[np.bool_] = _KINDS == Kind.ACCEPTED


def kinds(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the `Kind` of each code."""
    return _KINDS[codes]


def accepts(codes: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return where `is_accepted` holds."""
    return _ACCEPTS[codes]


def cut_name(code: int, cuts: "list[str] | tuple[str, ...]") -> str | None:
    """Return the cut under which a rejection is counted, None when the code is no rejection.

    Parameters
    ----------
    code
        A verdict code.
    cuts
        The cut names of the channel's version, by number.
    """
    if CUT <= code <= CUT + MAX_CUT:
        return cuts[code - CUT]
    if code < REJECTION:
        return None
    coded = f" ({REJECTION - code})"
    return next((name for name in cuts if name.endswith(coded)), ACCEPT_CUT)


def describe(code: int, cuts: "list[str] | tuple[str, ...]") -> str:
    """Return the verdict in words."""
    if code >= REJECTION:
        name = cut_name(code, cuts)
        return f"rejected by {name}" + (f", code {REJECTION - code}" if name == ACCEPT_CUT else "")
    if code >= GROUP:
        return f"accepted, group {code - GROUP}"
    if code >= CUT:
        return f"rejected by {cuts[code - CUT]}"
    return ("not asked", "accepted", "bypassed", "overruled", "skipped", "errored")[code]
