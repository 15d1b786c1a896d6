"""The kernel against its oracle, fastavro behind the walker: the same verdicts and the same values, on every payload."""

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import poison
from support.shared import shared
from support.tables import LIMIT, assert_same_batch, assert_same_table
from support.ztf import real_alerts
from support.ztf_packets import candidate, detection, encode, fields_of, forced, limit, packet, ztf_schema

from ampeld.alert import program
from ampeld.alert.decode import KERNEL, WITHOUT_KERNEL, Decoder
from ampeld.alert.survey import LSST, ZTF
from ampeld.demo.simulate import SimulatedNights
from ampeld.errors import PoisonError


def agreed(values, survey=ZTF, texts=None):
    """Decode in both ways, twice, and return the kernel's; the second time nothing has to be read twice."""
    kernel, oracle = Decoder(LIMIT, survey), Decoder(LIMIT, survey, kernel=False)
    for decoder in (kernel, oracle):
        for number, text in (texts or {}).items():
            decoder.frames.learn(number, text)
    expected = oracle.decode(values)
    for _ in range(2):
        found = kernel.decode(values)
        assert_same_batch(found, expected)
    assert kernel.disagreements == 0
    return found


def test_the_kernel_is_built_where_the_tests_run():
    assert KERNEL
    assert not WITHOUT_KERNEL


@pytest.mark.golden
def test_real_alerts_of_ztf():
    found = agreed(real_alerts())
    expected = Decoder(LIMIT, kernel=False).decode(real_alerts()).table
    for row in range(len(expected)):
        for name in ZTF.cutouts:
            stamp = found.table.cutout(row, name)
            assert stamp == expected.cutout(row, name)
            assert stamp is None or stamp.startswith(b"\x1f\x8b")


@pytest.mark.golden
def test_sample_alerts_of_lsst_in_frames_and_containers():
    folder = shared("data", "lsst")
    framed = (folder / "7912941781254298.avro").read_bytes()
    contained = (folder / "fakeAlert_v10_0.avro").read_bytes()
    text = flat_lsst_schema(folder / "schema_9_0")
    found = agreed([framed, contained, framed[:-1], framed + b"\x00", framed[:5]], LSST, {900: text})
    assert len(found.table) == 2
    assert [one.index for one in found.poison] == [2, 3, 4]
    stamp = found.table.cutout(0, "cutoutScience")
    assert stamp is None or framed.count(stamp) == 1


def flat_lsst_schema(folder):
    """Return the schema of an alert with the parts that its files name written where they are used first."""
    parts = {path.name.removesuffix(".avsc"): json.loads(path.read_text()) for path in folder.glob("*.avsc")}
    seen = set()

    def resolve(kind):
        if isinstance(kind, str) and kind in parts and kind not in seen:
            seen.add(kind)
            return resolve(parts[kind])
        if isinstance(kind, list):
            return [resolve(part) for part in kind]
        if isinstance(kind, dict):
            return {key: resolve(value) if key in ("type", "items", "fields") else value for key, value in kind.items()}
        return kind

    return json.dumps(resolve(parts["lsst.v9_0.alert"])).encode()


def test_a_simulated_night():
    found = agreed([alert.packet for alert in SimulatedNights(seed=5, alerts=60)])
    assert len(found.table) == 60


def test_every_kind_of_poison_has_the_same_reason():
    alerts = [value for _, value, _ in poison.kinds()]
    found = agreed(alerts)
    assert [one.index for one in found.poison] == list(range(len(alerts)))


def test_schemas_codecs_and_poison_may_be_mixed_in_one_batch():
    other = ztf_schema() | {"version": "4.03"}
    values = [encode(packet()), encode(packet(), schema=other), b"junk", encode(packet(), codec="deflate")]
    found = agreed([*values, values[0][:-1], memoryview(values[1]), values[0]])
    assert found.rows == [0, 1, 3, 5, 6]
    assert len(set(found.table.schema)) == 2


