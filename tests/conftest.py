"""What every test may ask for: a Kafka and a MongoDB that live as long as the run, a topic and a database of its own."""

import gc
import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from pymongo import MongoClient
from support.memory import in_memory
from support.servers import Mongod, kafka_kind, kafka_server, unique

from ampeld.daemon.logging import LimitedHandler
from ampeld.demo import jars

# A timed assertion is no test: how long an example takes says how busy the machine is.
settings.register_profile(
    "ampeld", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("ampeld")


def pytest_report_header() -> str:
    kind = kafka_kind()
    return f"kafka: {f'Apache Kafka {jars.VERSION}' if kind == 'apache' else 'Tansu (no java and mvn here)'}"


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for cycles when all tests are imported, not meanwhile, and never again among what they are made of."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the broker's jars before any test's clock runs."""
    marks = ("kafka", "fault")
    asked = any("kafka" in item.fixturenames or any(map(item.get_closest_marker, marks)) for item in session.items)
    if asked and not session.config.option.collectonly and kafka_kind() == "apache":
        jars.fetch()


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    """Undo what a command has set that ran within the test: the stream that it logs to is closed by now."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        logging.root.handlers[:] = [one for one in logging.root.handlers if not isinstance(one, LimitedHandler)]
        logging.root.setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of the run's broker; make topics with `support.servers.create_topic`."""
    with in_memory(tmp_path_factory.mktemp("kafka")) as directory:
        server = kafka_server(directory)
        try:
            yield server.start().address
        finally:
            server.remove()


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of the run's replica set of one."""
    with in_memory(tmp_path_factory.mktemp("mongod")) as directory:
        server = Mongod(directory)
        try:
            yield server.start().uri
        finally:
            server.remove()


@pytest.fixture
def database(mongodb: str) -> Iterator[str]:
    """Name of an empty database on `mongodb`, dropped after the test."""
    name = unique("ampeld_test")
    yield name
    with MongoClient(mongodb) as client:
        client.drop_database(name)


@pytest.fixture
def server_directory(tmp_path: Path) -> Path:
    """Directory for the servers of this test's own."""
    return tmp_path / "servers"
