"""A decoder that learns the schemas of framed alerts before it needs them; a registry that is away is waited for."""

import asyncio
from collections.abc import Callable, Sequence

import stamina
import structlog

from ampeld.alert.decode import Decoder
from ampeld.alert.frames import Frames
from ampeld.errors import InvariantError, PoisonError, RetryableError
from ampeld.stages.ports import Schemas

REFUSED_S = 60.0
"""How long it holds that there is no schema of a number: it may be registered later."""
AT_ONCE = 16
"""Questions on their way: damaged frames name any number."""
MAX_WAIT_S = 10.0

log = structlog.get_logger("ampeld.decode")


def _nobody(_: str | None) -> None:
    """Hear nothing."""


class Reader:
    """A decoder and who knows the schemas that it does not.

    Parameters
    ----------
    decoder
        Its survey says whether alerts are framed at all.
    schemas
        Who is asked; None where no frames come.
    """

    def __init__(self, decoder: Decoder, schemas: Schemas | None = None) -> None:
        self.decoder = decoder
        self.on_trouble: Callable[[str | None], None] = _nobody
        """Told why nobody answers, and None when somebody does again."""
        self._frames = decoder.frames if schemas is not None else None
        self._schemas = schemas
        self._refused: dict[int, float] = {}
        self._asked = asyncio.Semaphore(AT_ONCE)
        self._troubled = False

    async def prepare(self, values: Sequence[bytes]) -> None:
        """Learn of every schema that these payloads need what it is, or that there is none."""
        if self._frames is None or self._schemas is None:
            return
        if self._refused:
            self._forget_refusals(self._frames)
        unknown = self._frames.unknown(values)
        if unknown:
            async with asyncio.TaskGroup() as tasks:
                for number in sorted(unknown):
                    tasks.create_task(self._learn(number, self._frames, self._schemas), name=f"schema-{number}")

    def _forget_refusals(self, frames: Frames) -> None:
        now = asyncio.get_running_loop().time()
        for number in [number for number, since in self._refused.items() if now - since > REFUSED_S]:
            del self._refused[number]
            frames.forget(number)

    async def _learn(self, number: int, frames: Frames, schemas: Schemas) -> None:
        async with self._asked:
            try:
                frames.learn(number, await self._ask(number, schemas))
            except PoisonError as error:
                log.warning("schema.unknown", number=number, error=str(error))
                self._refused[number] = asyncio.get_running_loop().time()
                frames.refuse(number, str(error))
            if self._troubled:
                self._troubled = False
                self.on_trouble(None)

    async def _ask(self, number: int, schemas: Schemas) -> bytes:
        """Ask again and again until there is an answer: the trouble is waited out, it never costs an alert."""
        async for attempt in stamina.retry_context(
            on=RetryableError, attempts=None, timeout=None, wait_initial=0.2, wait_max=MAX_WAIT_S
        ):
            with attempt:
                try:
                    return await schemas.find(number)
                except RetryableError as error:
                    self._troubled = True
                    log.warning("schema.unavailable", number=number, error=str(error))
                    self.on_trouble(str(error))
                    raise
        raise InvariantError("a retry without end has ended")
