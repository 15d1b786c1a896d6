"""Units as astropy reads them; what is imported is converted once and for all."""

import re
import warnings
from typing import Any

from astropy import units

_SUGGESTION = re.compile(r"Did you mean ([^?]+)\?")
_HOURS = ("h", "hr", "hour", "hourangle")


class UnknownUnitError(ValueError):
    """A unit's name that astropy does not know."""


def parse(text: str) -> Any:
    """Return astropy's unit of this name; the empty name is the unit of plain numbers.

    Raises
    ------
    UnknownUnitError
        If there is none; the message has the nearest that there is.
    """
    reason = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of spellings that a standard has given up, and that are known all the same
        for form in (None, "vounit", "cds", "fits"):
            try:
                return units.Unit(text, format=form)
            except (ValueError, TypeError) as error:
                reason = str(error)
    found = _SUGGESTION.search(reason)
    raise UnknownUnitError(f"{text!r} is no unit" + (f"; did you mean {found[1]}?" if found else ""))


def known(text: str) -> bool:
    """Tell whether astropy knows the unit."""
    try:
        parse(text)
    except UnknownUnitError:
        return False
    return True


def factor(text: str, wanted: str) -> float:
    """Return by what values in one unit are multiplied to be in another.

    Raises
    ------
    UnknownUnitError
        If it is none.
    ValueError
        If one cannot be converted to the other.
    """
    try:
        return float(parse(text).to(parse(wanted)))
    except units.UnitConversionError as error:
        raise ValueError(f"{text!r} cannot be converted to {wanted!r}") from error


def degrees(text: str) -> float:
    """Return by what an angle in this unit is multiplied to be in degrees; an hour of right ascension is 15 of them.

    Raises
    ------
    ValueError
        If it is no unit, or none of an angle.
    """
    return 15.0 if text.strip().lower() in _HOURS else factor(text, "deg")
