"""What makes a packet a ZTF alert."""

import math

import pytest
from support.shared import shared
from support.ztf_packets import (
    candidate,
    detection,
    encode,
    fields_of,
    forced,
    limit,
    packet,
    ztf_schema,
)

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import ZTF
from ampeld.errors import PoisonError


def poison(value):
    decoded = Decoder(10_000_000).decode([value])
    assert len(decoded.table) + len(decoded.poison) == 1
    return decoded.poison[0] if decoded.poison else None


def without(part, name):
    schema = ztf_schema()
    fields = fields_of(schema, part)
    fields[:] = [field for field in fields if field["name"] != name]
    return schema


def retyped(part, name, avro_type):
    schema = ztf_schema()
    next(field for field in fields_of(schema, part) if field["name"] == name)["type"] = avro_type
    return schema


def test_a_good_packet_is_no_poison():
    assert poison(encode(packet(fp_hists=[forced()]))) is None


@pytest.mark.parametrize(
    ("part", "name"),
    [
        *(("candidate", name) for name in ("jd", "fid", "pid", "candid", "programid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf")),
        *(("prv_candidates", name) for name in ("jd", "fid", "candid", "programid")),
        ("fp_hists", "jd"),
    ],
)  # fmt: skip
def test_a_required_field_that_is_missing_is_named(part, name):
    found = poison(encode(packet(), schema=without(part, name)))
    assert (found.stage, found.reason) == ("validate", f"{part}.{name}: missing in the schema")
    assert len(found.schema) == 16


@pytest.mark.parametrize("name", ["objectId", "candid", "candidate"])
def test_a_record_without_the_marks_of_an_alert_is_of_another_survey(name):
    found = poison(encode(packet(), schema=without("", name)))
    assert found.reason == f"{name}: missing in record ztf.alert: another survey's packet?"


@pytest.mark.parametrize(
    ("part", "name", "avro_type", "value", "reason"),
    [
        ("candidate", "magpsf", "string", "18.5", "candidate.magpsf: string where a number is expected"),
        ("candidate", "magpsf", "bytes", b"18.5", "candidate.magpsf: bytes where a number is expected"),
        ("candidate", "candid", "double", 1.0, "candidate.candid: double where an integer is expected"),
        ("candidate", "candid", "string", "1", "candidate.candid: string where an integer is expected"),
        ("candidate", "isdiffpos", "boolean", True, "candidate.isdiffpos: boolean where a string is expected"),
        ("candidate", "rb", ["null", "string"], None, "candidate.rb: string where a number is expected"),
        ("candidate", "rb", ["null", "float", "string"], 0.5, "candidate.rb: string where a number is expected"),
        ("prv_candidates", "jd", "string", "1", "prv_candidates.jd: string where a number is expected"),
        ("fp_hists", "forcediffimflux", "string", "1", "fp_hists.forcediffimflux: string where a number is expected"),
        ("", "objectId", "long", 5, "objectId: long where a string is expected"),
        ("", "candid", "string", "5", "candid: string where an integer is expected"),
        ("", "candidate", "string", "5", "candidate: string where a single record is expected"),
        ("", "candidate", "null", None, "candidate: null where a single record is expected"),
        ("", "prv_candidates", ["null", "string"], None, "prv_candidates: string where a single array is expected"),
        ("", "prv_candidates", {"type": "array", "items": "long"}, [], "prv_candidates: long where a single record is expected"),
    ],
)  # fmt: skip
def test_a_field_of_a_wrong_type_is_named(part, name, avro_type, value, reason):
    given = packet(fp_hists=[forced()])
    (given if not part else given[part] if part == "candidate" else given[part][0])[name] = value
    if part == "prv_candidates":
        given[part][1][name] = value
    found = poison(encode(given, schema=retyped(part, name, avro_type)))
    assert (found.stage, found.reason) == ("validate", reason)


