"""A worker: judges batch after batch with the channels that it was forked with, and says where it is meanwhile."""

import time

import numpy as np
from numpy.typing import NDArray

from ampeld.alert.table import AlertTable
from ampeld.channel.family import Families
from ampeld.channel.judge import RowFailure
from ampeld.channel.panel import Panel
from ampeld.daemon.isolation.loading import Loaded, learn
from ampeld.daemon.isolation.marker import NOWHERE
from ampeld.daemon.isolation.messages import Answer, Cutout, Failed, Result, Setup, Task, Wanted
from ampeld.daemon.isolation.segment import Attached
from ampeld.daemon.isolation.station import Station
from ampeld.flow.verdict import SKIPPED

LONG_NS = 200_000
"""Who takes less in a batch has no time to take much memory: to look costs as much as a cheap channel does."""
LOW = 8
"""Below this part of the memory limit nobody looks at who took less time than that."""


class Worker:
    """The forked process.

    Parameters
    ----------
    setup
        The limits.
    loaded
        The channels, never judged with before.
    fds
        The socket, the marker's memory, and the segments' in their order.
    """

    def __init__(self, setup: Setup, loaded: Loaded, fds: list[int]) -> None:
        self._station = Station(fds)
        self._marker = self._station.marker
        self._segments = [Attached(fd) for fd in fds[2:]]
        self._channels = loaded.channels
        self._catalogs = loaded.catalogs
        self._families = Families([(channel.filter, channel.cut_names) for channel in loaded.channels])
        self._told = [len(channel.cut_names) for channel in loaded.channels]
        self._texts: dict[str, int] = {}
        self._memory = self._station.wall_in(setup.limits.memory_mb, "filter")
        self._began_kb = self._now_kb = self._memory.kb()
        self._low_kb = self._began_kb + setup.limits.memory_mb * 1024 // LOW

    def run(self) -> None:
        """Judge until the daemon closes the socket."""
        while (task := self._station.receive()) is not None:
            if isinstance(task, Task):
                self._station.send(self._answer(task))

    def _answer(self, task: Task) -> Answer:
        self._texts = {}
        self._marker.begin(task.serial)
        if not task.sizes:
            return Answer(task.serial, b"", [self._learn(index) for index in task.channels], list(self._texts), 0, [])
        self._now_kb = self._memory.kb()
        memory_kb = self._now_kb - self._began_kb
        table = self._segments[task.segment].take(task.sizes)
        codes = np.full((len(task.channels), len(table)), SKIPPED, dtype="<u2")
        if task.rows is None:
            panel = Panel(table, self._catalogs, cutouts=self._fetch_cutout, families=self._families)
            results = [self._whole(index, panel, codes[i]) for i, index in enumerate(task.channels)]
        else:
            results = [self._each(index, table, task.rows, codes[i]) for i, index in enumerate(task.channels)]
        return Answer(task.serial, codes.tobytes(), results, list(self._texts), memory_kb, list(table.asked))

    def _learn(self, index: int) -> Result:
        """Let one channel teach its cut names."""
        began = time.monotonic_ns()
        self._marker.enter(index, NOWHERE, began)
        error = learn(self._channels[index], self._catalogs)
        self._station.look_round()
        return self._finish(index, [] if error is None else [RowFailure(0, error, "")], began)

    def _whole(self, index: int, panel: Panel, codes: NDArray[np.uint16]) -> Result:
        """Ask one channel about all alerts together."""
        began = time.monotonic_ns()
        self._marker.enter(index, NOWHERE, began)
        judgement = panel.judge(self._channels[index])
        self._station.look_round()
        codes[:] = judgement.codes
        return self._finish(index, judgement.failures, began)

    def _each(self, index: int, table: AlertTable, rows: list[int], codes: NDArray[np.uint16]) -> Result:
        """Ask one channel about one alert after the other, so that a death tells on which."""
        began = time.monotonic_ns()
        failures: list[RowFailure] = []
        for row in rows:
            self._marker.enter(index, row, began)
            judgement = Panel(table, self._catalogs, rows=[row], cutouts=self._fetch_cutout).judge(
                self._channels[index]
            )
            self._station.look_round()
            codes[row] = judgement.codes[row]
            failures += judgement.failures
        return self._finish(index, failures, began)

    def _finish(self, index: int, failures: list[RowFailure], began: int) -> Result:
        ns = time.monotonic_ns() - began
        self._marker.leave()
        printed, characters = self._station.capture.take()
        before_kb = self._now_kb
        if ns > LONG_NS or before_kb > self._low_kb:
            self._now_kb = self._memory.kb()
        names = self._channels[index].cut_names
        told, self._told[index] = self._told[index], len(names)
        return Result(
            channel=index,
            cuts=names.names[told:] if len(names) > told else [],
            failures=[Failed(f.row, f.error, self._text(f.traceback)) for f in failures],
            ns=ns,
            grown_kb=self._now_kb - before_kb,
            printed=printed,
            printed_characters=characters,
        )

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _fetch_cutout(self, candid: int, name: str) -> bytes | None:
        self._station.send(Wanted(candid, name))
        answer = self._station.receive()
        assert isinstance(answer, Cutout)  # the daemon asks nothing while it waits for our answer
        return answer.data
