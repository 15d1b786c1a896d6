"""The exit codes of every command, after sysexits.h: what a unit file and a script may rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Why a process ended."""

    OK = 0
    """Done, or drained and told to stop."""
    FAILED = 1
    """The command ran, and its answer is no (a ledger that does not balance); or a second signal ended it at once."""
    USAGE = 64
    """The command line is wrong."""
    DATA = 65
    """A file that was to be read is not what it should be."""
    UNAVAILABLE = 69
    """A server does not answer."""
    INTERNAL = 70
    """ampeld itself is wrong."""
    LOCKED = 73
    """Another daemon runs under this instance's name."""
    IO = 74
    """A file could not be read or written."""
    UNFINISHED = 75
    """The grace period ended before the work did; it will be done again."""
    PERMISSION = 77
    """A server or a file does not let us in."""
    CONFIG = 78
    """The configuration is wrong."""
