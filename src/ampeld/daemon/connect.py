"""A connection to the configured store for as long as a command needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ampeld.daemon.sections import StoreSection
from ampeld.store.connection import Connection


@asynccontextmanager
async def connected(store: StoreSection, who: str) -> AsyncIterator[Connection]:
    """Open a connection for the length of a block.

    Parameters
    ----------
    store
        Where to.
    who
        What the server's log calls us, behind ``ampeld-``.

    Raises
    ------
    StoreUnavailableError
        If the driver refuses the URI.
    """
    connection = Connection(store.uri.reveal(), store.database, timeout_s=store.timeout_s, app_name=f"ampeld-{who}")
    try:
        yield connection
    finally:
        await connection.close()
