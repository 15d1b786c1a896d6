"""Fetch the jars of Apache Kafka once, by Maven, into the virtual environment."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from ampeld.demo.process import ServerError

VERSION = "4.1.1"
"""The version of Kafka that `pom.xml` names."""

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


def available() -> bool:
    """Tell whether this machine has what the Apache broker needs: java and mvn, or java and the jars."""
    return shutil.which("java") is not None and (shutil.which("mvn") is not None or cache_directory().is_dir())


def cache_directory() -> Path:
    """Return where the jars are kept."""
    return Path(sys.prefix) / "share" / "ampeld" / f"kafka-{VERSION}"


def fetch() -> Path:
    """Return the directory of the jars, filled by ``mvn`` the first time.

    Raises
    ------
    ServerError
        If java or mvn is missing, or mvn fails.
    """
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None and not (tool == "mvn" and cache_directory().is_dir()):
            raise ServerError(f"an embedded Apache Kafka needs java (17 or newer) and mvn, and there is no {tool}")
    target = cache_directory()
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            fetched = Path(scratch) / "libs"
            _copy_dependencies(fetched)
            _move(fetched, target)
    return target


def _copy_dependencies(to: Path) -> None:
    with as_file(files("ampeld.demo") / "pom.xml") as pom:
        options = ["-B", "-q", "-f", str(pom), "-DincludeScope=runtime", f"-DoutputDirectory={to}"]
        result = subprocess.run(  # noqa: S603  our own command
            [shutil.which("mvn") or "mvn", *options, _PLUGIN], capture_output=True, text=True, check=False
        )
    if result.returncode or not any(to.glob("kafka_*.jar")):
        raise ServerError(f"mvn could not fetch Apache Kafka {VERSION}:\n{(result.stdout + result.stderr)[-2000:]}")


def _move(fetched: Path, target: Path) -> None:
    try:
        os.rename(fetched, target)  # noqa: PTH104  atomic, and it fails where another process was first
    except OSError:
        if not target.is_dir():
            raise
