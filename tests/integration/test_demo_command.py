"""`ampeld demo` leaves no process behind, also when it is told to end in the middle."""

import os
import select
import signal
import subprocess
from pathlib import Path

import pytest
from support.daemons import COMMAND, until

CHANNELS = Path(__file__).parents[2] / "channels"


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_takes_servers_and_daemon_along(tmp_path: Path, number: signal.Signals) -> None:
    command = [COMMAND, "demo", "--alerts", "100", "--directory", "demo", "--channels", str(CHANNELS)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as demo:
        log = tmp_path / "demo" / "daemon.log"
        until(lambda: log.exists() and log.stat().st_size, 60, "the daemon runs")
        pidfds = [os.pidfd_open(pid) for pid in children(demo.pid)]
        assert len(pidfds) == 3
        demo.send_signal(number)
        assert demo.wait(20) != 0
        assert all(select.select([pidfd], [], [], 10.0)[0] for pidfd in pidfds)
        for pidfd in pidfds:
            os.close(pidfd)
    assert not (tmp_path / "demo" / "servers").exists()
