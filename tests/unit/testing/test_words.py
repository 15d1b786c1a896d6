"""A word on the command line means files, a stretch of Kafka or a simulated night; what it cannot mean is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.source.archive import DamagedFileError
from ampeld.source.span import Span
from ampeld.testing.kit import for_survey
from ampeld.testing.sources import read_alerts
from ampeld.testing.words import open_sources, parse_span


async def read(words, **options):
    return [record async for batch in read_alerts(open_sources(words, Settings()), **options) for record in batch]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / f"{number}.avro").write_bytes(bytes([number]))
    return tmp_path


async def test_paths_and_simulated_nights_are_read_in_their_order(night):
    records = await read([str(night / "2.avro"), str(night / "0.avro"), "sim:1:5", night / "1.avro"])
    assert [record.value for record in records[:2]] == [b"\2", b"\0"]
    assert [str(record.coordinates) for record in records[2:7]] == [f"sim:1/0/{i}" for i in range(5)]
    assert records[7].value == b"\1"


async def test_no_more_is_read_than_asked_for(night):
    assert len(await read([night, "sim:1:5"], limit=4, max_records=2)) == 4


async def test_the_same_night_comes_each_time():
    (source,) = open_sources(["sim:3:4"], Settings())
    once = [record.value async for batch in source.read(2) for record in batch]
    again = [record.value async for batch in source.read(3) for record in batch]
    assert once == again
    assert (source.progress.done, source.progress.total) == (4, 4)


async def test_progress_of_files_is_in_bytes(night):
    (source,) = open_sources([night], Settings())
    assert (source.progress.done, source.progress.total) == (0, 3)
    assert [batch async for batch in source.read(10)]
    assert source.progress.done == 3


async def test_a_damaged_archive_is_told_after_everything_readable(night):
    (night / "broken.tar").write_bytes(b"no archive" * 100)
    found = []
    with pytest.raises(DamagedFileError, match=r"broken\.tar"):
        async for batch in read_alerts(open_sources([night / "broken.tar", "sim:1:2"], Settings())):
            found += batch
    assert len(found) == 2


def test_every_source_that_cannot_be_is_named(tmp_path):
    words = [
        "sim:x",
        str(tmp_path / "none.avro"),
        "kafka:",
        "kafka:t@soon",
        "sim:1:0",
        "kafka:t@2025-01-02..2025-01-01",
    ]
    with pytest.raises(ConfigError) as error:
        open_sources(words, Settings())
    problems = error.value.problems
    assert [problem.split(":", 1)[0] for problem in problems] == [
        "sim",
        str(tmp_path / "none.avro"),
        *["kafka"] * 2,
        "sim",
        "kafka",
    ]
    assert "expected sim:SEED[:ALERTS]" in problems[0]
    assert "No such file" in problems[1]
    assert "the end does not lie behind the start" in problems[5]


def test_there_is_no_simulator_for_lsst():
    with pytest.raises(ConfigError, match="the simulator makes ZTF alerts"):
        open_sources(["sim:1"], for_survey(Settings(), "lsst"))


@pytest.mark.parametrize(
    ("word", "span"),
    [
        ("kafka:ztf", Span("ztf")),
        ("kafka:^ztf_.*", Span("^ztf_.*")),
        ("kafka:t@2025-08-01", Span("t", datetime(2025, 8, 1, tzinfo=UTC))),
        ("kafka:t@2025-08-01T04:00..2025-08-01T06:00Z", Span("t", datetime(2025, 8, 1, 4, tzinfo=UTC), datetime(2025, 8, 1, 6, tzinfo=UTC))),
        ("kafka:t@..2025-08-01T04:00+02:00", Span("t", None, datetime(2025, 8, 1, 2, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_a_stretch_of_kafka_is_a_topic_and_times(word, span):
    assert parse_span(word) == span
