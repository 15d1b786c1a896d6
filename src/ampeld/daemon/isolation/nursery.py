"""The daemon's hold on a nursery: start it with channels, fork workers from it, end it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.ending import words_of_status
from ampeld.daemon.isolation.link import Link, LinkClosedError
from ampeld.daemon.isolation.messages import (
    JUDGE,
    MEASURE,
    Down,
    Ended,
    Facts,
    Fork,
    Forked,
    Loading,
    NonsenseError,
    Ready,
    Reap,
    Refused,
    Role,
    Setup,
    frame,
)
from ampeld.daemon.isolation.output import Output
from ampeld.daemon.isolation.strays import COOKIE, kill_strays, kill_worker
from ampeld.errors import AmpeldError

LOAD_S: Final = 60.0
"""How long each channel may take to load."""
_BEGIN_S: Final = 60.0
AGAIN_S: Final = 5.0
"""After which a process that could not be had is tried again."""
_ANSWER_S: Final = 10.0

# What a filter may know of the daemon's environment: never its secrets.
_KEPT: Final = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV"})
_KEPT_PREFIXES: Final = ("PYTHON", "LC_", "LD_", "XDG_")
_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)

_EVENTS: Final[Mapping[Role, str]] = {JUDGE: "channels.output", MEASURE: "features.output"}
"""By what workers do: what the log calls what they write."""

# The kernel kills the nursery when the *thread* that started it ends, so one that lives as long as we do starts all.
_SPAWNER: Final = ThreadPoolExecutor(1, thread_name_prefix="nursery-spawner")


log = structlog.get_logger("ampeld.isolation")


class NurseryLostError(AmpeldError):
    """The nursery is gone, or does not answer: no new worker can be had from it."""


class Nursery:
    """A process in which every channel is loaded, and nothing is judged.

    Made by `open_nursery`.
    """

    def __init__(
        self, process: "subprocess.Popen[bytes]", control: socket.socket, cookie: str, outputs: Mapping[Role, Output]
    ) -> None:
        self.facts: list[Facts] = []
        self.outputs = outputs
        """By what workers do: what they write. What the nursery itself writes is among that of those who judge."""
        self._process = process
        self._control = control
        self._cookie = cookie
        self._link: Link | None = None
        self._turn = asyncio.Lock()
        self._workers: set[int] = set()
        self._owed = 0
        """Answers that have not come yet: more than one where somebody was stopped while waiting for theirs."""
        self._closed = False

    async def load(self, setup: Setup) -> None:
        """Let it load the channels.

        Raises
        ------
        ChannelsRefusedError
            If one of them cannot be loaded, or they take too long.
        """
        for output in self.outputs.values():
            output.follow()
        self._link = await Link.over(self._control)
        self._link.send(setup)
        at, within_s = setup.files, _BEGIN_S
        while True:
            try:
                message = await self._link.receive(within_s)
            except TimeoutError:
                self._process.send_signal(signal.SIGABRT)  # its last words name the line that does not end
                await self._process_end()
                raise self._refusal(at, f"is not loaded after {within_s:g} s") from None
            except (LinkClosedError, NonsenseError):
                raise self._refusal(at, f"cannot be loaded: {await self._end_words()}") from None
            match message:
                case Loading(channel) if 0 <= channel < len(setup.files):
                    at, within_s = setup.files[channel : channel + 1], LOAD_S
                case Ready(channels) if [each.name for each in channels] == [each.name for each in setup.files]:
                    self.facts = channels
                    return
                case Refused(problems):
                    raise ChannelsRefusedError(problems)
                case _:
                    raise self._refusal(at, "cannot be loaded: its process talks nonsense")

    async def fork(self, role: Role, fds: Sequence[int]) -> int:
        """Return the process of a new worker, which gets these descriptors."""
        async with self._turn:
            match await self._ask(Fork(role), fds):
                case Forked(pid):
                    self._workers.add(pid)
                    return pid
                case _:
                    raise NurseryLostError("the nursery talks nonsense")

    async def bury(self, pid: int) -> int | None:
        """Kill a worker and all that descends from it; return what ``waitpid`` says of its end, the first time."""
        if pid not in self._workers:  # it is in its grave, and its number may be another's
            return None
        kill_worker(pid)
        # In one turn with the strays: a worker that is forked meanwhile would be taken for one.
        async with self._turn:
            self._workers.discard(pid)
            try:
                match await self._ask(Reap(pid)):
                    case Ended(status):
                        return status
                    case _:
                        raise NurseryLostError("the nursery talks nonsense")
            finally:
                await asyncio.to_thread(kill_strays, self._cookie, {self._process.pid, *self._workers})

    async def close(self) -> None:
        """End it, and everything that descends from it; closing twice is closing once."""
        if self._closed:
            return
        self._closed = True
        if self._link is not None:
            self._link.close()
        else:
            self._control.close()
        self._process.kill()
        await self._process_end()
        await asyncio.to_thread(kill_strays, self._cookie, ())
        for output in self.outputs.values():
            output.close()

    async def _ask(self, message: Down, fds: Sequence[int] = ()) -> object:
        assert self._link is not None  # it is loaded
        try:
            if fds:
                self._send_fds(message, fds)
            else:
                self._link.send(message)
            self._owed += 1
            while True:
                answer = await self._link.receive(_ANSWER_S)
                self._owed -= 1
                if not self._owed:
                    return answer
        except (OSError, TimeoutError, LinkClosedError, NonsenseError) as error:
            raise NurseryLostError(f"the nursery does not answer: {error!r}") from error

    def _send_fds(self, message: Down, fds: Sequence[int]) -> None:
        """Send a message that carries descriptors: past the transport, which has nothing of ours waiting."""
        data = frame(message)
        if socket.send_fds(self._control, [data], list(fds)) != len(data):
            raise NurseryLostError("the nursery does not read")

    async def _process_end(self) -> None:
        await asyncio.to_thread(self._process.wait)

    async def _end_words(self) -> str:
        self._process.kill()  # nothing to one that has ended
        await self._process_end()
        code = self._process.returncode
        return words_of_status(-code if code < 0 else code << 8)

    def _refusal(self, at: Sequence[ChannelFiles], what: str) -> ChannelsRefusedError:
        tail = self.outputs[JUDGE].take()
        return ChannelsRefusedError({each.name: [f"{each.path}: the channel {what}\n{tail}".strip()] for each in at})


async def open_nursery(setup: Setup) -> Nursery:
    """Start a nursery and let it load channels; a machine that has no process or memory to spare is waited for.

    Raises
    ------
    ChannelsRefusedError
        If one of them cannot be loaded.
    """
    loop = asyncio.get_running_loop()
    nursery: Nursery | None = None
    while nursery is None:
        try:
            nursery = await loop.run_in_executor(_SPAWNER, _spawn)
        except OSError as error:
            log.error("channels.no_process", error=str(error), again_in_s=AGAIN_S)  # noqa: TRY400  the line says all
            await asyncio.sleep(AGAIN_S)
    try:
        await nursery.load(setup)
    except BaseException:
        await nursery.close()
        raise
    return nursery


def _spawn() -> Nursery:
    cookie = f"{os.getpid()}-{uuid.uuid4().hex}"  # the number tells a reader of `ps e` whose they are
    ours, theirs = socket.socketpair()
    pipes = {role: os.pipe() for role in _EVENTS}
    for ends in pipes.values():
        for fd in ends:
            os.set_blocking(fd, False)  # who floods it loses text, and waits for nobody
    writing, measuring = pipes[JUDGE][1], pipes[MEASURE][1]
    try:
        process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-P", "-m", "ampeld.daemon.isolation.child", str(os.getpid()), str(measuring)],
            stdin=theirs.fileno(),
            stdout=writing,
            stderr=writing,
            env=_environment(os.environ, cookie),
            pass_fds=(measuring,),
            start_new_session=True,
        )
    except BaseException:
        for reading, _ in pipes.values():
            os.close(reading)
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(writing)
        os.close(measuring)
    ours.setblocking(False)
    outputs = {role: Output(reading, _EVENTS[role]) for role, (reading, _) in pipes.items()}
    return Nursery(process, ours, cookie, outputs)


def _environment(environ: Mapping[str, str], cookie: str) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    return {**kept, **_ONE_THREAD, COOKIE: cookie}
