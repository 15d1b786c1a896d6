"""The nursery: a process that loads the channels, judges nothing, and forks the workers that do."""

import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.guard import STDERR, STDOUT, die_with_parent
from ampeld.daemon.isolation.loading import Loaded, load
from ampeld.daemon.isolation.messages import (
    LENGTH,
    MEASURE,
    Down,
    Ended,
    Facts,
    Fork,
    Forked,
    Loading,
    Ready,
    Reap,
    Refused,
    Role,
    Setup,
    Up,
    frame,
    length_of,
    read_down,
)
from ampeld.daemon.isolation.worker import Worker
from ampeld.daemon.measuring.worker import MeasuringWorker

CONTROL: Final = 0
"""The descriptor under which the nursery finds the socket to the daemon: in the place of its standard input."""
_MOST_FDS: Final = 16
_REAP_S: Final = 5.0


def main() -> None:
    """Load what the daemon names, then fork at its word until it closes the socket."""
    die_with_parent(int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the daemon decides when this ends: it drains first
    control = socket.socket(fileno=os.dup(CONTROL))
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  a file without a path
        os.dup2(nothing.fileno(), CONTROL)
    faulthandler.enable(all_threads=False)  # a module that crashes, or is aborted because it does not end, is named
    setup, _ = _receive(control)
    assert isinstance(setup, Setup)
    try:
        loaded = load(setup.files, Path(setup.catalogs), lambda number: _send(control, Loading(number)))
    except ChannelsRefusedError as error:
        _send(control, Refused(dict(error.by_channel)))
        return
    _send(control, Ready([_facts(channel) for channel in loaded.channels]))
    sys.stdout.flush()  # else every worker would inherit, and print, what the modules said
    sys.stderr.flush()
    gc.collect()
    gc.freeze()  # a collection in a worker would touch, and so copy, every page that it shares with us
    _serve(control, setup, loaded)


def _serve(control: socket.socket, setup: Setup, loaded: Loaded) -> None:
    while True:
        message, fds = _receive(control)
        match message:
            case Fork(role):
                pid = os.fork()
                if not pid:
                    control.close()
                    _become_worker(role, setup, loaded, fds)
                for fd in fds:
                    os.close(fd)
                _send(control, Forked(pid))
            case Reap(pid):
                _send(control, Ended(_reap(pid)))
            case _:
                return


def _become_worker(role: Role, setup: Setup, loaded: Loaded, fds: list[int]) -> None:
    code = os.EX_SOFTWARE
    try:
        if role == MEASURE:
            # Standard output and error of its own: the log tells what a unit writes from what a filter does.
            os.dup2(int(sys.argv[2]), STDOUT)
            os.dup2(int(sys.argv[2]), STDERR)
        make = MeasuringWorker if role == MEASURE else Worker
        worker = make(setup, loaded, fds)  # kept, so that its socket is not closed before the process has ended
        worker.run()
        code = os.EX_OK
    except BaseException:  # noqa: BLE001  whatever it is, this process ends here, and the daemon reads why
        with contextlib.suppress(OSError, ValueError):
            os.write(STDERR, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)


def _facts(channel: Channel) -> Facts:
    cls = type(channel.filter)
    return Facts(
        name=channel.name,
        version=channel.version,
        contact=channel.contact,
        access=sorted(channel.access),
        on_known=channel.on_known,
        survey=channel.survey,
        limits=channel.limits,
        path=str(channel.path),
        filter=f"{cls.__module__}:{cls.__qualname__}",
        features=channel.features,
    )


def _reap(pid: int) -> int | None:
    """Return how a killed worker ended, None if it does not end: it waits for a disk, say."""
    until = time.monotonic() + _REAP_S
    while time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status
        time.sleep(0.001)
    return None


def _receive(control: socket.socket) -> tuple[Down | None, list[int]]:
    """Return the next message with its descriptors; None when the daemon has closed the socket."""
    head, fds, _, _ = socket.recv_fds(control, LENGTH.size, _MOST_FDS)
    data = bytearray()
    while head and len(head) < LENGTH.size:
        head += control.recv(LENGTH.size - len(head))
    if not head:
        return None, fds
    length = length_of(head)
    while len(data) < length:
        part = control.recv(length - len(data))
        if not part:
            return None, fds
        data += part
    return read_down(bytes(data)), fds


def _send(control: socket.socket, message: Up) -> None:
    control.sendall(frame(message))


if __name__ == "__main__":
    main()
