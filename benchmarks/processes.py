"""What a process and its children take: processor seconds and memory, as the kernel counts them."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_EVERY_S = 0.5


def family(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    found = [pid]
    for member in found:
        try:
            children = [task / "children" for task in Path(f"/proc/{member}/task").iterdir()]
            found += [int(child) for path in children for child in path.read_text().split()]
        except OSError:
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """Return what a process, its living descendants and those that it waited for have used."""
    ticks = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks * _TICK_S


def wait_quiet(*pids: int) -> None:
    """Return once processes have used less than a tenth of a processor for a second: whatever they start has started.

    On a machine that is busy otherwise, after half a minute.
    """
    for _ in range(30):
        before = sum(map(cpu_seconds, pids))
        time.sleep(1.0)
        if sum(map(cpu_seconds, pids)) - before < 0.1 * len(pids):
            return


def pss_mb(pid: int) -> float:
    """Return the memory of a process and its descendants [MB], shared pages counted once (PSS)."""
    kilobytes = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


class MemoryWatch:
    """Samples the memory of processes twice a second while the block runs."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self.samples: list[float] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory")

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            if total := sum(map(pss_mb, self._pids)):
                self.samples.append(total)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def peak(self) -> float:
        """Return the largest sample [MB], 0 without any."""
        return max(self.samples, default=0.0)


def growth(samples: Sequence[float]) -> float:
    """Return by what part the last quarter of samples lies above the second one."""
    quarter = len(samples) // 4
    if not quarter:
        return 0.0
    before, behind = samples[quarter : 2 * quarter], samples[-quarter:]
    return (sum(behind) / len(behind)) / (sum(before) / len(before)) - 1
