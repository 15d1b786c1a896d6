"""What the daemon and its filter processes say to each other: MessagePack with a length before it, never pickle."""

import struct
from typing import Any, Final, Literal

import msgspec

from ampeld.channel.channel import GateLimits, OnKnown
from ampeld.daemon.files import ChannelFiles
from ampeld.errors import AmpeldError
from ampeld.feature.work import Case, Measurement
from ampeld.flow import wanted
from ampeld.flow.plain import plain
from ampeld.flow.trace import Trace

LENGTH: Final = struct.Struct("<I")
MOST_BYTES: Final = 64 << 20
"""The longest message that is believed: verdicts take two bytes, a traceback some kilobytes."""

DISCONNECTED: Final = 113
"""The exit code of a worker whose filter has closed the descriptors by which it speaks to the daemon."""
PROCREATED: Final = 114
"""The exit code of a worker whose filter has started a process through machine code."""


Role = Literal["judge", "measure"]
JUDGE: Final = "judge"
MEASURE: Final = "measure"


class NonsenseError(AmpeldError):
    """What a filter process says is no message."""


class Limits(msgspec.Struct, frozen=True):
    """What a worker may take."""

    memory_mb: int
    """Memory of its own, beyond what the loaded channels take [MiB]."""


class Setup(msgspec.Struct, frozen=True, tag=True):
    """To the nursery, once: the channels to load."""

    files: list[ChannelFiles]
    limits: Limits
    catalogs: str
    """The directory of the catalogues; it need not exist."""
    measuring: Limits | None = None
    """What a worker may take that measures; None: none does."""


class Facts(msgspec.Struct, frozen=True):
    """What a loaded channel is, for the daemon, which never runs its code."""

    name: str
    version: str
    contact: str
    access: list[str]
    on_known: OnKnown
    survey: str
    limits: GateLimits
    path: str
    filter: str
    """``module:Class``."""
    features: tuple[wanted.Wanted, ...] = ()


class Loading(msgspec.Struct, frozen=True, tag=True):
    """From the nursery: which channel's code runs now."""

    channel: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """From the nursery: every channel is loaded, in the order of the setup."""

    channels: list[Facts]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """From the nursery: some channel cannot be loaded; it ends."""

    problems: dict[str, list[str]]
    """By channel."""


class Fork(msgspec.Struct, frozen=True, tag=True):
    """To the nursery, with file descriptors: make a worker."""

    role: Role


class Forked(msgspec.Struct, frozen=True, tag=True):
    """From the nursery: the worker's process."""

    pid: int


class Reap(msgspec.Struct, frozen=True, tag=True):
    """To the nursery: a worker was killed; tell how it ended."""

    pid: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """From the nursery: what ``waitpid`` said."""

    status: int | None


class Task(msgspec.Struct, frozen=True, tag=True):
    """To a worker: judge a batch, or learn on an empty one."""

    serial: int
    channels: list[int]
    segment: int = 0
    """Which shared memory holds the batch."""
    sizes: list[int] = []
    """Bytes of the pickled table and of each of its buffers; none at all: an empty batch, to learn cut names."""
    rows: list[int] | None = None
    """Judge these rows, each for itself, and no others; None: all together."""


class Cutout(msgspec.Struct, frozen=True, tag=True):
    """To a worker: the image that it wanted."""

    data: bytes | None


class Failed(msgspec.Struct, frozen=True):
    """An alert on which a channel's code failed; the traceback is one of the answer's texts."""

    row: int
    error: str
    text: int


class Result(msgspec.Struct, frozen=True):
    """What a channel says of a batch beside its verdicts."""

    channel: int
    cuts: list[str]
    """The cut names that are new since the worker's last answer; numbers go on from those told before."""
    failures: list[Failed]
    ns: int
    """How long it took [ns]."""
    grown_kb: int
    """How much more memory the worker had after it than before [KiB]."""
    printed: str
    """The beginning of what it printed."""
    printed_characters: int
    """All that it printed."""


class Answer(msgspec.Struct, frozen=True, tag=True):
    """From a worker: the verdicts on a batch."""

    serial: int
    codes: bytes
    """Little-endian uint16: for each channel of the task, one per row of the table."""
    results: list[Result]
    """In the order of the task's channels."""
    texts: list[str]
    """Tracebacks, each once."""
    memory_kb: int
    """The worker's own memory before the batch, beyond what it began with [KiB]."""
    asked: list[tuple[str, str]]
    """The fields of histories that the filters have asked for: array and field."""


class Wanted(msgspec.Struct, frozen=True, tag=True):
    """From a worker, in the midst of a batch: an image of an alert."""

    candid: int
    name: str


class Opened(msgspec.Struct, frozen=True, tag=True):
    """From a worker that measures, before all else: its units have what they need, or not."""

    failed: list[tuple[str, int, str]]
    """Unit, configuration and traceback of each that could not be opened: its measurements will fail."""
    traces: list[Trace]
    """What each unit's values will come from."""


class Measure(msgspec.Struct, frozen=True, tag=True):
    """To a worker: measure all jobs of these cases."""

    serial: int
    cases: list[Case]
    in_bulk: bool = False
    """Whether what authors' quick units measure may be told of some at a time, as what ours do always is: nobody minds
    to measure it again should the process end before."""


class Enough(msgspec.Struct, frozen=True, tag=True):
    """To a worker that measures: begin no other job of what it was given."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """From a worker: one job is measured."""

    serial: int
    case: int
    job: int
    measurement: Measurement
    printed: str = ""
    """The beginning of what the unit printed."""


class Finished(msgspec.Struct, frozen=True, tag=True):
    """From a worker: it goes on with nothing of what it was given."""

    serial: int
    memory_kb: int
    """The worker's own memory, beyond what it began with [KiB]."""


Down = Setup | Fork | Reap | Task | Cutout | Measure | Enough
Up = Loading | Ready | Refused | Forked | Ended | Answer | Wanted | Opened | Done | Finished

_encoder = msgspec.msgpack.Encoder(enc_hook=plain)  # bodies come from the store too
_down = msgspec.msgpack.Decoder(Down)
_up = msgspec.msgpack.Decoder(Up)


def frame(message: Down | Up) -> bytes:
    """Return a message as it goes over the socket."""
    data = _encoder.encode(message)
    return LENGTH.pack(len(data)) + data


def read_down(data: bytes) -> Down:
    """Return a message of the daemon."""
    message: Down = _down.decode(data)
    return message


def read_up(data: bytes | bytearray | memoryview) -> Up:
    """Return a message of a filter process.

    Raises
    ------
    NonsenseError
        If it is none.
    """
    try:
        message: Up = _up.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NonsenseError(str(error)) from error
    return message


def length_of(head: Any) -> int:
    """Return the length that stands before a message.

    Raises
    ------
    NonsenseError
        If no message is that long.
    """
    (length,) = LENGTH.unpack(head)
    if length > MOST_BYTES:
        raise NonsenseError(f"a message of {length} bytes")
    return int(length)
