"""Where a payload's record is, and which schema wrote it: from containers and, for a survey that sends them, frames."""

from typing import Final

import msgspec

from ampeld.alert import frames
from ampeld.alert.container import Header, read_header, read_record
from ampeld.alert.frames import Frames
from ampeld.alert.schemas import RefusalError, Schema, Schemas
from ampeld.errors import PoisonError

_RECENT: Final = 4  # topics interleave in a batch, each with its own header


class Opening(msgspec.Struct, frozen=True, eq=False):
    """What payloads of one writer begin with; ``header`` is None for a frame."""

    start: bytes
    header: Header | None
    schema: Schema


class Opened(msgspec.Struct, frozen=True, eq=False):
    """A record: ``data[begin:end]``, which stands at byte ``base`` of the message (0 when it was inflated)."""

    schema: Schema
    data: bytes
    begin: int
    end: int
    base: int


class Opener:
    """Opens payloads, remembering how the last ones began.

    Parameters
    ----------
    max_bytes
        Larger payloads are refused unread.
    schemas
        The schemas that have been met.
    framed
        The schemas of frames; None where the survey sends containers only.
    """

    def __init__(self, max_bytes: int, schemas: Schemas, framed: Frames | None) -> None:
        self.max_bytes = max_bytes
        self._schemas = schemas
        self._frames = framed
        self.recent: list[Opening] = []
        """The last openings, newest first."""

    def open(self, value: bytes) -> Opened:
        """Find the record of a payload.

        Raises
        ------
        RefusalError
            If it has none, or more than a record.
        """
        if len(value) > self.max_bytes:
            raise RefusalError(
                "decode", f"message of {len(value)} bytes above source.max_message_bytes = {self.max_bytes}"
            )
        value = bytes(value)  # a source may hand out views
        if self._frames is not None and not frames.is_container(value):
            return self._open_frame(self._frames, value)
        opening = self._recall(value) or self._open_header(value)
        assert opening.header is not None
        try:
            data, base = read_record(value, opening.header)
        except PoisonError as error:
            raise RefusalError("decode", str(error), opening.schema.fingerprint) from None
        return Opened(opening.schema, data, 0, len(data), base)

    def _open_frame(self, known: Frames, value: bytes) -> Opened:
        try:
            text = known.schema_of(value)
        except PoisonError as error:
            raise RefusalError("decode", str(error)) from None
        schema = self._schemas.open(text)
        start = value[: frames.SIZE]
        if not any(opening.start == start for opening in self.recent):
            self._remember(Opening(start, None, schema))
        return Opened(schema, value, frames.SIZE, len(value), 0)

    def _recall(self, value: bytes) -> Opening | None:
        for place, opening in enumerate(self.recent):
            if opening.header is not None and value.startswith(opening.start):
                self.recent.insert(0, self.recent.pop(place))
                return opening
        return None

    def _open_header(self, value: bytes) -> Opening:
        try:
            header = read_header(value)
        except PoisonError as error:
            raise RefusalError("decode", str(error)) from None
        opening = Opening(value[: header.size], header, self._schemas.open(header.schema))
        self._remember(opening)
        return opening

    def _remember(self, opening: Opening) -> None:
        self.recent = [opening, *self.recent[: _RECENT - 1]]
