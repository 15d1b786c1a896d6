"""The table of fields against the schemas that ZTF sent."""

import io

import fastavro
import pytest
from support.ztf import real_alerts
from support.ztf_packets import ztf_schema

from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE


def _shapes(record):
    return {
        field["name"]: (
            field["type"] if isinstance(field["type"], str) else next(t for t in field["type"] if t != "null")
        )
        for field in record["fields"]
    }


def _records(schema):
    types = {field["name"]: field["type"] for field in schema["fields"]}
    for part in ("prv_candidates", "fp_hists"):
        arrays = [branch for branch in types.get(part, []) if branch != "null"]
        yield part, arrays[0]["items"] if arrays else {"fields": []}
    yield "candidate", types["candidate"]


def _expanded(reader):
    """Return a schema with every type in its place."""
    return fastavro.schema.expand_schema(fastavro.schema.parse_schema(reader.writer_schema, _force=True))


@pytest.mark.golden
def test_every_field_that_was_ever_sent_is_known_with_its_type():
    tables = {"candidate": CANDIDATE, "prv_candidates": PRV_CANDIDATE, "fp_hists": FP_HIST}
    for value in real_alerts():
        for part, record in _records(_expanded(fastavro.reader(io.BytesIO(value)))):
            known = {field.name: field.avro_type for field in tables[part]}
            assert _shapes(record).items() <= known.items()


@pytest.mark.golden
def test_the_table_is_that_of_schema_4_01_in_its_order():
    newest = next(
        reader
        for reader in (fastavro.reader(io.BytesIO(value)) for value in real_alerts())
        if reader.writer_schema["version"] == "4.01"
    )
    ours = dict(_records(ztf_schema()))
    for part, record in _records(_expanded(newest)):
        theirs = [(field["name"], field["type"]) for field in record["fields"]]
        assert [(field["name"], field["type"]) for field in ours[part]["fields"]] == theirs


def test_no_field_is_listed_twice_and_each_says_what_it_is():
    for fields in (CANDIDATE, PRV_CANDIDATE, FP_HIST):
        assert len({field.name for field in fields}) == len(fields)
        assert all(field.unit_doc for field in fields)
