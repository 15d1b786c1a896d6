"""systemd hears of every state, on both kinds of socket, and its absence is no trouble."""

import os
import socket
from pathlib import Path

import pytest

from ampeld.daemon.notify import Notifier


def listen(address: str) -> socket.socket:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(address)
    manager.settimeout(1)
    return manager


@pytest.mark.parametrize("abstract", [False, True])
def test_each_state_is_one_datagram(tmp_path: Path, abstract: bool) -> None:
    name = f"ampeld-test-{os.getpid()}"
    address = f"\0{name}" if abstract else str(tmp_path / "notify")
    with listen(address) as manager:
        notifier = Notifier({"NOTIFY_SOCKET": f"@{name}" if abstract else address})
        notifier.ready()
        notifier.status("two\nlines")
        notifier.alive()
        notifier.stopping()
        notifier.extend(2.5)
        assert [manager.recv(100) for _ in range(5)] == [
            b"READY=1",
            b"STATUS=two lines",
            b"WATCHDOG=1",
            b"STOPPING=1",
            b"EXTEND_TIMEOUT_USEC=2500000",
        ]


def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "absent")}).ready()


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_wants(environ: dict[str, str], interval_s: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/x", **environ}).watchdog_s == interval_s


def test_nobody_watches_without_a_socket() -> None:
    assert Notifier({"WATCHDOG_USEC": "30000000"}).watchdog_s is None
