"""Clients that a broker has left alone are put an end to, whatever state their tasks are in."""

import asyncio
import socket

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from ampeld.source import corrections
from ampeld.source.connection import broken_task, close_consumer, make_consumer
from ampeld.source.settings import KafkaSettings

corrections.install()

SETTINGS = KafkaSettings(brokers=("127.0.0.1:1",), topics=("nowhere",), group="nobody", client_id="test")


async def fail(error):
    raise error


def died(error):
    """Return what is left of a task that has come to a bad end."""
    task = asyncio.get_running_loop().create_future()
    task.set_exception(error)
    return task


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda connection: connection.send(ApiVersionRequest()), id="request"),
        pytest.param(lambda connection: connection._send_sasl_token(b"token"), id="token"),
    ],
)
def test_to_write_where_the_broker_has_just_gone_is_an_error_of_the_connection(send):
    async def write():
        ours, theirs = socket.socketpair()
        with theirs:
            connection = AIOKafkaConnection("127.0.0.1", 1)
            _, connection._writer = await asyncio.open_unix_connection(sock=ours)
            connection._writer.transport.abort()
            await asyncio.sleep(0.01)  # the loop takes its time to close it
            with pytest.raises(KafkaConnectionError, match="closed"):
                send(connection)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(write())


async def test_a_client_whose_task_died_of_our_own_or_its_mistake_is_closed_and_it_is_said(capsys):
    consumer = make_consumer(SETTINGS)
    consumer._client._sync_task = died(RuntimeError("nobody expects this"))
    await close_consumer(consumer, 1.0)
    assert "nobody expects this" in capsys.readouterr().out


async def test_a_client_that_awaits_what_it_has_cancelled_itself_is_closed(monkeypatch):
    consumer = make_consumer(SETTINGS)
    monkeypatch.setattr(consumer, "stop", lambda: fail(asyncio.CancelledError()))
    await close_consumer(consumer, 1.0)
    assert consumer._closed


async def test_a_close_that_is_cancelled_is_cancelled_and_leaves_nothing_behind(monkeypatch):
    consumer = make_consumer(SETTINGS)
    monkeypatch.setattr(consumer, "stop", lambda: asyncio.sleep(60))
    async with asyncio.TaskGroup() as tasks:
        closing = tasks.create_task(close_consumer(consumer, 60))
        await asyncio.sleep(0)
        closing.cancel()
    assert closing.cancelled()
    assert consumer._closed


async def test_a_client_that_no_longer_looks_for_its_brokers_is_a_broken_one():
    consumer = make_consumer(SETTINGS)
    assert broken_task(consumer) is None
    consumer._client._sync_task = died(RuntimeError("nobody expects this"))
    assert broken_task(consumer) == "sync_task"
    await close_consumer(consumer, 1.0)
