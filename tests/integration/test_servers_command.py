"""`ampeld servers` runs the pair in the foreground and leaves nothing behind."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient
from support.servers import need_apache

from ampeld.demo.servers import EmbeddedServers

PROGRAM = "import typer; from ampeld.cli.servers import servers; typer.run(servers)"


@contextmanager
def command(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def gone(pidfds: list[int]) -> bool:
    return all(select.select([pidfd], [], [], 10.0)[0] for pidfd in pidfds)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_zero_and_without_process_or_file(tmp_path: Path, number: signal.Signals) -> None:
    with command(tmp_path, "--json") as process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert set(addresses) == {"kafka", "mongodb"}
        with MongoClient(addresses["mongodb"]) as client:
            client.test.c.insert_one({})
        servers = [os.pidfd_open(pid) for pid in children(process.pid)]
        assert len(servers) == 2
        process.send_signal(number)
        assert process.wait(30) == 0
        assert gone(servers)
        for pidfd in servers:
            os.close(pidfd)
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_one_server_ends_it_with_69_and_its_last_words(tmp_path: Path) -> None:
    with command(tmp_path, "--json", "--directory", "data") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        os.kill(children(process.pid)[0], signal.SIGKILL)
        assert process.wait(30) == 69
        assert "was killed by signal 9" in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


def test_a_kill_of_the_command_takes_the_servers_with_it(tmp_path: Path) -> None:
    with command(tmp_path, "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        servers = [os.pidfd_open(pid) for pid in children(process.pid)]
        process.kill()
        assert gone(servers)
        for pidfd in servers:
            os.close(pidfd)


@pytest.mark.kafka
def test_the_pair_with_apache_kafka_keeps_a_given_directory_that_was_there(tmp_path: Path) -> None:
    need_apache()
    directory = tmp_path / "mine"
    directory.mkdir()
    (directory / "note").write_text("keep")
    with EmbeddedServers("apache", directory=directory) as pair:
        assert pair.broker.accepts()
        pair.check_alive()
    assert [path.name for path in directory.iterdir()] == ["note"]
