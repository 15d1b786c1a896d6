"""Where schemas come from: the directory, the package, the registry, in this order, and what is kept."""

import asyncio
import json

import orjson
import pytest
from support.lsst_packets import lsst_schema
from support.shared import shared

from ampeld.alert.schema import parse
from ampeld.errors import PoisonError, RetryableError
from ampeld.source.schemas import PACKAGED, SchemaFileError, Schemas, compact, packaged


class Registry:
    """Answers in turn: a text, or an error that is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def fetch(self, number):
        self.asked.append(number)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def schemas(directory=None, registry=None):
    return Schemas(directory, registry, between_tries_s=0)


NEW = orjson.dumps({**lsst_schema(), "name": "lsst.v12_0.alert", "doc": "anything"})


@pytest.mark.parametrize("number", PACKAGED)
async def test_the_packaged_schemas_need_neither_directory_nor_registry(number):
    text = await schemas().find(number)
    name = f"lsst.v{number // 100}_{number % 100}.alert"
    assert parse(text)[1] == name


async def test_a_packaged_schema_is_that_of_rubin():
    directory = shared("data", "lsst", "schema_9_0")
    assert await schemas(directory).find(900) == packaged(900)


async def test_without_a_registry_an_unknown_number_is_poison_that_says_where_was_looked(tmp_path):
    with pytest.raises(PoisonError, match="schema 1200 is none of those packaged"):
        await schemas(tmp_path).find(1200)


async def test_the_directory_goes_before_the_package(tmp_path):
    other = {**lsst_schema(), "name": "mine"}
    (tmp_path / "1101.avsc").write_text(json.dumps(other))
    assert parse(await schemas(tmp_path).find(1101))[1] == "mine"


async def test_rubin_s_own_files_are_found_at_any_depth(tmp_path):
    record = {"type": "record", "namespace": "lsst.v12_3", "name": "diaSource", "doc": "x"}
    record["fields"] = [{"name": "diaSourceId", "type": "long"}]
    alert = {
        "type": "record",
        "namespace": "lsst.v12_3",
        "name": "alert",
        "fields": [
            {"name": "diaSource", "type": "lsst.v12_3.diaSource", "doc": "the source"},
            {"name": "prvDiaSources", "type": {"type": "array", "items": "lsst.v12_3.diaSource"}, "default": []},
        ],
    }
    place = tmp_path / "12" / "3"
    place.mkdir(parents=True)
    (place / "lsst.v12_3.alert.avsc").write_text(json.dumps(alert))
    (place / "lsst.v12_3.diaSource.avsc").write_text(json.dumps(record))
    found = parse(await schemas(tmp_path).find(1203))
    assert found[1] == "lsst.v12_3.alert"
    assert found[0].parts[0].kind == "record"


async def test_a_registry_is_asked_once_and_its_answer_kept(tmp_path):
    directory = tmp_path / "made" / "anew"
    registry = Registry(NEW)
    text = await schemas(directory, registry).find(1200)
    assert registry.asked == [1200]
    assert b"anything" not in text
    assert (directory / "1200.avsc").read_bytes() == text
    assert [path.name for path in directory.iterdir()] == ["1200.avsc"]
    assert await schemas(directory, Registry()).find(1200) == text


async def test_a_directory_that_cannot_be_written_costs_no_alert(tmp_path):
    (tmp_path / "file").write_text("")
    assert await schemas(tmp_path / "file", Registry(NEW)).find(1200) == compact(NEW)


async def test_a_schema_is_asked_for_three_times_before_it_does_not_exist():
    registry = Registry(PoisonError("no"), PoisonError("no"), PoisonError("not known"))
    with pytest.raises(PoisonError, match="not known"):
        await schemas(None, registry).find(1200)
    assert registry.asked == [1200] * 3


async def test_a_copy_that_lags_behind_is_asked_again():
    assert await schemas(None, Registry(PoisonError("no"), NEW)).find(1200) == compact(NEW)


async def test_a_registry_that_is_away_is_no_poison():
    registry = Registry(PoisonError("no"), RetryableError("away"))
    with pytest.raises(RetryableError, match="away"):
        await schemas(None, registry).find(1200)


@pytest.mark.parametrize("content", [b"{", b"[1, 2", b"x" * (2**20 + 1)])
async def test_a_file_that_cannot_be_read_makes_its_alerts_wait(tmp_path, content):
    (tmp_path / "1101.avsc").write_bytes(content)
    with pytest.raises(SchemaFileError, match="schema 1101 cannot be read"):
        await schemas(tmp_path).find(1101)


async def test_files_of_rubin_that_refer_to_one_that_is_not_there_make_their_alerts_wait(tmp_path):
    alert = {"type": "record", "name": "lsst.v12_0.alert", "fields": [{"name": "a", "type": "lsst.v12_0.gone"}]}
    (tmp_path / "lsst.v12_0.alert.avsc").write_text(json.dumps(alert))
    with pytest.raises(SchemaFileError):
        await schemas(tmp_path).find(1200)


async def test_an_answer_that_is_no_json_is_no_answer():
    with pytest.raises(RetryableError, match="not JSON"):
        await schemas(None, Registry(b"<html>")).find(1200)


def test_every_copy_of_a_schema_reads_alike():
    described = lsst_schema()
    spaced = {"doc": "what it is", **{name: described[name] for name in reversed(described)}}
    spaced["fields"] = [{"doc": "…", "default": None, **field} for field in spaced["fields"]]
    assert compact(json.dumps(spaced, indent=2).encode()) == packaged(1101)


def test_what_is_packaged_is_a_few_kilobytes_and_has_no_prose():
    for number in PACKAGED:
        assert b'"doc"' not in packaged(number)
    assert packaged(901) is None


async def test_the_directory_is_read_beside_the_loop(tmp_path):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(tick(), name="tick")
        await schemas(tmp_path).find(900)
        ticking.cancel()
    assert ticks > 0
