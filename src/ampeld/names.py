"""The nearest known name for one that is not known, because most mistakes are typing mistakes."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of the known names, or nothing when none is near.

    Small and capital letters are alike: astronomers write RA, Ra and ra.
    """
    spelled = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), list(spelled), n=1, cutoff=0.6)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""
