"""What a channel prints: its beginning is kept for the log, the rest only counted."""

import io
from typing import Final

KEPT: Final = 2000
"""Characters of one channel's output on one batch that are kept."""


class Capture(io.TextIOBase):
    """Stands in the place of ``sys.stdout`` and ``sys.stderr`` in a worker."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._room = KEPT
        self._count = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str, /) -> int:
        """Take what is printed."""
        self._count += len(text)
        if self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def take(self) -> tuple[str, int]:
        """Return what was kept since the last call, and how many characters there were."""
        if not self._count:
            return "", 0
        taken = "".join(self._text).encode(errors="replace").decode(), self._count
        self._text, self._room, self._count = [], KEPT, 0
        return taken
