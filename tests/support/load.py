"""Work that keeps coming while something else happens: a thread that produces one made-up night after the other."""

import threading
from types import TracebackType
from typing import Self

from support.streams import Sent, night, produce


class Load:
    """A context in which alerts arrive; ``sent`` is complete after it."""

    def __init__(
        self, bootstrap: str, topic: str, *, partitions: int, spread: bool = True, every_s: float = 0.3
    ) -> None:
        self.sent: list[Sent] = []
        self._produce = (bootstrap, topic)
        self._places = {"partitions": partitions, "spread": spread}
        self._every_s = every_s
        self._ending = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="load")

    def _run(self) -> None:
        number = 0
        try:
            while not self._ending.wait(self._every_s):
                messages = night(1000 + number, objects=5, visits=6, first=1000 + 5 * number)
                self.sent += produce(*self._produce, messages, **self._places)
                number += 1
        except Exception as error:  # noqa: BLE001  raised where the context ends
            self._failure = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the producer hangs"
        if self._failure is not None and error is None:
            raise self._failure
