"""A schema registry for tests: a real HTTP server whose answers, and silences, the test decides."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, bytes]


def known(text: bytes) -> Answer:
    """Return the answer that holds a schema."""
    return 200, json.dumps({"schema": text.decode()}).encode()


UNKNOWN: Answer = (404, b'{"error_code":40403,"message":"Schema not found"}')


class Registry:
    """Answers by schema number; ``asked`` are the paths that were asked for, ``headers`` those of the last question.

    ``before`` is called with the number before each answer: it may change what is answered.
    """

    def __init__(self, server: ThreadingHTTPServer, answers: dict[int, Answer]) -> None:
        self._server = server
        self.answers = answers
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.before: Callable[[int], None] = lambda _: None

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_registry(answers: dict[int, Answer], port: int = 0) -> Iterator[Registry]:
    """Run a registry while the block runs; at a port that is given, one that was away comes back."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            registry.headers = dict(self.headers.items())
            number = int(self.path.rpartition("/")[2] or 0)
            registry.before(number)
            status, body = registry.answers.get(number, UNKNOWN)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    registry = Registry(server, dict(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
