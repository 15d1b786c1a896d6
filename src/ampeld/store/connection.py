"""The connection to MongoDB, with the promises that every write of ampeld relies on, and the indexes it needs."""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from ampeld.store.errors import OPERATOR, StoreUnavailableError, translated

INDEXES: dict[str, list[IndexModel]] = {
    "stock": [],
    "t0": [IndexModel({"stock": 1}, name="stock")],
    "t1": [
        IndexModel({"stock": 1, "link": 1}, name="stock_link", unique=True),
        IndexModel({"channel": 1}, name="channel"),
    ],
    "t2": [
        IndexModel(
            {"stock": 1, "col": 1, "unit": 1, "config": 1, "link": 1}, name="stock_col_unit_config_link", unique=True
        ),
        # Whose turn it is, newest first; results leave it.
        IndexModel(
            {"unit": 1, "config": 1, "channel": 1, "code": 1, "jd": -1},
            name="queue",
            partialFilterExpression={"code": {"$lt": 0}},
        ),
    ],
    "traces": [],
    "feature_configs": [],
    "verdict_blocks": [
        # Its end descends, so that the first entry of a partition is the newest.
        IndexModel({"group": 1, "parts.topic": 1, "parts.partition": 1, "parts.end": -1}, name="position"),
        IndexModel({"parts.topic": 1}, name="topic"),
        IndexModel({"run": 1}, name="run"),
        IndexModel({"nights": 1}, name="nights"),
        IndexModel({"candids.max": 1, "candids.min": 1}, name="candids"),
    ],
    "channel_versions": [IndexModel({"name": 1, "registered": 1}, name="name_registered")],
    "gates": [IndexModel({"channel": 1, "version": 1, "when": 1}, name="channel_version_when")],
    "suspensions": [],
    "dead_letters": [IndexModel({"topic": 1, "stage": 1}, name="topic_stage")],
    "channel_errors": [IndexModel({"channel": 1, "seen": 1}, name="channel_seen")],
    "gaps": [IndexModel({"topic": 1}, name="topic")],
    "begun": [IndexModel({"topic": 1}, name="topic")],
    "purged": [],
}
"""What `Connection.prepare` creates, by collection; every ``_id`` is the identity of its document."""

EXPIRING = {"verdict_blocks": "written", "begun": "at", "purged": "at"}
"""The collections whose documents expire, each by its time stamp, which names the index too."""

_DAY_S = 86_400
_NAMESPACE_EXISTS = 48


class Connection:
    """Two clients of one database: one for the flow, one for health, so that a stalled write never starves a ping.

    Parameters
    ----------
    uri, database
        Where the documents lie. What the URI says of write concern and read preference is overruled.
    timeout_s : float
        After that long any operation fails; without an end a stalled server would keep the process from exiting.
    app_name : str
        How the server's log names this daemon.

    Raises
    ------
    StoreUnavailableError
        If the driver refuses the URI.
    """

    def __init__(self, uri: str, database: str, *, timeout_s: float = 10.0, app_name: str = "ampeld") -> None:
        self.timeout_s = timeout_s
        self.name = database
        try:
            self._client = _client(uri, timeout_s, app_name, pool=16)
            self._health = _client(uri, timeout_s, f"{app_name}-health", pool=2)
        except (PyMongoError, ValueError) as error:
            raise StoreUnavailableError(f"store.uri is refused ({type(error).__name__})", kind=OPERATOR) from error
        self.database = self._client[database]

    def __getitem__(self, collection: str) -> AsyncIOMotorCollection[Any]:
        return self.database[collection]

    async def ping(self) -> float:
        """Return after the primary has answered, with the time of its answer in seconds since the epoch.

        Raises
        ------
        StoreUnavailableError
            If it does not.
        """
        hello = await self.command("hello")
        if not hello.get("isWritablePrimary"):
            raise StoreUnavailableError("no writable primary")
        when: float = hello["localTime"].timestamp()
        return when

    async def command(self, command: str, *, on: str = "admin") -> dict[str, Any]:
        """Return the answer to an administrative command, by the client for health."""
        with translated():
            # Without these options its times would come without their zone.
            answer: dict[str, Any] = await self._health[on].command(command, codec_options=self.database.codec_options)
        return answer

    async def prepare(self, *, keep_days: float | None = None) -> None:
        """Create the collections and indexes that are missing.

        Parameters
        ----------
        keep_days
            How long verdict blocks are kept; for ever when None.
        """
        with translated():
            present = set(await self.database.list_collection_names())
            for collection, indexes in INDEXES.items():
                if collection not in present:
                    await self._create(collection)
                if indexes:
                    await self[collection].create_indexes(indexes)
            if keep_days is not None:
                for collection, stamp in EXPIRING.items():
                    await self._expire(collection, stamp, int(keep_days * _DAY_S))

    async def _create(self, collection: str) -> None:
        try:
            await self.database.create_collection(collection, check_exists=False)
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:  # another daemon was first
                raise

    async def _expire(self, collection: str, stamp: str, seconds: int) -> None:
        present = (await self[collection].index_information()).get(stamp)
        if present is None:
            await self[collection].create_index({stamp: 1}, name=stamp, expireAfterSeconds=seconds)
        elif present.get("expireAfterSeconds") != seconds:
            index = {"name": stamp, "expireAfterSeconds": seconds}
            await self.database.command("collMod", collection, index=index)

    async def close(self) -> None:
        """Close both clients."""
        self._client.close()
        self._health.close()


def _client(uri: str, timeout_s: float, app_name: str, *, pool: int) -> AsyncIOMotorClient[Any]:
    return AsyncIOMotorClient(
        uri,
        appname=app_name[:128],
        timeoutMS=int(timeout_s * 1000),
        serverSelectionTimeoutMS=int(timeout_s * 1000),
        connectTimeoutMS=min(5000, int(timeout_s * 1000)),
        maxPoolSize=pool,
        maxIdleTimeMS=300_000,
        w="majority",
        journal=True,
        retryWrites=True,
        readPreference="primary",
        tz_aware=True,
    )
