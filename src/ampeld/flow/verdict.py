"""The 16-bit code of a channel's verdict on one alert.

========  ==========================================================================
code      meaning
========  ==========================================================================
0         the channel was not asked (a dead letter, or a channel of another daemon)
1         accepted
2         bypassed: a known object, accepted without asking the filter
3         overruled: a known object that the filter rejected, accepted all the same
4         skipped: the channel may not see the alert's own point
5         errored: the channel's own code failed
0x1000+k  rejected by the cut of number k
0x4000+g  accepted in group g, 1 to 16383
0x8000+r  rejected by ``accept`` with code -r, 1 to 32767
========  ==========================================================================
"""

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


def is_accepted(code: int) -> bool:
    """Tell whether the code means that the channel takes the alert."""
    return code in (ACCEPTED, BYPASSED, OVERRULED) or GROUP <= code < REJECTION


def is_rejected(code: int) -> bool:
    """Tell whether the code means that a cut or ``accept`` said no."""
    return CUT <= code < GROUP or code >= REJECTION


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
    return ACCEPT_CUT if code >= REJECTION else None


def describe(code: int, cuts: "list[str] | tuple[str, ...]") -> str:
    """Return the verdict in words."""
    if code >= REJECTION:
        return f"rejected by accept, code {REJECTION - code}"
    if code >= GROUP:
        return f"accepted, group {code - GROUP}"
    if code >= CUT:
        return f"rejected by {cuts[code - CUT]}"
    return ("not asked", "accepted", "bypassed", "overruled", "skipped", "errored")[code]
