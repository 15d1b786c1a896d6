"""The real ZTF alerts of the shared data, and AMPEL's own numbers for them."""

import functools
import json
import tarfile
from pathlib import Path
from typing import Any

from support.shared import shared

TARBALLS = ("ZTF18abxhyqv", "ztf_public_20180819_mod1000")


@functools.cache
def _tarball(path: Path) -> dict[int, bytes]:
    with tarfile.open(path) as archive:
        members = [(member, archive.extractfile(member)) for member in archive]
        return {int(Path(member.name).stem): file.read() for member, file in members if file is not None}


def tarball(name: str) -> dict[int, bytes]:
    """Return the payloads of one tarball by candid, in its order."""
    return _tarball(shared("data", "ztf", f"{name}.tar.gz"))


def golden(name: str) -> dict[str, Any]:
    """Return what AMPEL made of one tarball."""
    return json.loads(shared("data", "golden", f"{name}.json").read_bytes())


def real_alerts() -> list[bytes]:
    """Return every real alert, schemas 3.0 to 4.01."""
    files = sorted(shared("data", "ztf").glob("v*/*.avro"))
    return [*(path.read_bytes() for path in files), *(value for name in TARBALLS for value in tarball(name).values())]
