"""The four ends of a record: every one that was received has exactly one of them."""

from enum import IntEnum


class Outcome(IntEnum):
    """How a record ended; the number is what a verdict block stores."""

    FILTERED = 0
    """No channel accepted the alert."""
    STORED = 1
    """A channel accepted it, and these coordinates first brought its ``candid``."""
    DUPLICATE = 2
    """A channel accepted it, and its ``candid`` had come from other coordinates."""
    DEAD_LETTERED = 3
    """It could not be read: its payload is kept with the reason."""
