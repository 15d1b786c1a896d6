"""A simulated night in a store, with features, and commands that are run on it."""

import os

import pytest
from pymongo import MongoClient

from ampeld.cli.main import run_command

CHANNEL = """
filter = "ampeld.channel.passall:PassAll"
contact = "someone@example.org"
keep_days = 10
[[feature]]
unit = "LightCurveSummary"
[[feature]]
unit = "RiseDecline"
"""


@pytest.fixture
def db(mongodb, database):
    with MongoClient(mongodb, tz_aware=True) as client:
        yield client[database]


@pytest.fixture
def ampeld(mongodb, database, tmp_path, monkeypatch, capfd):
    """Run a command in a directory with one channel that keeps objects for ten days."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMPELD_STORE__URI", mongodb)
    monkeypatch.setenv("AMPELD_STORE__DATABASE", database)
    channel = tmp_path / "channels" / "all.toml"
    channel.parent.mkdir()
    channel.write_text(CHANNEL)

    def run(*arguments):
        code = run_command(list(arguments))
        return code, *capfd.readouterr()

    return run


@pytest.fixture(scope="session")
def simulated(mongodb, tmp_path_factory):
    """Return the documents that sixty simulated alerts leave, by collection: made once, by the real thing."""
    where = tmp_path_factory.mktemp("night")
    (where / "channels").mkdir()
    (where / "channels" / "all.toml").write_text(CHANNEL)
    name = f"night_{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch, MongoClient(mongodb, tz_aware=True) as client:
        patch.chdir(where)
        patch.setenv("AMPELD_STORE__URI", mongodb)
        patch.setenv("AMPELD_STORE__DATABASE", name)
        assert run_command(["simulate", "--alerts", "60", "--seed", "5", "--out", "alerts"]) == 0
        assert run_command(["ingest", "alerts"]) == 0
        found = {one: list(client[name][one].find()) for one in client[name].list_collection_names()}
        client.drop_database(name)
    return {one: documents for one, documents in found.items() if documents}


@pytest.fixture
def night(simulated, db):
    """Return after the documents of that night are in the test's database."""
    for name, some in simulated.items():
        db[name].insert_many(some)
