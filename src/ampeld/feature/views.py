"""What units measure beside light curves: a point, and an object."""

from collections.abc import Mapping
from typing import Any

import msgspec


class PointView(msgspec.Struct, frozen=True):
    """One stored point."""

    survey: str
    """``ztf`` or ``lsst``."""
    id: int
    jd: float
    """[JD, UTC]."""
    tag: tuple[str, ...]
    body: Mapping[str, Any]
    """The survey's own fields."""


class ObjectView(msgspec.Struct, frozen=True):
    """One object, as it is known now."""

    survey: str
    stock: int
    name: tuple[str, ...]
    tag: tuple[str, ...]
    channel: tuple[str, ...]
    """Which channels hold it."""
    state: Mapping[str, Mapping[str, Any]]
    """By channel: ``link``, ``alert`` and ``jd`` of its newest state."""
    known: Mapping[str, float]
    """By channel: the lowest jd at which its own filter accepted the object."""
