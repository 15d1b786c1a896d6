"""The status page: a few words of HTTP on localhost or a unix socket, and nothing that an attacker could lean on.

Only GET, only four paths, no query, no body, one answer per connection; connections, header bytes and seconds bounded.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import orjson
import structlog

from ampeld.daemon.rules import socket_path, split_address

MOST_CONNECTIONS = 64
MOST_HEADER_BYTES = 8192
TIMEOUT_S = 5.0

log = structlog.get_logger("ampeld.status")

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Pages(msgspec.Struct, frozen=True):
    """Where the answers come from."""

    live: Callable[[], bool]
    """Whether the process is not stuck."""
    ready: Callable[[], bool]
    """Whether alerts flow or could: joined, the store answers, not draining."""
    status: Callable[[], dict[str, Any]]
    metrics: Callable[[], bytes]


@asynccontextmanager
async def serve_status(listen: str, instance: str, pages: Pages) -> AsyncIterator[None]:
    """Serve the status page while the block runs.

    Where the address cannot be had, alerts matter more than their page: a warning says so, and the daemon goes on.
    """
    if not listen:
        yield
        return
    handler = _Handler(pages)
    address = listen.replace("{instance}", instance)
    try:
        server = await _listen(address, handler)
    except OSError as error:
        log.warning("status.unavailable", listen=address, error=error.strerror or str(error))
        yield
        return
    try:
        yield
    finally:
        server.close()
        await handler.close()
        if path := socket_path(address):
            with contextlib.suppress(OSError):
                Path(path).unlink()  # noqa: ASYNC240  a name in a directory in memory


async def _listen(address: str, handler: "_Handler") -> asyncio.Server:
    path = socket_path(address)
    if path is not None:
        return await asyncio.start_unix_server(handler, sock=_bind(Path(path)), limit=MOST_HEADER_BYTES)
    parts = split_address(address)
    assert parts is not None, f"{address!r} was checked with the settings"
    return await asyncio.start_server(handler, *parts, limit=MOST_HEADER_BYTES)


def _bind(path: Path) -> socket.socket:
    """Return a socket at this path, in place of one that a killed process left; never of one that is answered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket() and not _is_answered(path):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
        path.chmod(0o660)  # whoever is in our group may ask; nobody can before it listens
    except OSError:
        bound.close()
        raise
    return bound


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class _Handler:
    """Answers one request per connection."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def close(self) -> None:
        """Drop every connection, and wait for its task, which nobody else does."""
        for writer in self._writers:
            writer.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S):
                await self._idle.wait()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, answer it, close."""
        if len(self._writers) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._writers.add(writer)
        self._idle.clear()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except asyncio.LimitOverrunError:
            writer.write(_response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
            writer.close()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            if not self._writers:
                self._idle.set()

    def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST)
        method, path, _ = words
        page = _PAGES.get(path)
        if page is None:
            return _response(HTTPStatus.NOT_FOUND)
        return page(self._pages) if method == b"GET" else _response(HTTPStatus.METHOD_NOT_ALLOWED, allow="GET")


def _yes_or_no(answer: bool) -> bytes:
    status = HTTPStatus.OK if answer else HTTPStatus.SERVICE_UNAVAILABLE
    return _response(status, b"yes\n" if answer else b"no\n")


def _response(status: HTTPStatus, body: bytes | None = None, kind: str = _TEXT, *, allow: str | None = None) -> bytes:
    content = f"{status.phrase}\n".encode() if body is None else body
    head = [f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    head += ["Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff"]
    head += [f"Allow: {allow}"] if allow else []
    return "\r\n".join([*head, "", ""]).encode() + content


_PAGES: dict[bytes, Callable[[Pages], bytes]] = {
    b"/live": lambda pages: _yes_or_no(pages.live()),
    b"/ready": lambda pages: _yes_or_no(pages.ready()),
    b"/status": lambda pages: _response(HTTPStatus.OK, orjson.dumps(pages.status(), default=str), _JSON),
    b"/metrics": lambda pages: _response(HTTPStatus.OK, pages.metrics(), _METRICS),
}
