"""What fault tests are made of: sites (a configuration with its daemons) and servers that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.servers import ApacheKafka, Mongod, need_apache
from support.sites import make_site

__all__ = ["make_site"]


@pytest.fixture
def own_broker(server_directory: Path) -> Iterator[ApacheKafka]:
    """A broker that the test may kill."""
    need_apache()
    server = ApacheKafka(server_directory / "kafka")
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def own_mongod(server_directory: Path) -> Iterator[Mongod]:
    """A mongod that the test may kill."""
    server = Mongod(server_directory / "mongod")
    try:
        yield server.start()
    finally:
        server.remove()
