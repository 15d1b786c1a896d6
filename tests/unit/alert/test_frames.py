"""Confluent frames: their schemas are known by number, and what is no frame is told by its looks."""

import pytest
from support.lsst_packets import container, fields_of, frame, lsst_schema, packet
from support.shared import shared

from ampeld.alert.decode import Decoder
from ampeld.alert.frames import Frames
from ampeld.alert.survey import LSST
from ampeld.errors import PoisonError
from ampeld.source.schemas import packaged

LIMIT = 10_000_000
ALERT = frame(packet())


def decoder(*numbers, kernel=True):
    made = Decoder(LIMIT, LSST, kernel=kernel)
    for number in numbers or (900, 1000, 1100, 1101):
        made.frames.learn(number, packaged(number))
    return made


def reasons(*values):
    return [poison.reason for poison in decoder().decode(values).poison]


@pytest.mark.parametrize("number", [900, 1000, 1100, 1101])
@pytest.mark.parametrize("kernel", [True, False])
def test_frames_of_every_packaged_schema_are_decoded(number, kernel):
    table = decoder(kernel=kernel).decode([frame(packet(), number)]).table
    assert table.scalar("psfFlux").values.tolist() == [1000.0]
    assert table.offsets("forced").tolist() == [0, 1]


def test_a_real_frame_is_decoded():
    found = decoder().decode([shared("data", "lsst", "7912941781254298.avro").read_bytes()])
    assert found.poison == []
    assert found.table.object == ["7912941781254298"]


def test_frames_and_containers_come_in_one_batch():
    found = decoder().decode([ALERT, container(packet()), container(packet(), codec="deflate"), ALERT])
    assert found.rows == [0, 1, 2, 3]
    assert found.poison == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty payload"),
        (b"\x00", "the data end at byte 1, inside the frame"),
        (ALERT[:5], "the data end at byte 5, inside the frame"),
        (b"\x1f\x8b" + ALERT, "gzip data, neither a Confluent frame nor an Avro object container"),
        (b' {"diaSourceId": 1}', "JSON text, neither a Confluent frame nor an Avro object container"),
        (
            b"\x05" + ALERT[1:],
            "neither a Confluent frame nor an Avro object container: byte 5 where the magic byte 0 is expected",
        ),
        (b"\x00\x00\x00\x00\x07" + ALERT[5:], "schema 7 is not known"),
        (ALERT + b"!", "1 bytes left over behind the record"),
    ],
)
def test_what_is_no_frame_is_poison_that_says_why(value, reason):
    assert reasons(value)[0].startswith(reason)


def test_poison_in_a_frame_names_the_field_and_the_byte_of_the_message():
    (poison,) = decoder().decode([ALERT[:60]]).poison
    assert "the data end at byte 60" in poison.reason
    assert "diaSource." in poison.reason
    assert poison.schema is not None


def test_a_batch_without_its_poison_is_decoded_alike():
    found = decoder().decode([b"junk", ALERT, ALERT[:-1], ALERT])
    assert found.rows == [1, 3]
    assert [poison.index for poison in found.poison] == [0, 2]


def test_the_numbers_that_are_not_known_yet_are_told():
    frames = Frames()
    values = [ALERT, frame(packet(), 900), b"", b"\x00\x01", container(packet()), b"\x00\xff\xff\xff\xff?"]
    assert frames.unknown(values) == {1101, 900, 2**32 - 1}
    frames.learn(900, packaged(900))
    frames.refuse(1101, "no such schema")
    assert frames.unknown(values) == {2**32 - 1}
    frames.forget(1101)
    assert frames.unknown(values) == {1101, 2**32 - 1}


def test_a_refused_number_makes_poison_with_the_reason():
    frames = Frames()
    frames.refuse(1101, "schema 1101 is not known to the registry at example.org")
    with pytest.raises(PoisonError, match="not known to the registry"):
        frames.schema_of(ALERT)


def test_numbers_out_of_damaged_frames_do_not_fill_the_memory():
    frames = Frames()
    for number in range(3000):
        frames.refuse(number, "none")
    assert len(frames.unknown([b"\x00" + n.to_bytes(4, "big") + b"x" for n in range(3000)])) == 2000


def test_a_schema_that_the_survey_refuses_makes_poison_of_its_frames():
    schema = lsst_schema()
    wrong = next(field for field in fields_of(schema, "diaSource") if field["name"] == "midpointMjdTai")
    wrong["type"] = "string"
    text = repr(schema).replace("'", '"').encode()
    made = Decoder(LIMIT, LSST)
    made.frames.learn(1200, text)
    (poison,) = made.decode([frame(packet(), 1200, lsst_schema())]).poison
    assert poison.stage == "validate"
    assert poison.reason == "diaSource.midpointMjdTai: string where a number is expected"
