"""The embedded servers hold what the tests and the demonstration build on."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import MongoClient, WriteConcern
from support.servers import ApacheKafka, Mongod, Tansu, create_topic, need_apache, send

from ampeld.demo.process import ServerError, ServerProcess, free_port


async def read_all(bootstrap: str, topic: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                values += [message.value for message in messages]
        return values
    finally:
        await consumer.stop()


@pytest.mark.kafka
async def test_the_broker_of_the_run_takes_messages_of_16_mebibytes(kafka: str) -> None:
    topic = await create_topic(kafka, partitions=1)
    large = os.urandom(16 * 1024 * 1024)
    assert await send(kafka, topic, [(b"a", b"small", None), (b"a", large, None)]) == [0, 1]
    assert await read_all(kafka, topic) == [b"small", large]


@pytest.mark.mongodb
def test_the_replica_set_of_the_run_takes_majority_writes_and_transactions(mongodb: str, database: str) -> None:
    with MongoClient(mongodb) as client:
        collection = client[database].get_collection("c", write_concern=WriteConcern("majority", j=True))
        collection.insert_one({"_id": 1})
        with client.start_session() as session, session.start_transaction():
            collection.insert_one({"_id": 2}, session=session)
        assert [document["_id"] for document in collection.find()] == [1, 2]


@pytest.mark.fault
async def test_apache_kafka_keeps_messages_over_a_kill_and_comes_back_on_its_port(server_directory: Path) -> None:
    need_apache()
    with ApacheKafka(server_directory) as broker:
        topic = await create_topic(broker.address, partitions=1)
        await send(broker.address, topic, [(None, b"one", 0), (None, b"two", 0)])
        await asyncio.to_thread(broker.kill)
        assert not broker.accepts()
        await asyncio.to_thread(broker.start)
        assert await read_all(broker.address, topic) == [b"one", b"two"]
        # What it has loaded it maps from what another broker left: that halves its start.
        assert "/classes.jsa" in Path(f"/proc/{broker.pid}/maps").read_text()


@pytest.mark.fault
def test_mongod_keeps_documents_over_a_kill_and_is_primary_again(server_directory: Path) -> None:
    with Mongod(server_directory) as server:
        with MongoClient(server.uri) as client:
            collection = client.test.get_collection("c", write_concern=WriteConcern("majority", j=True))
            collection.insert_one({"_id": 1})
        server.kill()
        server.start()
        with MongoClient(server.uri) as client:
            assert client.test.c.count_documents({}) == 1


@pytest.mark.fault
def test_a_frozen_server_accepts_and_does_not_answer_until_thawed(server_directory: Path) -> None:
    with Mongod(server_directory) as server:
        server.freeze()
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=1.0),
            MongoClient(
                server.address, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=300
            ) as client,
            pytest.raises(Exception, match="timed out"),
        ):
            client.admin.command("ping")
        server.thaw()
        with MongoClient(server.uri) as client:
            assert client.admin.command("ping")["ok"] == 1


def test_every_thread_of_a_frozen_server_has_stopped(server_directory: Path) -> None:
    with Mongod(server_directory) as server:
        for _ in range(20):
            server.freeze()
            assert _thread_states(server) == {"T"}
            server.freeze()  # once more changes nothing
            server.thaw()


def test_a_server_on_a_taken_port_is_refused_by_name(server_directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        with pytest.raises(ServerError, match="tansu cannot listen"):
            Tansu(server_directory, port=taken.getsockname()[1]).start()


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(server_directory: Path) -> None:
    class Mayfly(ServerProcess):
        name = "mayfly"

        def command(self) -> list[str]:
            return [sys.executable, "-c", "raise SystemExit('no air')"]

    with pytest.raises(ServerError, match=r"mayfly ended with exit code 1(?s:.*)no air"):
        Mayfly(server_directory).start()


def test_a_server_does_not_outlive_a_parent_that_is_killed(server_directory: Path) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from ampeld.demo.tansu import Tansu
        server = Tansu(Path({str(server_directory)!r})).start()
        print(server.pid, flush=True)
        input()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        watched = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        with os.fdopen(watched) as pidfd:
            assert select.select([pidfd], [], [], 10.0)[0], "the server still runs"


def _thread_states(server: Mongod) -> set[str]:
    tasks = Path(f"/proc/{server.pid}/task")
    return {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir()}
