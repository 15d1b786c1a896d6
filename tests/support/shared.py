"""Where the shared data lies: real alerts and AMPEL's own numbers for them."""

import os
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parents[2]


def shared(*parts: str) -> Path:
    """Return a path of the shared data, or skip the test visibly where there is none."""
    root = Path(os.environ.get("AMPELD_SHARED", _PROJECT.parent / "shared"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs the shared data: {path} is not there; set AMPELD_SHARED")
    return path
