"""The fixture of sites: a configuration with its daemons, on the run's servers or on a test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.daemons import Site
from support.servers import unique

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeSite]:
    """Return ``make_site(*topics, kafka=…, mongodb=…, **settings)``: each with a database and a group of its own."""
    with ExitStack() as stack:

        def make(*topics: str, kafka: str | None = None, mongodb: str | None = None, **settings: Any) -> Site:
            kafka = kafka or request.getfixturevalue("kafka")
            mongodb = mongodb or request.getfixturevalue("mongodb")
            return stack.enter_context(Site(tmp_path, kafka, mongodb, topics, unique("site"), **settings))

        yield make
