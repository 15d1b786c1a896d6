"""Nights, places and payloads, from how they are typed and to how they are shown."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from ampeld.cli.deadletter import hex_dump
from ampeld.cli.ledger import _parse_night
from ampeld.cli.options import topic_or_file
from ampeld.cli.output import make_table
from ampeld.cli.seek import _parse_target


@pytest.mark.parametrize("text", ["20250801", "2025-08-01"])
def test_a_night_is_a_utc_day(text: str) -> None:
    assert _parse_night(text) == 20301


@pytest.mark.parametrize("text", ["2025", "20251301", "today", ""])
def test_what_is_no_night_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a night"):
        _parse_night(text)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("earliest", "earliest"),
        ("latest", "latest"),
        ("0", 0),
        ("123456789", 123456789),
        ("020250801", 20250801),
        ("99999999", 99999999),
        ("2025-08-01", datetime(2025, 8, 1, tzinfo=UTC)),
        ("2025-08-01T04:00:00Z", datetime(2025, 8, 1, 4, tzinfo=UTC)),
        ("2025-08-01T04:00:00", datetime(2025, 8, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_place_is_an_end_an_offset_or_a_time(text: str, target: object) -> None:
    assert _parse_target(text) == target


@pytest.mark.parametrize("text", ["", "-1", "soon", "2025-13-01", "20250801"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        _parse_target(text)


def test_a_payload_is_shown_as_hexadecimal_and_text() -> None:
    assert hex_dump(b"Obj\x01" + bytes(range(13))) == [
        "00000000  4f 62 6a 01 00 01 02 03 04 05 06 07 08 09 0a 0b  Obj.............",
        "00000010  0c                                               .",
    ]
    assert hex_dump(b"") == []


def test_a_cell_cannot_colour_the_terminal() -> None:
    table = make_table("", ("a", "#b"), [("x\x1b[31m[red]", 1234567)])
    assert [next(iter(column.cells)).plain for column in table.columns] == [
        "x\N{REPLACEMENT CHARACTER}[31m[red]",
        "1 234 567",
    ]


def test_a_file_is_known_by_its_absolute_path_and_a_topic_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.avro").touch()
    assert topic_or_file("here.avro") == str(tmp_path / "here.avro")
    assert topic_or_file("../night/gone.avro") == str(tmp_path.parent / "night/gone.avro")
    assert topic_or_file("ztf_20250801_programid1") == "ztf_20250801_programid1"
