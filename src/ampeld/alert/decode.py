"""From payloads to columns: every payload becomes a row of the table or poison with a reason; none raises."""

import hashlib
import io
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import fastavro
import msgspec

from ampeld.alert.container import Header, read_header, read_record
from ampeld.alert.fault import explain
from ampeld.alert.schema import AvroType, parse, to_fastavro
from ampeld.alert.table import AlertTable
from ampeld.alert.validity import check_packet, check_schema
from ampeld.alert.walker import Walk, compile_walk
from ampeld.errors import PoisonError

Stage = Literal["decode", "validate"]

_RECENT: Final = 4  # topics interleave in a batch, each with its own header
_KEPT: Final = 32
_MAX_REASON: Final = 1000
# What fastavro was seen to raise on bytes that it cannot read; none is expected behind the walker.
_READ_ERRORS: Final = (ValueError, TypeError, LookupError, EOFError, ArithmeticError, RecursionError)


class Poison(msgspec.Struct, frozen=True):
    """A payload that can never become an alert.

    ``index`` is its place among the payloads, ``schema`` the fingerprint of its schema where that could be read.
    """

    index: int
    stage: Stage
    reason: str
    schema: str | None


class DecodedAlerts(msgspec.Struct, frozen=True, eq=False):
    """The two ends of a batch of payloads: ``rows[i]`` is the index of the payload behind row ``i`` of the table."""

    table: AlertTable
    rows: list[int]
    poison: list[Poison]


class _Refusal(Exception):  # noqa: N818  it never leaves this module
    def __init__(self, stage: Stage, reason: str, schema: str | None = None) -> None:
        super().__init__(reason)
        self.stage: Stage = stage
        self.reason = reason[:_MAX_REASON]
        self.schema = schema


class _Program(msgspec.Struct, eq=False):
    """A writer's schema, ready for its records.

    It is compiled at its second record: a schema that is met once is likely a damaged one.
    """

    fingerprint: str
    version: str
    avro_type: AvroType
    parsed: Any
    met: bool = False
    walk: Walk | None = None


class Decoder:
    """Decodes payloads, remembering the schemas that it has met.

    Parameters
    ----------
    max_bytes
        Larger payloads are refused unread.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._recent: list[tuple[bytes, Header, _Program]] = []  # newest first, by the bytes of the header
        self._programs: OrderedDict[bytes, _Program | _Refusal] = OrderedDict()  # by the text of the schema
        self.schemas: dict[str, str] = {}
        """The fingerprints of the schemas in use, each with the name and version that it states."""

    def decode(self, values: Sequence[bytes]) -> DecodedAlerts:
        """Decode payloads, whatever they hold."""
        packets: list[Mapping[str, Any]] = []
        schemas: list[str] = []
        rows: list[int] = []
        poison: list[Poison] = []
        for index, value in enumerate(values):
            try:
                packet, fingerprint = self._decode_one(value)
            except _Refusal as refusal:
                poison.append(Poison(index, refusal.stage, refusal.reason, refusal.schema))
            else:
                packets.append(packet)
                schemas.append(fingerprint)
                rows.append(index)
        return DecodedAlerts(AlertTable(packets, schemas), rows, poison)

    def _decode_one(self, value: bytes) -> tuple[Mapping[str, Any], str]:
        if len(value) > self._max_bytes:
            raise _Refusal(
                "decode", f"message of {len(value)} bytes above source.max_message_bytes = {self._max_bytes}"
            )
        header, program = self._open(value)
        try:
            data, base = read_record(value, header)
        except PoisonError as error:
            raise _Refusal("decode", str(error), program.fingerprint) from None
        packet = _read(program, data, base)
        try:
            check_packet(packet)
        except PoisonError as error:
            raise _Refusal("validate", str(error), program.fingerprint) from None
        return packet, program.fingerprint

    def _open(self, value: bytes) -> tuple[Header, _Program]:
        for place, (start, header, program) in enumerate(self._recent):
            if value.startswith(start):
                if place:
                    self._recent.insert(0, self._recent.pop(place))
                return header, program
        try:
            header = read_header(value)
        except PoisonError as error:
            raise _Refusal("decode", str(error)) from None
        program = self._program(header.schema)
        self._recent = [(value[: header.size], header, program), *self._recent[: _RECENT - 1]]
        return header, program

    def _program(self, text: bytes) -> _Program:
        found = self._programs.get(text)
        if found is None:
            found = _make_program(text)
            self._programs[text] = found
            self._forget_oldest()
            if isinstance(found, _Program):
                self.schemas[found.fingerprint] = found.version
        self._programs.move_to_end(text)
        if isinstance(found, _Refusal):
            raise _Refusal(found.stage, found.reason, found.schema)
        return found

    def _forget_oldest(self) -> None:
        if len(self._programs) > _KEPT:
            _, oldest = self._programs.popitem(last=False)
            if isinstance(oldest, _Program):
                self.schemas.pop(oldest.fingerprint, None)


def _make_program(text: bytes) -> _Program | _Refusal:
    """Check and compile a schema; a refused one is remembered too, for its next message."""
    fingerprint = hashlib.blake2b(text, digest_size=8).hexdigest()
    try:
        avro_type, version = parse(text)
    except PoisonError as error:
        return _Refusal("decode", str(error), fingerprint)
    try:
        check_schema(avro_type)
    except PoisonError as error:
        return _Refusal("validate", str(error), fingerprint)
    parsed = fastavro.parse_schema(to_fastavro(avro_type))
    return _Program(fingerprint, version, avro_type, parsed)


def _read(program: _Program, data: bytes, base: int) -> Mapping[str, Any]:
    if program.met and program.walk is None:
        program.walk = compile_walk(program.avro_type)
    program.met = True
    if program.walk is None or not program.walk(data):
        reason = explain(program.avro_type, data, base)
        if reason is not None:
            raise _Refusal("decode", reason, program.fingerprint)
    try:
        packet = fastavro.schemaless_reader(io.BytesIO(data), program.parsed, None)
    except _READ_ERRORS as error:
        raise _Refusal("decode", f"fastavro cannot read it: {type(error).__name__}", program.fingerprint) from None
    assert isinstance(packet, dict)  # check_schema wants a record
    return packet
