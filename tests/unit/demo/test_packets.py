"""Packets are what fastavro and ampeld's own strict decoder read."""

import io

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.shared import shared

from ampeld.alert.decode import Decoder
from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE
from ampeld.demo.packets import SCHEMA, encode_candidate, encode_forced, encode_previous, packet, varint

VALUES = {
    "double": st.floats(allow_nan=False),
    "float": st.floats(width=32, allow_nan=False),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": st.text(max_size=20),
}


def bodies(fields):
    values = {f.name: VALUES[f.avro_type] | st.none() if f.nullable else VALUES[f.avro_type] for f in fields}
    return st.fixed_dictionaries(values)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])  # a body has a hundred fields
@given(candidate=bodies(CANDIDATE), history=st.lists(bodies(PRV_CANDIDATE), max_size=1), forced=bodies(FP_HIST))
def test_any_body_is_read_back_by_fastavro_as_it_was(candidate, history, forced):
    encoded = packet(
        "ZTF25aaaaaaa",
        5,
        encode_candidate(candidate),
        [encode_previous(body) for body in history],
        [encode_forced(forced)],
        [("a", b"1"), ("b", b""), ("c", b"3")],
    )
    (read,) = fastavro.reader(io.BytesIO(encoded))
    assert read["candidate"] == candidate
    assert (read["prv_candidates"] or []) == history
    assert read["fp_hists"] == [forced]
    assert read["cutoutTemplate"] == {"fileName": "b", "stampData": b""}


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, b"\0"), (-1, b"\1"), (1, b"\2"), (64, b"\x80\1"), (2**63 - 1, b"\xfe" + b"\xff" * 8 + b"\1")],
)
def test_a_long_is_zigzag_in_groups_of_seven_bits(number, encoded):
    assert varint(number) == encoded


def test_every_packet_of_four_nights_passes_the_strict_decoder(sent):
    decoded = Decoder(max_bytes=1_000_000).decode([alert.packet for alert, _ in sent])
    assert not decoded.poison
    assert decoded.table.candid.tolist() == [alert.candid for alert, _ in sent]


def test_packets_have_the_size_of_real_ones(sent):
    sizes = sorted(len(alert.packet) for alert, _ in sent)
    assert sizes[0] > 60_000
    assert sizes[-1] < 70_000


@pytest.mark.golden
def test_the_schema_has_the_fields_of_a_real_alert_in_their_order():
    sample = next(shared("data", "ztf", "v4_01").glob("*.avro"))
    with sample.open("rb") as file:
        real = fastavro.reader(file).writer_schema
    assert shape(SCHEMA) == shape(real)


def shape(schema):
    """Names and types without docs, defaults and namespaces."""
    if isinstance(schema, list):
        return [shape(branch) for branch in schema]
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    if schema["type"] == "array":
        return ["array", shape(schema["items"])]
    if schema["type"] == "record":
        return [schema["name"].rpartition(".")[2], {field["name"]: shape(field["type"]) for field in schema["fields"]}]
    return schema["type"]
