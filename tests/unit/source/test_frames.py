import asyncio
import contextlib
import io
import random
import struct
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.source import frames
from ampeld.source.frames import FrameIO, FrameProtocol


class Recorder(asyncio.Protocol):
    """The inner protocol: notes what it is told."""

    def __init__(self):
        self.told = []

    def connection_made(self, transport):
        self.told.append("made")

    def connection_lost(self, exc):
        self.told.append("lost")

    def eof_received(self):
        self.told.append("eof")


@asynccontextmanager
async def served(chunks, *, end=True):
    """Hand out a transport and its protocol, connected to a server which sends these chunks and then closes."""
    done = asyncio.Event()

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            if not end:
                await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(lambda: FrameProtocol(Recorder()), "127.0.0.1", port)
        try:
            yield transport, protocol
        finally:
            transport.close()
            await done.wait()
            await asyncio.sleep(0)  # the transport's own last step


def framed(payload):
    return struct.pack(">i", len(payload)) + payload


async def received(protocol):
    """Return every frame up to the end, giving each one's memory back as the reading task does."""
    found = []
    while True:
        try:
            frame = await protocol.receive()
        except asyncio.IncompleteReadError:
            return found
        found.append(bytes(frame))
        protocol.reuse(frame)


def chopped(stream, rng):
    while stream:
        size = rng.choice([1, 3, 1000, 70_000, 400_000])
        yield stream[:size]
        stream = stream[size:]


@pytest.mark.parametrize("seed", range(5))
async def test_frames_of_any_size_in_any_pieces_come_whole_and_in_order(seed):
    rng = random.Random(seed)
    sizes = [0, 1, 4, 100, 65_535, 65_536, 1 << 20, (1 << 20) + 1, 3_000_000, 0, 5]
    rng.shuffle(sizes)
    payloads = [rng.randbytes(size) for size in sizes]
    async with served(chopped(b"".join(map(framed, payloads)), rng)) as (_, protocol):
        assert await received(protocol) == payloads


async def test_a_frame_that_is_still_looked_at_is_not_written_over():
    payloads = [bytes([number]) * 200_000 for number in range(6)]
    async with served([framed(payload) for payload in payloads]) as (_, protocol):
        held = [await protocol.receive() for _ in payloads]
        assert [bytes(frame) for frame in held] == payloads


async def test_a_reader_that_rests_stops_the_sender():
    payload = bytes(1 << 20)
    sent = []

    def chunks():
        for number in range(64):
            sent.append(number)
            yield framed(payload)

    async with served(chunks()) as (_, protocol):
        await protocol.receive()
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(sent) < 64
        assert len(await received(protocol)) == 63


async def test_a_connection_that_ends_inside_a_frame_gives_what_was_whole_and_then_an_error():
    async with served([framed(b"whole"), struct.pack(">i", 10), b"half"]) as (_, protocol):
        assert await protocol.receive() == b"whole"
        with pytest.raises(asyncio.IncompleteReadError):
            await protocol.receive()
        assert "made" in protocol.told


@pytest.mark.parametrize("size", [-1, frames.MAX_FRAME + 1])
async def test_a_size_that_no_broker_sends_ends_the_connection(size):
    async with served([struct.pack(">i", size)], end=False) as (transport, protocol):
        with pytest.raises(ValueError, match="a frame of"):
            await protocol.receive()
        assert transport.is_closing()


@given(st.binary(max_size=200), st.lists(st.integers(0, 50), max_size=10))
def test_a_frame_reads_as_bytes_in_memory_do(payload, sizes):
    mine, other = FrameIO(memoryview(payload)), io.BytesIO(payload)
    assert [mine.read(size) for size in sizes] == [other.read(size) for size in sizes]


def test_installing_twice_wraps_once():
    class Conn:
        AIOKafkaProtocol = Recorder
        AIOKafkaConnection = type("AIOKafkaConnection", (), {})
        io = io

    frames.install(Conn)
    frames.install(Conn)
    assert Conn.AIOKafkaProtocol.wrapped is Recorder