def test_a_wider_integer_may_stand_for_a_number_and_further_fields_are_welcome():
    schema = retyped("candidate", "magpsf", "int")
    fields_of(schema, "candidate").append({"name": "novel", "type": ["null", {"type": "map", "values": "string"}]})
    given = packet(candidate=candidate(magpsf=18, novel={"a": "b"}))
    assert poison(encode(given, schema=schema)) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"objectId": "SN2011fe"}, "objectId: not the name of a ZTF object"),
        ({"objectId": ""}, "objectId: not the name of a ZTF object"),
        *(
            ({"candidate": candidate(**{name: value})}, f"candidate.{name}: not finite")
            for name in ("jd", "ra", "dec")
            for value in (math.nan, math.inf, -math.inf)
        ),
        ({"candidate": candidate(ra=360.5)}, "candidate.ra: not between 0 and 360 degrees"),
        ({"candidate": candidate(ra=-0.5)}, "candidate.ra: not between 0 and 360 degrees"),
        ({"candidate": candidate(dec=90.5)}, "candidate.dec: not between -90 and 90 degrees"),
        ({"candidate": candidate(jd=1e300)}, "candidate.jd: no Julian date between 1721425.5 and 3380000.0"),
        ({"candidate": candidate(candid=0)}, "candidate.candid: not between 1 and 2^63 - 1"),
        ({"candidate": candidate(candid=-5)}, "candidate.candid: not between 1 and 2^63 - 1"),
        ({"prv_candidates": [limit(), limit(jd=math.nan)]}, "prv_candidates[1].jd: not finite"),
        ({"prv_candidates": [detection(ra=math.inf)]}, "prv_candidates[0].ra: not finite"),
        ({"prv_candidates": [detection(dec=math.nan)]}, "prv_candidates[0].dec: not finite"),
        ({"prv_candidates": [detection(candid=-1)]}, "prv_candidates[0].candid: not between 1 and 2^63 - 1"),
        ({"prv_candidates": [limit(diffmaglim=1e30)]}, "prv_candidates[0]: an upper limit whose number does not fit"),
        ({"prv_candidates": [limit(jd=2457000.5)]}, "prv_candidates[0]: an upper limit whose number does not fit"),
        ({"fp_hists": [forced(), forced(jd=math.nan)]}, "fp_hists[1].jd: not finite"),
    ],
)
def test_a_value_that_no_identity_can_rest_on_is_named(change, reason):
    found = poison(encode(packet(**change)))
    assert found.stage == "validate"
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"objectId": None}, "objectId: null"),
        ({"candidate": None}, "candidate: null"),
        ({"candidate": candidate(candid=None)}, "candidate.candid: null"),
        ({"prv_candidates": [None]}, "prv_candidates[0]: null"),
        ({"prv_candidates": [limit(fid=None)]}, "prv_candidates[0].fid: null"),
        (
            {"prv_candidates": [limit(rcid=None, pid=None)]},
            "prv_candidates[0]: an upper limit with neither rcid nor pid",
        ),
        ({"fp_hists": [forced(jd=None)]}, "fp_hists[0].jd: null"),
    ],
)
def test_a_null_where_a_schema_allows_it_but_an_alert_does_not_is_named(change, reason):
    with pytest.raises(PoisonError) as caught:
        ZTF.check_packet(packet(**change))
    assert str(caught.value) == reason


def test_elsewhere_what_is_not_finite_is_no_poison():
    given = packet(candidate=candidate(rb=math.nan, magpsf=math.inf), prv_candidates=[limit(diffmaglim=math.nan)])
    assert poison(encode(given)) is None


@pytest.mark.golden
@pytest.mark.parametrize(
    ("name", "stage", "reason"),
    [
        ("7912941781254298.avro", "decode", "Confluent frame with schema id 900: another survey's packet?"),
        ("fakeAlert_v10_0.avro", "validate", "objectId: missing in record lsst.v10_0.alert: another survey's packet?"),
    ],
)
def test_the_packets_of_another_survey_are_told_as_such(name, stage, reason):
    found = poison(shared("data", "lsst", name).read_bytes())
    assert (found.stage, found.reason) == (stage, reason)