def test_an_alert_is_judged_alike_in_any_company():
    good, bad = encode(packet()), encode(packet(candidate=candidate(jd=math.nan)))
    lonely = Decoder(LIMIT).decode([good]).table
    found = Decoder(LIMIT).decode([bad, good, good[:-20], b"", good])
    assert found.rows == [1, 4]
    assert_same_table(found.table.select([1]), lonely)
    assert_same_table(found.table.select([0]), lonely)


NUMBERS = st.none() | st.floats(width=32) | st.integers(-(2**31), 2**31 - 1)
LONGS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)
JDS = st.floats() | st.sampled_from([0.0, 1721425.5, 2457754.5, 2459000.5, 3380000.0, 3380001.0])
POINTS = {
    "jd": JDS,
    "diffmaglim": st.none() | st.floats(width=32) | st.sampled_from([-1.0, 0.0, 20.5]),
    "rcid": st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(0, 63),
    "pid": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2**40),
    "programid": st.integers(-1, 5),
    "fid": st.integers(-1, 5),
    "ra": st.floats(),
    "dec": st.floats(),
    "rb": st.none() | st.floats(width=32),
    "isdiffpos": st.sampled_from(["t", "f", "1", "0", "", "ja", "é"]),
}
HISTORY = st.fixed_dictionaries({}, optional=POINTS | {"candid": LONGS, "ra": st.none() | st.floats()})
OWN = st.fixed_dictionaries(
    {},
    optional=POINTS
    | {"candid": st.integers(-1, 2**63 - 1), "ra": st.floats(-1, 361), "dec": st.floats(-91, 91), "ssnamenr": st.none() | st.text(max_size=9)},
)  # fmt: skip
NAMES = st.sampled_from(
    ["ZTF18abxhyqv", "ZTF16aaaaaaa", "ZTF33aaaaaaa", "ZTF20abcdefG", "ZTF\u0662\u0660abcdefg", "", "SN2011fe"]
)
WARM, ORACLE = Decoder(LIMIT), Decoder(LIMIT, kernel=False)


def nullable_schema():
    """Return the schema of the tests with nulls allowed in identities."""
    schema = ztf_schema()
    for part in ("candidate", "prv_candidates"):
        for field in fields_of(schema, part):
            if field["name"] in ("jd", "fid", "programid", "candid", "pid", "ra") and isinstance(field["type"], str):
                field["type"] = ["null", field["type"]]
    return schema


@given(
    name=NAMES | st.just("ZTF18abxhyqv"),
    own=OWN,
    history=st.none() | st.lists(st.tuples(st.sampled_from([limit, detection]), HISTORY), max_size=4),
    photometry=st.none() | st.lists(st.fixed_dictionaries({}, optional={"jd": JDS}), max_size=2),
)
def test_whatever_values_are_written_both_say_the_same(name, own, history, photometry):
    made = packet(
        objectId=name,
        candidate=candidate(**own),
        prv_candidates=history and [make(**given_) for make, given_ in history],
        fp_hists=photometry and [forced(**given_) for given_ in photometry],
    )
    value = encode(made, schema=nullable_schema())
    assert_same_batch(WARM.decode([value]), ORACLE.decode([value]))
    assert WARM.disagreements == 0


@settings(max_examples=40)
@given(data=st.data())
def test_nulls_where_a_schema_allows_them_are_judged_alike(data):
    made = packet()
    for part in (made["candidate"], *made["prv_candidates"]):
        for name in data.draw(st.lists(st.sampled_from(["jd", "fid", "programid", "candid", "pid", "ra"]), max_size=1)):
            part[name] = None
    value = encode(made, schema=nullable_schema())
    assert_same_batch(WARM.decode([value]), ORACLE.decode([value]))


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("candid", "string", "x"),
        ("candid", ["null", "long"], -5),
        ("ra", {"type": "array", "items": "int"}, [1]),
        ("dec", "double", math.nan),
    ],
)
def test_a_further_field_may_have_a_name_that_means_something_elsewhere(name, kind, value):
    schema = ztf_schema()
    fields_of(schema, "fp_hists").append({"name": name, "type": kind})
    assert len(agreed([encode(packet(fp_hists=[forced(**{name: value})]), schema=schema)]).table) == 1


