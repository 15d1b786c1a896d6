"""A real Apache Kafka broker of one KRaft node: durable over kills, up in two seconds."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ampeld.demo import jars
from ampeld.demo.process import ServerError, ServerProcess, free_port

_CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"
_CLASSES = "classes.jsa"
_ARCHIVE_S = 120.0
MAX_MESSAGE_BYTES = 20 * 1024 * 1024

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
    "socket.request.max.bytes": str(100 * 1024 * 1024),
    "offsets.topic.num.partitions": "4",  # with the default of 50 the first group waits a second for them
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.coordinator.append.linger.ms": "0",
    "broker.session.timeout.ms": "1000",  # a killed broker may come back after this, 9 s by default
    "broker.heartbeat.interval.ms": "200",
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.dedupe.buffer.size": "4194304",
}


class ApacheKafka(ServerProcess):
    """An Apache Kafka broker; `ServerProcess.address` is the bootstrap server (PLAINTEXT).

    Parameters
    ----------
    directory
        Where data, settings and log lie.
    port
        TCP port, a free one by default.
    listeners
        Further listeners: name to security protocol (``{"SECURE": "SASL_SSL"}``); their addresses are in `addresses`.
    settings
        Lines of ``server.properties`` that are added or replaced.
    scram
        Users made at the first start, as ``SCRAM-SHA-512=[name=u,password=p]``.
    """

    name = "kafka"

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        listeners: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        scram: Sequence[str] = (),
    ) -> None:
        super().__init__(directory, port=port)
        self._protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
        self._controller = f"127.0.0.1:{free_port()}"
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in self._protocols} | {"PLAINTEXT": self.address}
        self._settings = dict(settings or {})
        self._scram = tuple(scram)

    def command(self) -> Sequence[str]:
        """Return the broker's command line."""
        return [*self._java(), "kafka.Kafka", str(self._properties)]

    def machine(self) -> Sequence[str]:
        """Return what is said to Java of this process alone: to map the classes that another broker has left."""
        archive = jars.fetch() / _CLASSES
        if not archive.exists():
            _archive_classes(archive)
        return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]

    def prepare(self) -> None:
        """Write the settings and format the data directory the first time."""
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in self._all_settings().items()))
        if (self.directory / "data" / "meta.properties").exists():
            return
        users = [part for user in self._scram for part in ("--add-scram", user)]
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._properties), *users]
        result = subprocess.run([*self._java(), *tool], capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode:
            raise ServerError(f"Apache Kafka could not format its storage:\n{(result.stdout + result.stderr)[-2000:]}")

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _all_settings(self) -> dict[str, str]:
        bound = ",".join(f"{name}://{address}" for name, address in self.addresses.items())
        protocols = {"CONTROLLER": "PLAINTEXT", **self._protocols}
        return {
            **_SETTINGS,
            "controller.quorum.voters": f"1@{self._controller}",
            "listeners": f"{bound},CONTROLLER://{self._controller}",
            "advertised.listeners": bound,
            "listener.security.protocol.map": ",".join(f"{name}:{value}" for name, value in protocols.items()),
            "log.dirs": str(self.directory / "data"),
            **self._settings,
        }

    def _java(self) -> list[str]:
        libraries = ":".join(sorted(str(jar) for jar in jars.fetch().glob("*.jar")))
        java = shutil.which("java") or "java"
        machine = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        places = [f"-Dkafka.logs.dir={self.directory}", f"-Djava.io.tmpdir={self.directory}"]  # nothing lies elsewhere
        return [java, *machine, *self.machine(), *places, "-cp", libraries]


class _Archiving(ApacheKafka):
    """A broker that leaves the classes which it has loaded, as Java maps them, when it ends."""

    def command(self) -> Sequence[str]:
        java, *rest = super().command()
        return [java, f"-XX:ArchiveClassesAtExit={self.directory / _CLASSES}", *rest]

    def machine(self) -> Sequence[str]:
        return ()


def _archive_classes(to: Path) -> None:
    """Run a broker once for its classes: every other one starts in half of the time.

    A machine that cannot leave them gets an empty file, so that it is not asked again; Java passes it over.
    """
    with (to.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if to.exists():  # another process was first
            return
        with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
            broker = _Archiving(Path(scratch)).start()
            broker.stop(_ARCHIVE_S)
            left = broker.directory / _CLASSES
            left.touch()
            left.rename(to)
