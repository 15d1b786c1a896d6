"""From the configuration to decoder, schemas and registry; and what is said of a schema that is met."""

from pathlib import Path

import pytest
import structlog
from support.lsst_packets import frame, packet
from support.registry import UNKNOWN, known, running_registry

from ampeld.alert.survey import LSST, ZTF
from ampeld.daemon.schemas import make_reader, make_registry, on_schema, registry_trouble
from ampeld.daemon.secret import Secret
from ampeld.daemon.sections import SourceSection
from ampeld.daemon.settings import Settings
from ampeld.daemon.telemetry import MOST_SCHEMAS, Telemetry
from ampeld.source.schemas import packaged


def settings(**source: object) -> Settings:
    return Settings(source=SourceSection(**source))  # type: ignore[arg-type]


def test_the_decoder_is_that_of_the_survey() -> None:
    assert make_reader(settings()).decoder.survey is ZTF
    assert make_reader(settings(survey="lsst")).decoder.survey is LSST


async def test_a_reader_learns_from_the_registry_that_is_named_and_keeps_what_it_says(tmp_path: Path) -> None:
    text = packaged(1101)
    assert text is not None
    with running_registry({4711: known(text)}) as registry:
        given = settings(
            survey="lsst",
            schema_registry=registry.url,
            schema_registry_username=Secret("ampeld"),
            schema_registry_password=Secret("secret-word"),
            schema_directory=tmp_path,
        )
        value = frame(packet())[:1] + (4711).to_bytes(4, "big") + frame(packet())[5:]
        reader = make_reader(given)
        await reader.prepare([value])
        assert reader.decoder.decode([value]).poison == []
        assert registry.headers["Authorization"].startswith("Basic ")
    assert (tmp_path / "4711.avsc").read_bytes() == text
    assert "secret-word" in given.secrets()


async def test_a_registry_answers_whatever_it_says() -> None:
    with running_registry({1101: UNKNOWN}) as registry:
        found = make_registry(settings(schema_registry=registry.url))
        assert found is not None
        assert await registry_trouble(found) is None
        registry.answers[1101] = (503, b"")
        assert "HTTP 503" in (await registry_trouble(found) or "")
    assert make_registry(settings()) is None


def test_a_schema_with_new_fields_is_a_warning_that_names_them() -> None:
    with structlog.testing.capture_logs() as lines:
        on_schema("f1", "lsst.v11_1.alert", ())
        on_schema("f2", "lsst.v12_0.alert", ["weather", *(f"diaSource.x{i}" for i in range(30))])
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("schema.seen", "info"),
        ("schema.new", "warning"),
    ]
    assert lines[1]["fields"] == 31
    assert lines[1]["names"][0] == "weather"
    assert len(lines[1]["names"]) == 20


def test_the_status_page_tells_of_the_newest_schemas() -> None:
    telemetry = Telemetry(version="0", instance="main", run="run-1")
    for number in range(MOST_SCHEMAS + 5):
        telemetry.schema(f"f{number}", "lsst.alert", ["weather"] if number % 2 else [])
    told = telemetry.status()["schemas"]
    assert len(told) == MOST_SCHEMAS
    assert "f4" not in told
    assert told["f5"] == {"version": "lsst.alert", "additions": ["weather"]}


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_the_schema_directory_is_not_made_before_it_is_needed(tmp_path: Path, survey: str) -> None:
    make_reader(settings(survey=survey, schema_directory=tmp_path / "schemas"))
    assert not (tmp_path / "schemas").exists()