@settings(max_examples=15)
@given(data=st.data())
def test_a_number_may_be_written_as_any_type_that_fits(data):
    schema, made = ztf_schema(), packet()
    wide = {
        "type": st.sampled_from(
            ["int", "long", "float", "double", ["int", "null"], ["double", "float", "null"], ["null", "long"]]
        )
    }
    for field in fields_of(schema, "candidate"):
        if field["name"] in ("rb", "magpsf", "fwhm", "drb"):
            field["type"] = data.draw(wide["type"])
            number = data.draw(st.integers(-(2**31), 2**31 - 1))
            made["candidate"][field["name"]] = (
                number if "int" in field["type"] or "long" in field["type"] else number / 8
            )
    value = encode(made, schema=schema)
    assert_same_batch(Decoder(LIMIT).decode([value]), Decoder(LIMIT, kernel=False).decode([value]))


def test_a_table_travels_between_processes_without_cutouts_and_with_buffers_out_of_band():
    values = [alert.packet for alert in SimulatedNights(seed=6, alerts=12)]
    table = Decoder(LIMIT).decode(values).table
    buffers = []
    data = pickle.dumps(table, protocol=5, buffer_callback=buffers.append)
    copies = [bytes(buffer.raw()) for buffer in buffers]  # bytes: what reads them cannot write
    arrived = pickle.loads(data, buffers=copies)
    assert_same_table(arrived, Decoder(LIMIT, kernel=False).decode(values).table)
    assert sum(map(len, copies)) < 0.5 * sum(map(len, values))
    assert len(data) < 100_000
    assert not arrived.scalar("jd").values.flags.writeable
    assert table.cutout(0, "cutoutScience") is not None
    with pytest.raises(LookupError, match="not here"):
        arrived.cutout(0, "cutoutScience")
    with pytest.raises(KeyError):
        table.cutout(0, "cutoutScenic")


def test_what_is_asked_of_a_history_is_decoded_at_once_from_then_on():
    decoder, value = Decoder(LIMIT), encode(packet())
    first = decoder.decode([value]).table
    first.ragged("detections", "magpsf")
    first.ragged("detections", "drb")  # only the candidate has one
    assert set(first.asked) == {("prv_candidates", "magpsf")}
    first.ask([("prv_candidates", "rb"), ("prv_candidates", "rbb"), ("candidate", "rb"), ("", "")])
    second = decoder.decode([value]).table
    assert {"magpsf", "rb"} < set(second._sheet.histories["prv_candidates"].names)
    assert set(second.asked) == {("prv_candidates", "magpsf"), ("prv_candidates", "rb")}


def test_a_kernel_that_is_wrong_is_counted_and_the_oracle_decides(monkeypatch):
    decoder, value = Decoder(LIMIT), encode(packet())
    decoder.decode([value])
    wrong = program.compile_record(program_type(value), ZTF, program.scalar_slots(ZTF)).copy()
    wrong[:3] = [program.SKIP, -1, 1]  # the first text has more than one byte
    monkeypatch.setattr("ampeld.alert.decode_columns.record_program", lambda *_: wrong)
    found = decoder.decode([value, b"junk"])
    assert decoder.disagreements == 1
    assert_same_batch(found, Decoder(LIMIT, kernel=False).decode([value, b"junk"]))


def program_type(value):
    from ampeld.alert.container import read_header  # noqa: PLC0415
    from ampeld.alert.schema import parse  # noqa: PLC0415

    return parse(read_header(value).schema)[0]


@pytest.mark.parametrize("survey", [ZTF, LSST], ids=["ztf", "lsst"])
def test_every_scalar_of_a_survey_has_a_place_of_its_own(survey):
    slots = program.scalar_slots(survey)
    numbers = [slot.number for slot in slots.by_name.values()]
    assert numbers == list(range(len(slots.blank)))
    assert all((np.isnan(blank.view(np.float64)) if slot.kind == "float" else blank == 0)
               for slot, blank in zip(slots.by_name.values(), slots.blank, strict=True))  # fmt: skip


def test_a_survey_refuses_the_packets_of_another():
    found = agreed([encode(packet())], LSST)
    assert "another survey" in found.poison[0].reason
    with pytest.raises(PoisonError):
        LSST.check_schema(program_type(encode(packet())))
