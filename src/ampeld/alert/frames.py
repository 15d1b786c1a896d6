"""The Confluent frame around an alert: a zero byte, the number of the writer's schema, and the bare record."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from ampeld.errors import PoisonError

SIZE: Final = 5
"""Bytes before the record: the magic byte and the number, 4 bytes big-endian."""

_MAGIC: Final = 0
_CONTAINER: Final = b"Obj\x01"
_KEPT: Final = 1000


def is_container(value: bytes) -> bool:
    """Tell whether bytes begin like an Avro object container, which brings its schema itself."""
    return value[: len(_CONTAINER)] == _CONTAINER


class Frames:
    """The schemas of framed alerts by their number, as far as they are known."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, bytes | str] = OrderedDict()

    def learn(self, number: int, text: bytes) -> None:
        """Keep the JSON text of a schema."""
        self._keep(number, text)

    def refuse(self, number: int, reason: str) -> None:
        """Keep why there is no schema of this number: its frames are poison from now on."""
        self._keep(number, reason)

    def forget(self, number: int) -> None:
        """Know nothing of this number again."""
        self._known.pop(number, None)

    def unknown(self, values: Iterable[bytes]) -> set[int]:
        """Return the numbers of schemas that frames among the payloads need and that are not known yet."""
        numbers = {_number(value) for value in values if len(value) > SIZE and value[0] == _MAGIC}
        return numbers - self._known.keys()

    def schema_of(self, value: bytes) -> bytes:
        """Return the JSON text of a frame's schema; its record is ``value[SIZE:]``.

        Raises
        ------
        PoisonError
            If the payload is no frame, or there is no schema of its number.
        """
        if not value:
            raise PoisonError("empty payload")
        if value[0] != _MAGIC:
            raise PoisonError(_foreign(value))
        if len(value) <= SIZE:
            raise PoisonError(f"the data end at byte {len(value)}, inside the frame")
        number = _number(value)
        known = self._known.get(number, f"schema {number} is not known")
        if isinstance(known, str):
            raise PoisonError(known)
        return known

    def _keep(self, number: int, found: bytes | str) -> None:
        self._known[number] = found
        if len(self._known) > _KEPT:  # damaged frames name any number
            self._known.popitem(last=False)


def _number(value: bytes) -> int:
    return int.from_bytes(value[1:SIZE], "big")


def _foreign(value: bytes) -> str:
    """Say what bytes that are neither a frame nor a container look like."""
    if value.startswith(b"\x1f\x8b"):
        return "gzip data, neither a Confluent frame nor an Avro object container"
    if value.lstrip()[:1] in (b"{", b"["):
        return "JSON text, neither a Confluent frame nor an Avro object container"
    return f"neither a Confluent frame nor an Avro object container: byte {value[0]} where the magic byte 0 is expected"
