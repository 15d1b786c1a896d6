"""AMPEL's released T0 on the same alerts in the same run, where an environment with it is given."""

import pickle
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_RATE = re.compile(r"AMPEL \d+ alerts, \d+ channels: (\d+)/s")


class Peer:
    """AMPEL in an environment of its own.

    Parameters
    ----------
    venv
        The environment; the configuration that ``ampel config build`` made lies beside it.
    script
        What runs its alert consumer: ``SCRIPT SOURCE CHANNELS MIN_RB MONGO_URI``.
    """

    def __init__(self, venv: Path, script: Path) -> None:
        self._python = venv.absolute() / "bin" / "python"
        self._script = script.absolute()
        self._directory = venv.absolute().parent
        for needed in (self._python, self._script, self._directory / "conf.yml"):
            if not needed.exists():
                raise SystemExit(f"{needed} is missing: AMPEL cannot be run")

    def rate(self, packets: Sequence[bytes], *, channels: int, min_rb: float, mongodb: str, directory: Path) -> float:
        """Return alerts per second of channels that reject by nothing but ``rb < min_rb``."""
        source = directory / "peer.pkl"
        source.write_bytes(pickle.dumps(list(packets)))
        command = [str(self._python), str(self._script), str(source), str(channels), str(min_rb), mongodb]
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, check=False)
        found = _RATE.search(done.stdout)
        if found is None:
            raise SystemExit(f"AMPEL failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return float(found[1])
