"""What the code of a ``t2`` document means: AMPEL's ``DocumentCode`` (Ampel-interface, ``enum/DocumentCode``)."""

from typing import Final

OK: Final = 0
"""Measured; a body that is Undefined as a whole is a result too."""
NEW: Final = -1
"""A ticket: nobody has measured it yet."""
ERROR: Final = -2
"""The unit returned what no body can hold: NaN, an infinity, too much, or of no plain type."""
INTERNAL_ERROR: Final = -3
EXCEPTION: Final = -4
"""The unit raised."""
RUNNING: Final = -5
"""A daemon holds a lease on it."""
RERUN_REQUESTED: Final = -6
"""Reset by hand, its old bodies kept."""
TOO_MANY_TRIALS: Final = -7
"""It overran its deadline, or its process died, as often as is tried."""
PENDING_DEPENDENCY: Final = -2001
"""A unit that it builds upon has no result yet."""
MISSING_DEPENDENCY: Final = -2006
FAILED_DEPENDENCY: Final = -2010
"""A unit that it builds upon has failed for good."""

WAITING: Final = (NEW, RERUN_REQUESTED, PENDING_DEPENDENCY)
"""What a daemon may claim, once ``retry_after`` has passed."""

NAMES: Final = {
    value: name.lower() for name, value in list(globals().items()) if isinstance(value, int) and name.isupper()
}
"""By code: its name in small letters."""
