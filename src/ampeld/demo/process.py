"""A server as a child process that cannot outlive us: start, stop, kill, freeze and thaw it on one port."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from ampeld.errors import AmpeldError

# The kernel sends the signal of PR_SET_PDEATHSIG (1) when the parent *thread* ends, so one thread starts all servers.
_SPAWNER = ThreadPoolExecutor(1, thread_name_prefix="server-spawner")

# Set in the child between fork and exec by an interpreter of its own: `preexec_fn` is unsafe where threads exist.
_BIND_TO_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServerError(AmpeldError):
    """An embedded server cannot run here, did not start or died: exit 69."""


def free_port() -> int:
    """Return a TCP port that nobody listens on, outside the range of outgoing connections.

    Within that range a client that retries against a stopped server can connect to itself and hold the port.
    """
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)  # noqa: S311  no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerError("no TCP port is free between 20000 and 32000")


class ServerProcess(ABC):
    """One server on 127.0.0.1 with its data and log in one directory.

    Starting again after `stop` or `kill` uses the same port and the same data.

    Parameters
    ----------
    directory
        Where data and log lie; made when missing, never removed by itself (see `remove`).
    port
        TCP port, a free one by default.
    """

    name = "server"
    start_timeout_s = 60.0

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.directory = Path(directory).absolute()
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return ``host:port``."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return the file that holds what the server says."""
        return self.directory / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Return the process number of the running server."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Tell whether the process exists (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line, program first as an absolute path."""

    def prepare(self) -> None:  # noqa: B027  most servers need nothing
        """Make the data directory fit for `command`; called before every start."""

    def wait_ready(self) -> None:
        """Return when the server does its work.

        Raises
        ------
        ServerError
            If it ends or does not answer in time; the message holds the tail of its log.
        """
        self.wait_until(self.accepts)

    def accepts(self) -> bool:
        """Tell whether the port accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def launch(self) -> None:
        """Start the process without waiting for it."""
        if self.alive:
            raise ServerError(f"{self.name} runs already on port {self.port}")
        if self.accepts():
            raise ServerError(f"port {self.port} is taken: {self.name} cannot listen on it")
        self.directory.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self._process = _SPAWNER.submit(self._spawn).result()

    def start(self) -> Self:
        """Start the process and wait until it is ready."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, timeout_s: float = 20.0) -> None:
        """End the process as an operator does (SIGTERM), by force after the time given."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a frozen process would not see the other one
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the process as the out-of-memory killer does (SIGKILL)."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop if running, then start with the same data on the same port."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop the process in its tracks (SIGSTOP): connections stay open and nobody answers.

        A signal is only sent by then; on a busy machine the process's threads go on answering until each of them has
        had a turn to stop. So this waits until the kernel says that all have.
        """
        process = self._running()
        os.killpg(process.pid, signal.SIGSTOP)
        stopped = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        self.wait_until(lambda: os.waitid(os.P_PID, process.pid, stopped) is not None)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.killpg(self._running().pid, signal.SIGCONT)

    def remove(self) -> None:
        """Kill the process and remove its directory with all data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def check_alive(self) -> None:
        """Raise `ServerError`, with the tail of the log, if the process has ended by itself."""
        if self._process is not None and (code := self._process.poll()) is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ServerError(f"{self.name} {how}; the end of its log:\n{self.log_tail()}")

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines that the server wrote."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"  {line[:400]}" for line in text.splitlines()[-lines:]) or "  (empty)"

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Poll a predicate until it holds, minding death and time."""
        end = time.monotonic() + self.start_timeout_s
        while not ready():
            self.check_alive()
            if time.monotonic() > end:
                raise ServerError(
                    f"{self.name} did not answer within {self.start_timeout_s:.0f} s; the end of its log:\n"
                    f"{self.log_tail()}"
                )
            time.sleep(0.02)

    def _spawn(self) -> subprocess.Popen[bytes]:
        launcher = [sys.executable, "-ISc", _BIND_TO_PARENT, str(os.getpid())]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  our own command
                [*launcher, *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for us, who then stop the servers in order
            )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerError(f"{self.name} does not run")
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._running().pid, number)
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
