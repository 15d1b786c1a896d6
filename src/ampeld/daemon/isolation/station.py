"""What every worker stands on, whatever its work: its socket, its marker, and the wall around authors' code."""

import os
import select
import signal
import socket
import sys
from typing import Final

from ampeld.daemon.isolation import guard
from ampeld.daemon.isolation.capture import Capture
from ampeld.daemon.isolation.marker import Marker
from ampeld.daemon.isolation.messages import DISCONNECTED, LENGTH, PROCREATED, Down, Up, frame, length_of, read_down

MOST_HELD: Final = 32
"""Messages."""


class Station:
    """The forked process, as far as it is the same for all who judge or measure in one.

    Parameters
    ----------
    fds
        The socket and the marker's memory.
    """

    def __init__(self, fds: list[int]) -> None:
        guard.stand_alone()
        self._socket = socket.socket(fileno=fds[0])
        self._identity = _identity(fds[0])
        self._pid = os.getpid()
        self.marker = Marker(fds[1])
        self.capture = Capture()
        """What authors' code prints."""
        self._held: list[bytes] = []
        sys.stdout = sys.stderr = self.capture
        guard.tell_where_on_death()

    def wall_in(self, memory_mb: int, who: str) -> guard.OwnMemory:
        """Take from this process what authors' code has no business with; return what measures its memory.

        Parameters
        ----------
        memory_mb
            What it may take from now on [MiB].
        who
            Whose code it is, in one word: ``filter``, ``unit``.
        """
        guard.bound_memory(memory_mb)
        memory = guard.OwnMemory()
        guard.forbid(who)
        return memory

    def look_round(self) -> None:
        """See what the author's code has left behind, while it is still plain whose it was."""
        if os.getpid() != self._pid or guard.has_children():
            os._exit(PROCREATED)
        if _identity(self._socket.fileno()) != self._identity:
            os._exit(DISCONNECTED)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm must not go off in another's code

    def receive(self) -> Down | None:
        """Return the next message of the daemon; None when it has closed the socket."""
        head = self._exactly(LENGTH.size)
        data = None if head is None else self._exactly(length_of(head))
        return None if data is None else read_down(data)

    def has_word(self) -> bool:
        """Tell whether the daemon has said something, or has closed the socket."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def send(self, message: Up) -> None:
        """Send a message to the daemon, behind those that are held back."""
        self.hold(message)
        self.let_go()

    def hold(self, message: Up) -> None:
        """Hold a message back: some at a time cost less. Should the process end before, it is lost."""
        self._held.append(frame(message))
        if len(self._held) >= MOST_HELD:
            self.let_go()

    def let_go(self) -> None:
        """Send what is held back."""
        if self._held:
            self._socket.sendall(b"".join(self._held))
            self._held.clear()

    def _exactly(self, length: int) -> bytes | None:
        data = bytearray()
        while len(data) < length:
            part = self._socket.recv(length - len(data))
            if not part:
                return None
            data += part
        return bytes(data)


def _identity(fd: int) -> tuple[int, int] | None:
    """Return what tells an open file from every other; None when it is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
