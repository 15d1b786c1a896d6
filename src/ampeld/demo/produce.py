"""Send simulated alerts: to a Kafka topic per night, or to a directory of files."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.partitioner import DefaultPartitioner

from ampeld.demo.simulate import SimulatedAlert
from ampeld.demo.truth import Truth
from ampeld.errors import AmpeldError
from ampeld.flow.deadline import Deadline

TOPIC = "ztf_{night:%Y%m%d}_programid1"
"""Default name of a night's topic."""

_MAX_MESSAGE = 20 * 1024 * 1024
_IN_FLIGHT = 256
_TOPIC_EXISTS = 36

Sent = Callable[[int], None]
"""Called with the number of alerts sent so far."""


class ProduceError(AmpeldError):
    """The broker did not take the alerts: exit 69."""


def partition_of(name: str, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner (murmur2 of the key) gives an object."""
    every = list(range(partitions))
    return int(DefaultPartitioner()(name.encode(), every, every))


def write_directory(alerts: Iterable[SimulatedAlert], directory: Path, *, sent: Sent) -> Truth:
    """Write each alert as ``<number>_<candid>.avro``: sorted by name they are in the order sent."""
    directory.mkdir(parents=True, exist_ok=True)
    truth = Truth()
    for number, alert in enumerate(alerts):
        (directory / f"{number:07d}_{alert.candid}.avro").write_bytes(alert.packet)
        truth.add(alert)
        sent(number + 1)
    return truth


_TOPICS_S = 10.0
_LOOK_S = 0.05


async def create_topics(brokers: str, names: Iterable[str], partitions: int) -> None:
    """Make the topics that are missing.

    Raises
    ------
    ProduceError
        If the broker is not there, refuses, or has a topic with another number of partitions.
    """
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
        await admin.start()
    except KafkaError as error:
        raise ProduceError(f"no Kafka answers at {brokers}: {error}") from error
    try:
        configs = {"max.message.bytes": str(_MAX_MESSAGE)}
        wanted = [NewTopic(name, partitions, 1, topic_configs=configs) for name in names]
        answer = await admin.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:  # the client does not raise them
            if code not in (0, _TOPIC_EXISTS):
                raise ProduceError(f"Kafka refused to make topic {name}: {for_code(code).__name__}")
        for name, found in (await _partitions(admin, [topic.name for topic in wanted])).items():
            if found != partitions:
                raise ProduceError(f"topic {name} exists with {found} partitions, not {partitions}")
    except KafkaError as error:
        raise ProduceError(f"Kafka could not make the topics: {error}") from error
    finally:
        await admin.close()


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Return how many partitions each topic has, once the brokers have heard of all of them."""
    deadline = Deadline(_TOPICS_S)
    while True:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}
        if all(found.values()) or deadline.passed:
            return found
        await asyncio.sleep(_LOOK_S)  # a topic that was just made has no partitions for a moment


async def produce(
    alerts: Iterable[SimulatedAlert],
    brokers: str,
    *,
    topic: str = TOPIC,
    partitions: int = 16,
    spread: bool = False,
    rate: float | None = None,
    sent: Sent = lambda _: None,
) -> Truth:
    """Send alerts to Kafka, in their order, and return the truth with their places.

    Parameters
    ----------
    alerts
        What to send; taken as needed.
    brokers
        Bootstrap address.
    topic
        Name; ``{night:…}`` in it is replaced by the night. Topics must exist (see `create_topics`).
    partitions
        Of each topic.
    spread
        Deal alerts out to all partitions in turn instead of keeping an object in one.
    rate
        At most so many alerts per second; as fast as possible by default.
    sent
        Told of the progress.

    Raises
    ------
    ProduceError
        If the broker does not take them.
    """
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5, max_request_size=_MAX_MESSAGE)
    truth = Truth()
    try:
        await producer.start()
        await _send_all(producer, alerts, _places(topic, partitions, spread=spread), truth, rate, sent)
    except KafkaError as error:
        raise ProduceError(f"Kafka at {brokers} did not take the alerts: {error!r}") from error
    finally:
        await producer.stop()
    return truth


_Place = Callable[[int, SimulatedAlert], tuple[str, int]]


def _places(topic: str, partitions: int, *, spread: bool) -> _Place:
    def place(number: int, alert: SimulatedAlert) -> tuple[str, int]:
        partition = number % partitions if spread else partition_of(alert.object, partitions)
        return topic.format(night=alert.night), partition

    return place


async def _send_all(
    producer: Any, alerts: Iterable[SimulatedAlert], place: _Place, truth: Truth, rate: float | None, sent: Sent
) -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    pending: list[asyncio.Future[object]] = []
    for number, alert in enumerate(alerts):
        if rate and (wait := begin + number / rate - loop.time()) > 0:
            await asyncio.sleep(wait)
        topic, partition = place(number, alert)
        key = alert.object.encode()
        pending.append(await producer.send(topic, alert.packet, key=key, partition=partition))
        truth.add(alert, topic, partition)
        sent(number + 1)
        if len(pending) == _IN_FLIGHT:
            await _acknowledged(pending)
    await _acknowledged(pending)


async def _acknowledged(pending: list[asyncio.Future[object]]) -> None:
    for future in pending:
        await future
    pending.clear()
