"""A proxy before mongod that lets writes pass and cuts the connection instead of handing back the answer."""

import socket
import struct
import threading
import time
from typing import Self

_WRITES = (b"\x02insert\x00", b"\x02update\x00")


class CuttingProxy:
    """Listens on a port of its own; every so many answers to a write are never delivered.

    Parameters
    ----------
    target
        ``host:port`` of the server.
    every
        Each so many answered writes the cutting begins.
    for_s
        How long it lasts: longer than the driver's own retries, so that it is ours that have to cope.
    """

    def __init__(self, target: str, *, every: int, for_s: float) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._every = every
        self._for_s = for_s
        self._until = 0.0
        self._writes = 0
        self.cuts = 0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, name="proxy", daemon=True)

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            threading.Thread(target=self._serve, args=(client, server), name="proxied", daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        # One connection is one question and one answer at a time, but for the monitor's stream of answers.
        try:
            while (question := _message(client)) is not None:
                server.sendall(question)
                if b"exhaustAllowed" in question or b"\x08awaitable" in question or b"topologyVersion" in question:
                    self._stream(client, server)
                    return
                answer = _message(server)
                if answer is None:
                    return
                if any(write in question for write in _WRITES) and self._is_cut():
                    return
                client.sendall(answer)
        except OSError:
            return
        finally:
            client.close()
            server.close()

    def _stream(self, client: socket.socket, server: socket.socket) -> None:
        while (answer := _message(server)) is not None:
            client.sendall(answer)

    def _is_cut(self) -> bool:
        with self._lock:
            if time.monotonic() >= self._until:
                self._writes += 1
                if self._writes % self._every == 0:
                    self._until = time.monotonic() + self._for_s
            cut = time.monotonic() < self._until
            self.cuts += cut
            return cut


def _message(source: socket.socket) -> bytes | None:
    """Return one message of MongoDB's protocol, None at the end of the connection."""
    head = _exactly(source, 4)
    if head is None:
        return None
    rest = _exactly(source, struct.unpack("<i", head)[0] - 4)
    return None if rest is None else head + rest


def _exactly(source: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = source.recv(min(size - len(data), 1 << 16))
        if not part:
            return None
        data += part
    return bytes(data)
