"""From payloads to columns by fastavro, one by one, behind the strict walker: the oracle and the fallback."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import fastavro

from ampeld.alert.decoded import DecodedAlerts, Poison
from ampeld.alert.fault import explain
from ampeld.alert.opening import Opened, Opener
from ampeld.alert.schemas import RefusalError, Schema
from ampeld.alert.survey import Survey
from ampeld.alert.table_packets import PacketTable
from ampeld.alert.walker import compile_walk
from ampeld.errors import PoisonError

# What fastavro was seen to raise on bytes that it cannot read; none is expected behind the walker.
READ_ERRORS: Final = (ValueError, TypeError, LookupError, EOFError, ArithmeticError, RecursionError)


def decode_packets(values: Sequence[bytes], opener: Opener, survey: Survey) -> DecodedAlerts:
    """Decode payloads, whatever they hold."""
    packets: list[Mapping[str, Any]] = []
    schemas: list[str] = []
    rows: list[int] = []
    poison: list[Poison] = []
    for index, value in enumerate(values):
        try:
            opened = opener.open(value)
            packets.append(_decode(opened, survey))
        except RefusalError as refusal:
            poison.append(Poison(index, refusal.stage, refusal.reason, refusal.schema))
        else:
            schemas.append(opened.schema.fingerprint)
            rows.append(index)
    return DecodedAlerts(PacketTable(packets, schemas, survey), rows, poison)


def check(packet: Mapping[str, Any], survey: Survey, fingerprint: str) -> None:
    """Check the values of a packet.

    Raises
    ------
    RefusalError
        If one of them is wrong.
    """
    try:
        survey.check_packet(packet)
    except PoisonError as error:
        raise RefusalError("validate", str(error), fingerprint) from None


def read(data: bytes, parsed: Any, fingerprint: str) -> Mapping[str, Any]:
    """Decode one record that the walker or the kernel has passed.

    Raises
    ------
    RefusalError
        If fastavro cannot.
    """
    try:
        packet = fastavro.schemaless_reader(io.BytesIO(data), parsed, None)
    except READ_ERRORS as error:
        raise RefusalError("decode", f"fastavro cannot read it: {type(error).__name__}", fingerprint) from None
    assert isinstance(packet, dict)  # the survey's rules want a record
    return packet


def _decode(opened: Opened, survey: Survey) -> Mapping[str, Any]:
    schema = opened.schema
    data = opened.data[opened.begin : opened.end]
    if not _is_sound(schema, data):
        reason = explain(schema.avro_type, data, opened.base + opened.begin)
        if reason is not None:
            raise RefusalError("decode", reason, schema.fingerprint)
    packet = read(data, schema.parsed, schema.fingerprint)
    check(packet, survey, schema.fingerprint)
    return packet


def _is_sound(schema: Schema, data: bytes) -> bool:
    if schema.met and schema.walk is None:
        schema.walk = compile_walk(schema.avro_type)
    schema.met = True
    return schema.walk is not None and schema.walk(data)
