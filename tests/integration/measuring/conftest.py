"""A store of its own for each test."""

import pytest

from ampeld.store.mongodb import MongoStore


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare(keep_days=30)
    yield real
    await real.close()
