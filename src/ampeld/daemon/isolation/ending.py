"""How a worker ended, in words for the author whose code it ran."""

import os
import signal
from typing import Final

import msgspec

from ampeld.daemon.isolation.messages import DISCONNECTED, JUDGE, MEASURE, PROCREATED, Role

MAX_TAIL: Final = 8192
"""Bytes of a dead worker's last output that are kept: the stack is at its end."""

_WHO: Final[dict[Role, tuple[str, str]]] = {
    JUDGE: ("filter", "filter process"),
    MEASURE: ("unit", "measuring process"),
}
"""Whose code a worker runs, and what its author knows it as."""


class WorkerLostError(Exception):
    """A worker gave no answer that can be believed, and is gone."""

    def __init__(self, loss: "Loss") -> None:
        super().__init__(loss.error)
        self.loss = loss


class Loss(msgspec.Struct, frozen=True):
    """Where and why a worker was lost."""

    channel: int | None
    """The channel that it was in."""
    row: int | None
    """The alert that it was at, where it was asked about single ones."""
    innocent: bool
    """Whether no channel had been asked yet, so that none can have done it."""
    error: str
    traceback: str
    """What it wrote last: with the stack of a crash, of an endless loop, or of our own mistake."""


def closed(role: Role) -> str:
    """Return that a worker has lost its connection, in words."""
    return f"the {_WHO[role][0]} closed the connection between its process and the daemon"


def words_of_status(status: int | None, role: Role = JUDGE) -> str:
    """Return what ``waitpid`` said of a worker, in words."""
    if status is None:
        return "did not end when killed"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"killed by {signal.Signals(number).name}"
        except ValueError:
            return f"killed by signal {number}"
    match code := os.waitstatus_to_exitcode(status):
        case _ if code == DISCONNECTED:
            return closed(role)
        case _ if code == PROCREATED:
            return f"the {_WHO[role][0]} started a process"
        case _:
            return f"the {_WHO[role][1]} ended with exit code {code}"
