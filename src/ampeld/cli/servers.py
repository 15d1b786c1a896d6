"""`ampeld servers`: an embedded Kafka and mongod in the foreground, for a laptop and for tests."""

import json
import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ampeld.demo import jars
from ampeld.demo.process import ServerError
from ampeld.demo.servers import EmbeddedServers

_UNAVAILABLE = 69
_WATCH_S = 0.5


class KafkaKind(StrEnum):
    """Which embedded broker."""

    TANSU = "tansu"
    APACHE = "apache"


def servers(
    *,
    kafka: Annotated[
        KafkaKind, typer.Option(help="tansu: in memory, starts at once; apache: the real one, needs java and mvn.")
    ] = KafkaKind.TANSU,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
    directory: Annotated[
        Path | None, typer.Option(help="Where data and logs lie meanwhile (by default a new one in var/servers).")
    ] = None,
    kafka_port: Annotated[int | None, typer.Option(help="Port of Kafka (by default a free one).")] = None,
    mongodb_port: Annotated[int | None, typer.Option(help="Port of mongod (by default a free one).")] = None,
) -> None:
    """Start an embedded Kafka and mongod, print their addresses, and run until Ctrl-C or SIGTERM.

    Data is gone afterwards: these servers are for trying things and for tests, not for keeping alerts.

    Try:

      ampeld servers

      ampeld servers --json > servers.json &

      ampeld servers --kafka apache --kafka-port 9092 --mongodb-port 27017
    """
    try:
        if kafka is KafkaKind.APACHE:
            jars.fetch()  # may take a minute the first time, in which Ctrl-C works as usual
        pair = EmbeddedServers(kafka.value, directory=directory, kafka_port=kafka_port, mongodb_port=mongodb_port)
        _serve(pair, as_json=as_json)
    except ServerError as error:
        typer.echo(f"ampeld servers: {error}", err=True)
        raise typer.Exit(_UNAVAILABLE) from None


def _serve(pair: EmbeddedServers, *, as_json: bool) -> None:
    wanted = {signal.SIGTERM, signal.SIGINT}
    # Blocked, not handled: one that comes during the start waits until the servers can be stopped in order.
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    try:
        with pair:
            _announce(pair, as_json=as_json)
            while signal.sigtimedwait(wanted, _WATCH_S) is None:
                pair.check_alive()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, wanted)


def _announce(pair: EmbeddedServers, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"kafka": pair.kafka, "mongodb": pair.mongodb}))
        return
    typer.echo(f"kafka    {pair.kafka}\nmongodb  {pair.mongodb}\n\nCtrl-C stops both and removes their data.")
