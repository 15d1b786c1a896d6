"""Tell systemd how the service is: datagrams to ``$NOTIFY_SOCKET``, nothing where there is none."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends states to the service manager and says how often it wants to hear from us.

    Parameters
    ----------
    environ
        The environment as systemd left it: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC``, ``WATCHDOG_PID``.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # a leading @ stands for the zero byte of an abstract socket
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._environ = environ

    @property
    def watchdog_s(self) -> float | None:
        """Return the interval at which `alive` is to be called: half the limit; None when nobody watches."""
        try:
            limit_us = int(self._environ.get("WATCHDOG_USEC", ""))
        except ValueError:
            return None
        watched = self._environ.get("WATCHDOG_PID", str(os.getpid()))
        return limit_us / 2e6 if self._address and limit_us > 0 and watched == str(os.getpid()) else None

    def ready(self) -> None:
        """Say that the service has started."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """Say that the process is not stuck."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is on its way out."""
        self._send("STOPPING=1")

    def extend(self, seconds: float) -> None:
        """Ask for this much more time before a start or stop counts as failed."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            ) as datagrams:
                datagrams.sendto(message.encode(), self._address)
        except OSError:
            return  # the manager is restarting or gone: the service goes on without it
