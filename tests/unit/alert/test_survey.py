"""The two surveys' packets: what is told apart, what is new, and what is another survey's."""

import pickle

import orjson
import pytest
from support import lsst_packets, ztf_packets
from support.shared import shared
from support.ztf import real_alerts

from ampeld.alert.decode import Decoder
from ampeld.alert.fields import Field
from ampeld.alert.schema import parse
from ampeld.alert.survey import LSST, ROOT, ZTF, survey_of
from ampeld.errors import PoisonError
from ampeld.source.schemas import PACKAGED, packaged


def lsst_type(number=1101):
    return parse(packaged(number))[0]


@pytest.mark.parametrize("survey", [ZTF, LSST])
def test_a_survey_travels_between_processes_as_itself(survey):
    assert pickle.loads(pickle.dumps(survey)) is survey is survey_of(survey.name)


@pytest.mark.parametrize("survey", [ZTF, LSST])
def test_every_part_names_each_field_once_with_its_meaning(survey):
    for table in (*survey.records.values(), *survey.histories.values()):
        names = [field.name for field in table]
        assert len(set(names)) == len(names)
        assert all(field.unit_doc for field in table)


@pytest.mark.parametrize("survey", [ZTF, LSST])
def test_kinds_and_rules_speak_of_fields_that_there_are(survey):
    own = {field.name: field for field in survey.records[survey.own]}
    assert {survey.candid, survey.time, "ra", "dec"} <= own.keys()
    assert survey.programid is None or survey.programid in own
    record, name = survey.object
    assert name in {field.name for field in survey.records[record]}
    for part, required in survey.rules.required.items():
        fields = {f.name for f in {**survey.records, **survey.histories}[part]}
        assert set(required) <= fields
        assert set(survey.rules.never_null.get(part, ())) <= set(required)
    for kind in survey.kinds.values():
        assert kind.array in survey.histories


@pytest.mark.parametrize("number", PACKAGED)
def test_packaged_schemas_have_the_fields_of_the_tables_in_their_types(number):
    found = lsst_type(number)
    LSST.check_schema(found)
    assert LSST.additions(found) == ()
    tables = {"diaSource": "diaSource", "diaObject": "diaObject", "prvDiaForcedSources": "prvDiaForcedSources"}
    schema = lsst_packets.lsst_schema(number)
    newer = {"exposureTime", "reliabilityVersion", "trailAlgorithm", "trail_flag"} if number < 1101 else set()
    for part in tables:
        there = {field["name"]: field["type"] for field in lsst_packets.fields_of(schema, part)}
        table = {field.name: field for field in {**LSST.records, **LSST.histories}[part]}
        assert table.keys() - there.keys() <= newer
        for name, avro in there.items():
            assert (avro if isinstance(avro, str) else avro[1]) == table[name].avro_type
            assert table[name].nullable or isinstance(avro, str)


def test_the_schemas_of_real_alerts_have_no_fields_that_are_new_to_us():
    decoder = Decoder(10_000_000)
    decoder.decode(real_alerts())
    assert len(decoder.additions) >= 5
    assert set(decoder.additions.values()) == {()}


def test_additional_fields_are_named_and_accepted():
    schema = lsst_packets.lsst_schema()
    lsst_packets.fields_of(schema).append({"name": "weather", "type": ["null", "string"]})
    lsst_packets.fields_of(schema, "diaSource").append({"name": "sparkle", "type": ["null", "float"]})
    lsst_packets.fields_of(schema, "prvDiaForcedSources").append({"name": "glow", "type": "int"})
    found = parse(orjson.dumps(schema))[0]
    LSST.check_schema(found)
    # Earlier sources have the record of the source.
    assert set(LSST.additions(found)) == {
        "weather",
        "diaSource.sparkle",
        "prvDiaSources.sparkle",
        "prvDiaForcedSources.glow",
    }


def test_additional_fields_of_ztf_are_named_too():
    schema = ztf_packets.ztf_schema()
    ztf_packets.fields_of(schema, "candidate").append({"name": "drb2", "type": "float"})
    assert ZTF.additions(parse(orjson.dumps(schema))[0]) == ("candidate.drb2",)


@pytest.mark.parametrize(
    ("part", "name"),
    [(part, name) for part, names in LSST.rules.required.items() for name in names if part in LSST.records]
    + [("", "diaSource"), ("", "diaObject"), ("", "diaSourceId"), ("prvDiaForcedSources", "diaForcedSourceId")],
)
def test_a_schema_without_a_required_field_is_refused(part, name):
    schema = lsst_packets.lsst_schema()
    fields = lsst_packets.fields_of(schema, part)
    gone = next(field for field in fields if field["name"] == name)
    fields.remove(gone)
    if name in ("diaSource", "diaObject"):  # defined there and used again: keep the definition
        fields.append({"name": "elsewhere", "type": gone["type"]})
        fields.sort(key=lambda field: field["name"] != "elsewhere")
    with pytest.raises(PoisonError, match=name):
        LSST.check_schema(parse(orjson.dumps(schema))[0])


@pytest.mark.parametrize(
    ("name", "avro_type", "reason"),
    [
        ("psfFlux", "string", "diaSource.psfFlux: string where a number is expected"),
        ("isNegative", ["null", "int"], "diaSource.isNegative: int where a boolean is expected"),
        ("diaSourceId", "double", "diaSource.diaSourceId: double where an integer is expected"),
        ("band", ["null", "bytes"], "diaSource.band: bytes where a string is expected"),
    ],
)
def test_a_field_of_another_type_is_refused(name, avro_type, reason):
    schema = lsst_packets.lsst_schema()
    next(field for field in lsst_packets.fields_of(schema, "diaSource") if field["name"] == name)["type"] = avro_type
    with pytest.raises(PoisonError, match=reason):
        LSST.check_schema(parse(orjson.dumps(schema))[0])


def test_packets_of_the_other_survey_are_poison():
    ztf, lsst = Decoder(10_000_000, ZTF), Decoder(10_000_000, LSST)
    frame = shared("data", "lsst", "7912941781254298.avro").read_bytes()
    container = shared("data", "lsst", "fakeAlert_v10_0.avro").read_bytes()
    reasons = [p.reason for p in ztf.decode([frame, container]).poison]
    assert reasons == [
        "Confluent frame with schema id 900: another survey's packet?",
        "objectId: missing in record lsst.v10_0.alert: another survey's packet?",
    ]
    reasons = [p.reason for p in lsst.decode([ztf_packets.encode(ztf_packets.packet())]).poison]
    assert reasons == ["diaSourceId: missing in record ztf.alert: another survey's packet?"]


def test_fields_stand_in_columns_by_their_type():
    kinds = {Field("x", avro, nullable=False, unit_doc="").kind for avro in ("double", "float")}
    assert kinds == {"float"}
    assert Field("x", "boolean", nullable=True, unit_doc="").kind == "bool"
    assert LSST.records[ROOT][0].name == "diaSourceId"
