"""The embedded pair, a Kafka and a mongod, started together and gone together."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Literal, Self

from ampeld.demo.apache import ApacheKafka
from ampeld.demo.mongod import Mongod
from ampeld.demo.process import ServerProcess
from ampeld.demo.tansu import Tansu

Kafka = Literal["tansu", "apache"]

_PARENT = Path("var") / "servers"


class EmbeddedServers:
    """A Kafka and a mongod as one context: both answer inside, neither process nor file is left behind.

    Parameters
    ----------
    kafka
        Which broker: Tansu (in memory, a wheel) or Apache (needs java and mvn).
    directory
        Where data and logs lie meanwhile; by default a new one under ``var/servers``.
    kafka_port, mongodb_port
        TCP ports, free ones by default.
    cache_gb
        Memory of the mongod for documents [GiB]: little, unless it is to show how fast one is.
    """

    def __init__(
        self,
        kafka: Kafka = "tansu",
        *,
        directory: Path | None = None,
        kafka_port: int | None = None,
        mongodb_port: int | None = None,
        cache_gb: float = 0.25,
    ) -> None:
        self._made = _missing(directory or _PARENT)
        self.directory = _make(directory)
        broker = {"tansu": Tansu, "apache": ApacheKafka}[kafka]
        self.broker: ServerProcess = broker(self.directory / "kafka", port=kafka_port)
        self.mongod = Mongod(self.directory / "mongod", port=mongodb_port, cache_gb=cache_gb)
        self._remove_root = directory is None

    @property
    def kafka(self) -> str:
        """Return the bootstrap address, ``host:port``."""
        return self.broker.address

    @property
    def mongodb(self) -> str:
        """Return the connection string."""
        return self.mongod.uri

    def start(self) -> Self:
        """Start both at once and return when both answer.

        Raises
        ------
        ServerError
            If one does not start; nothing is left then.
        """
        try:
            self.broker.launch()
            self.mongod.launch()
            self.mongod.wait_ready()
            self.broker.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def check_alive(self) -> None:
        """Raise `ServerError`, with the tail of its log, if one has ended by itself."""
        self.broker.check_alive()
        self.mongod.check_alive()

    def stop(self) -> None:
        """End both and remove their files, and the directories that were made for them if nothing else is in them."""
        self.broker.remove()
        self.mongod.remove()
        made = [self.directory, *self._made] if self._remove_root else self._made
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _missing(path: Path) -> list[Path]:
    path = path.absolute()
    return [each for each in (path, *path.parents) if not each.exists()]


def _make(directory: Path | None) -> Path:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        return directory.absolute()
    _PARENT.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=_PARENT)).absolute()
