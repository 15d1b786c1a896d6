"""The status page answers four paths, and bears what the internet does to open ports."""

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ampeld.daemon import status
from ampeld.daemon.status import MOST_CONNECTIONS, MOST_HEADER_BYTES, Pages, serve_status

PAGES = Pages(live=lambda: True, ready=lambda: False, status=lambda: {"lag": 3}, metrics=lambda: b"ampeld_x 1\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "main.sock"


@asynccontextmanager
async def serving(path: Path, pages: Pages = PAGES) -> AsyncIterator[None]:
    async with serve_status(f"unix:{path.parent}/{{instance}}.sock", "main", pages):
        yield


async def ask(path: Path, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


def get(target: str, method: str = "GET") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("target", "code", "body"),
    [
        ("/live", 200, b"yes\n"),
        ("/ready", 503, b"no\n"),
        ("/metrics", 200, b"ampeld_x 1\n"),
        ("/status", 200, b'{"lag":3}'),
    ],
)
async def test_each_path_has_its_answer(path: Path, target: str, code: int, body: bytes) -> None:
    async with serving(path):
        found, headers, content = await ask(path, get(target))
    assert (found, content) == (code, body)
    assert int(headers["Content-Length"]) == len(body)


async def test_status_is_json(path: Path) -> None:
    async with serving(path):
        _, headers, content = await ask(path, get("/status"))
    assert headers["Content-Type"] == "application/json"
    assert json.loads(content) == {"lag": 3}


@pytest.mark.parametrize("target", ["/", "/../etc/passwd", "/live/", "/status?x=1", "http://x/live"])
async def test_other_paths_are_not_found(path: Path, target: str) -> None:
    async with serving(path):
        assert (await ask(path, get(target)))[0] == 404


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE", "get"])
async def test_only_get_is_allowed(path: Path, method: str) -> None:
    async with serving(path):
        found, headers, _ = await ask(path, get("/live", method))
    assert (found, headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\r\n\r\n", b"GET /live\r\n\r\n", b"GET  /live HTTP/1.1\r\n\r\n"])
async def test_what_is_no_http_is_a_bad_request(path: Path, request_: bytes) -> None:
    async with serving(path):
        assert (await ask(path, request_))[0] == 400


async def test_endless_headers_are_cut_off(path: Path) -> None:
    async with serving(path):
        assert (await ask(path, b"GET /live HTTP/1.1\r\nX: " + b"x" * 2 * MOST_HEADER_BYTES))[0] == 431


async def test_who_says_nothing_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "TIMEOUT_S", 0.01)
    async with serving(path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /li")
        assert await reader.read() == b""
        writer.close()


async def test_more_connections_than_allowed_are_dropped_and_others_answered(path: Path) -> None:
    async with serving(path):
        idle = [await asyncio.open_unix_connection(path) for _ in range(MOST_CONNECTIONS)]
        idle.append(await asyncio.open_unix_connection(path))
        assert await idle[-1][0].read() == b""
        idle[0][1].write(get("/live"))
        assert (await idle[0][0].read()).endswith(b"yes\n")
        for _, writer in idle:
            writer.close()


async def test_the_socket_is_for_owner_and_group_and_goes_with_the_daemon(path: Path) -> None:
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert not path.exists()


async def test_the_socket_of_a_killed_daemon_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serving(path):
        assert (await ask(path, get("/live")))[0] == 200


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


async def test_an_address_that_is_taken_does_not_stop_the_alerts(taken: str) -> None:
    async with serve_status(taken, "main", PAGES):
        pass


async def test_a_living_daemon_keeps_its_socket(path: Path) -> None:
    async with serving(path), serving(path, Pages(lambda: False, lambda: False, dict, bytes)):
        assert (await ask(path, get("/live")))[0] == 200


async def test_an_empty_address_serves_nothing() -> None:
    async with serve_status("", "main", PAGES):
        pass


async def test_a_port_answers_like_a_socket(taken: str) -> None:
    host, _, port = taken.partition(":")
    free = f"{host}:{int(port) + 1}"
    async with serve_status(free, "main", PAGES):
        reader, writer = await asyncio.open_connection(host, int(port) + 1)
        writer.write(get("/live"))
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
