"""What evaluations read in the body of a catalogue match."""

import math
from collections.abc import Mapping
from typing import Any


def match_in(body: Mapping[str, Any] | None, catalog: str) -> Mapping[str, Any] | None:
    """Return the nearest source that was found in a catalogue; None without any.

    A match of all sources within the radius is a list, nearest first: its first is meant.
    """
    found = (body or {}).get(catalog)
    if isinstance(found, list | tuple):
        found = found[0] if found else None
    return found if isinstance(found, Mapping) and found else None


def number_in(match: Mapping[str, Any] | None, key: str) -> float | None:
    """Return a finite number of a source; None where it has none."""
    value = (match or {}).get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def is_known_agn(body: Mapping[str, Any] | None) -> tuple[bool, bool]:
    """Say whether Milliquas holds it with a redshift, and whether SDSS calls its host's lines active (BPT 4 or 5)."""
    redshift = number_in(match_in(body, "milliquas"), "redshift")
    sdss = match_in(body, "SDSS_spec")
    return redshift is not None and redshift > 0, sdss is not None and sdss.get("bptclass") in (4, 5)
