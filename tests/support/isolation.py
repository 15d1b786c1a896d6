"""Channels that misbehave, in files of their own, and batches for them: for tests of the filter process."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fakes.table import packet

from ampeld.alert.table_packets import PacketTable
from ampeld.daemon.files import ChannelFiles
from ampeld.flow.record import Batch, Record
from ampeld.stages.values import Decoded

HEAD = """
import ctypes, os, signal, sys, threading, time
import numpy as np
from ampeld.channel import Filter

class It(Filter):
"""

GOOD = """
    def cuts(self, a):
        yield "bright", a.magpsf < 19.0
        yield "odd", a.candid % 2 == 1
"""


ON_104 = """
    def cuts(self, a):
        yield "bright", a.magpsf < 19.0

    def accept(self, alert):
        if alert.candid == 104:
            {}
        return alert.candid % 2 == 1
"""
"""As `GOOD` judges, but for what it does to alert 104."""

IN_CUTS = """
    def cuts(self, a):
        if (a.candid.values == 104).any():
            {}
        yield "bright", a.magpsf < 19.0
        yield "odd", a.candid % 2 == 1
"""
"""The same, done where alert 104 is among the batch."""


def channel_files(name: str, body: str = GOOD, *, access: str = "ZTF_PUB", head: str = HEAD) -> ChannelFiles:
    """Return a channel whose filter class has this body."""
    text = f'filter = "{name}.py:It"\ncontact = "{name}@example.org"\naccess = ["{access}"]\n'
    return ChannelFiles(name, f"/channels/{name}.toml", text, {f"{name}.py": head + body})


def set_of(bodies: Mapping[str, str], more: str = "") -> list[ChannelFiles]:
    """Return channels by name: of the given bodies, and what stands behind the class."""
    return [channel_files(name, body + more) for name, body in sorted(bodies.items())]


def batch(n: int = 16, *, private: tuple[int, ...] = ()) -> Decoded:
    """Return alerts with candids from 100 on, two of magnitude 18, two of 20 and so on, some of the partnership."""
    packets = [
        packet(candid=100 + i, magpsf=18.0 + i // 2 % 2 * 2, programid=2 if i in private else 1) for i in range(n)
    ]
    records = [Record(topic="topic", partition=0, offset=i, value=b"", after=i, through=i) for i in range(n)]
    return Decoded(Batch(records, [], 0.0), PacketTable(packets, ["schema"] * n), range(n), [])


def filter_processes(daemon: int | None = None) -> list[int]:
    """Return what is alive of the filter processes that a process has started, by default this one."""
    cookie = b"\0AMPELD_FILTERS=%d-" % (daemon or os.getpid())
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0] if entry.name.isdigit() else "Z"
            if state != "Z" and cookie in b"\0" + (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
