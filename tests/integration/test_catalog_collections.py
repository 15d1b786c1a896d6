"""Catalogues in MongoDB hold, find and forget what those in files do."""

import json

import numpy as np
import pytest
from pymongo import MongoClient
from support.catalogs import write_csv

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.choice import Wanted
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import import_tables
from ampeld.cli.main import run_command
from ampeld.daemon import catalog_collections
from ampeld.daemon.catalog_collections import check, cone, find, import_to_mongodb
from ampeld.errors import ConfigError
from ampeld.store.catalogs import CatalogCollections
from ampeld.store.connection import Connection

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def collections(mongodb, database):
    connection = Connection(mongodb, database)
    yield CatalogCollections(connection)
    await connection.close()


@pytest.fixture
def request_(tmp_path):
    rng = np.random.default_rng(1)
    n = 6000
    # half of them around the pole, where a cone has the strangest shape
    dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, n // 2))), 90 - np.abs(rng.normal(0, 0.5, n // 2))])
    table = write_csv(
        tmp_path / "t.csv",
        ra=rng.uniform(0, 360, n).tolist(),
        dec=dec.tolist(),
        n=[None, *range(2**60, 2**60 + n - 1)],
        s=["é", *[None] * (n - 1)],
        b=["true"] * n,
    )
    return Request(name="stars", paths=[table], wanted=Wanted(), epoch=2016.0)


def names(mongodb, database):
    with MongoClient(mongodb) as client:
        return sorted(name for name in client[database].list_collection_names() if name.startswith("catalogs"))


async def test_a_cone_finds_there_what_it_finds_in_files(collections, request_, tmp_path):
    done = await import_to_mongodb(collections, tmp_path / "sorting", request_)
    meta = await find(collections, "stars")
    assert meta == done.meta
    files = import_tables(tmp_path / "catalogs", request_).meta
    assert (meta.digest, meta.rows, meta.columns) == (files.digest, files.rows, files.columns)
    catalog = Catalog(tmp_path / "catalogs" / "stars")
    total = 0
    for ra, dec, radius in [(10.0, 89.9, 900.0), (200.0, 90.0, 60.0), (0.0, 0.0, 20_000.0), (45.0, 41.8, 7200.0)]:
        _, rows, distances = catalog.cone(np.array([ra]), np.array([dec]), radius)
        found = await cone(collections, meta, ra, dec, radius)
        assert [away for away, _ in found] == pytest.approx(distances.tolist())
        assert [one.get("n") for _, one in found] == [
            None if gone else value for value, gone in zip(*map(list, catalog.take("n", rows)), strict=True)
        ]
        total += len(found)
    assert total > 300
    assert await check(collections, meta) == []


async def test_what_a_source_lacks_is_not_in_its_document(collections, request_, tmp_path):
    await import_to_mongodb(collections, tmp_path, request_)
    meta = await find(collections, "stars")
    sources = [one for _, one in await cone(collections, meta, 0.0, 90.0, 36_000.0)]
    everything = await collections.between("stars", meta.data, [(0, 12 << 58)])
    assert len(everything) == 6000
    assert sum("n" not in one for one in everything) == 1
    assert [one["s"] for one in everything if "s" in one] == ["é"]
    assert all(one["b"] is True for one in sources)


async def test_a_catalogue_is_replaced_only_if_asked_to_and_the_old_one_goes(
    collections, request_, tmp_path, mongodb, database
):
    await import_to_mongodb(collections, tmp_path, request_)
    before = names(mongodb, database)
    with pytest.raises(ConfigError, match="there is a catalogue 'stars' in MongoDB already; --replace"):
        await import_to_mongodb(collections, tmp_path, request_)
    again = Request(name="stars", paths=request_.paths, wanted=Wanted(), replace=True)
    await import_to_mongodb(collections, tmp_path, again)
    after = names(mongodb, database)
    assert len(before) == len(after) == 2
    assert before != after


async def test_a_failed_import_leaves_nothing(collections, request_, tmp_path, mongodb, database, monkeypatch):
    def broken(part):
        yield {"hpx29": 1}
        raise OSError("the disk")

    monkeypatch.setattr(catalog_collections, "documents", broken)
    with pytest.raises(OSError, match="the disk"):
        await import_to_mongodb(collections, tmp_path, request_)
    assert names(mongodb, database) == []


async def test_lost_sources_are_found(collections, request_, tmp_path, mongodb, database):
    await import_to_mongodb(collections, tmp_path, request_)
    meta = await find(collections, "stars")
    with MongoClient(mongodb) as client:
        there = client[database][f"catalogs.stars.{meta.data}"]
        there.delete_one({})
        there.update_many({}, {"$set": {"hpx29": 5}})
    counted, lost = await check(collections, meta)
    assert "has 5999 sources where 6000 were imported" in counted
    assert "sources looked for at their places" in lost


def test_the_commands_ask_mongodb_if_told_to(request_, tmp_path, mongodb, database, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def said(*arguments):
        store = ["--set", f"store.uri={mongodb}", "--set", f"store.database={database}", "--json"]
        code = run_command(["catalog", *map(str, arguments), *store])
        out, err = capsys.readouterr()
        assert err == "" or code
        return code, json.loads(out) if out else err

    assert said("import", "stars", *request_.paths, "--to", "mongodb")[1]["catalog"]["rows"] == 6000
    assert [one["name"] for one in said("list", "--in", "mongodb")[1]["catalogs"]] == ["stars"]
    assert said("list", "stars", "--in", "mongodb")[1]["rows"] == 6000
    assert said("list")[1]["catalogs"] == []
    assert said("check", "--in", "mongodb") == (0, {"ok": True, "problems": {"stars": []}})
    found = said("cone", "stars", 0, 90, 3600, "--in", "mongodb", "--limit", 3)[1]
    assert found["found"] > len(found["sources"]) == 3
    assert set(found["sources"][0]) == {"distance", "ra", "dec", "n", "s", "b"}
    code, err = said("cone", "star", 0, 90, 3600, "--in", "mongodb")
    assert (code, "did you mean 'stars'?" in err) == (78, True)
