"""What workers write: read at leisure, its end kept."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from ampeld.daemon.isolation.output import KEPT, Output

Pipe = tuple[Output, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    output = Output(reading, "said")
    yield output, writing
    output.close()
    os.close(writing)


def test_taking_returns_the_end_of_what_was_written_since(pipe: Pipe) -> None:
    output, writing = pipe
    os.write(writing, b"x" * KEPT + b"the end\n")
    assert output.take() == "x" * (KEPT - len("the end\n")) + "the end"
    assert output.take() == ""


async def test_a_text_is_waited_for_however_late_its_writer_gets_a_core(pipe: Pipe) -> None:
    output, writing = pipe
    output.follow()
    os.write(writing, b"before\n")
    asyncio.get_running_loop().call_later(0.15, os.write, writing, b"Stack: line 1\n")
    assert await output.holds(b"Stack:", 30)
    assert output.take() == "before\nStack: line 1"


@pytest.mark.timeout(10)
async def test_a_text_that_is_there_is_not_waited_for(pipe: Pipe) -> None:
    output, writing = pipe
    output.follow()
    os.write(writing, b"Stack: line 1\n")
    assert await output.holds(b"Stack:", 3600)


async def test_a_text_that_does_not_come_is_given_up(pipe: Pipe) -> None:
    output, writing = pipe
    output.follow()
    os.write(writing, b"something else\n")
    assert not await output.holds(b"Stack:", 0.05)
    assert output.take() == "something else"
