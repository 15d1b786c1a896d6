"""What the tools ask of Kafka without reading: a group's offsets, moving them, and whether everything is reachable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from ampeld.errors import AmpeldError, RetryableError
from ampeld.flow.deadline import Deadline
from ampeld.source import corrections
from ampeld.source.connection import client_options, close_consumer, explained, make_consumer, start_consumer
from ampeld.source.queries import ConsumerOffsets, every
from ampeld.source.settings import KafkaSettings
from ampeld.source.topics import ever_meant, resolve

_DEADLINE_S = 20.0
_COORDINATOR_S = 10.0
_PAUSE_S = 0.2
_GONE = ("Empty", "Dead")
_NOT_YET = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)

Target = datetime | int | str


class GroupBusyError(AmpeldError):
    """The group has members: moving its offsets would be undone by them; stop the daemons first."""


class SeekError(AmpeldError):
    """There is nothing to move, or nowhere to move it."""


class Reach(msgspec.Struct, frozen=True):
    """What was found at the brokers."""

    brokers: tuple[str, ...]
    """``host:port`` of every broker of the cluster."""
    versions: Mapping[str, int]
    """The highest version of the requests that matter: Fetch, OffsetFetch, JoinGroup."""
    topics: Mapping[str, int]
    """The topics that are meant now, with their number of partitions."""
    missing: tuple[str, ...]
    group_state: str
    members: int


async def committed_offsets(settings: KafkaSettings, deadline_s: float = _DEADLINE_S) -> dict[tuple[str, int], int]:
    """Return what the group has committed, of every topic that it may have read on any night.

    Raises
    ------
    AccessDeniedError, RetryableError
        If the brokers do not let us in or do not answer in time.
    """
    async with _reader(settings, deadline_s) as (_consumer, offsets):
        topics = await offsets.partitions()
        found = await offsets.committed(every(ever_meant(settings.topics, topics), topics))
        return {(partition.topic, partition.partition): offset for partition, offset in found.items()}


async def seek_group(
    settings: KafkaSettings, *, to: Target, topics: Sequence[str] | None = None, deadline_s: float = _DEADLINE_S
) -> dict[tuple[str, int], int]:
    """Move a stopped group, and return where to.

    Parameters
    ----------
    to
        ``"earliest"``, ``"latest"``, a time (the first message that is not older) or an offset; one that lies outside
        of a partition is moved to its nearer end.
    topics
        Names, expressions or templates; by default those of the settings.

    Raises
    ------
    GroupBusyError
        If the group has members.
    SeekError
        If no such topic exists, or ``to`` means nothing.
    AccessDeniedError, RetryableError
        If the brokers do not let us in or do not answer in time.
    """
    async with _reader(settings, deadline_s) as (consumer, offsets):
        state, members = await _group(settings)
        if state not in _GONE or members:
            raise GroupBusyError(f"group {settings.group} has {members} members ({state}): stop them before moving it")
        patterns = tuple(topics if topics is not None else settings.topics)
        existing = await offsets.partitions()
        partitions = every(resolve(patterns, existing, datetime.now(UTC)).topics, existing)
        if not partitions:
            raise SeekError(f"no topic is meant by {', '.join(patterns)}")
        consumer.assign(partitions)
        targets = await _targets(offsets, partitions, to)
        await consumer.commit({partition: OffsetAndMetadata(offset, "") for partition, offset in targets.items()})
        return {(partition.topic, partition.partition): offset for partition, offset in targets.items()}


async def _targets(offsets: ConsumerOffsets, partitions: list[TopicPartition], to: Target) -> dict[TopicPartition, int]:
    if isinstance(to, datetime):
        return await offsets.at(to, partitions)
    begins, ends = await offsets.beginnings(partitions), await offsets.ends(partitions)
    match to:
        case "earliest":
            return begins
        case "latest":
            return ends
        case int():
            return {partition: min(max(to, begins[partition]), ends[partition]) for partition in partitions}
        case _:
            raise SeekError(f"{to!r} is neither earliest nor latest nor a time nor an offset")


async def describe(settings: KafkaSettings, deadline_s: float = _DEADLINE_S) -> Reach:
    """Return what is reachable: brokers, versions, topics and the group.

    Raises
    ------
    ConfigError
        If credentials or certificates cannot be read.
    AccessDeniedError, RetryableError
        If the brokers do not let us in or do not answer in time; the text names the cause.
    """
    async with _reader(settings, deadline_s) as (consumer, offsets):
        existing = await offsets.partitions()
        resolved = resolve(settings.topics, existing, datetime.now(UTC))
        state, members = await _group(settings)
        cluster = consumer._client.cluster  # noqa: SLF001  the public face does not tell
        return Reach(
            brokers=tuple(sorted(f"{broker.host}:{broker.port}" for broker in cluster.brokers())),
            versions=_versions(consumer),
            topics={topic: len(existing[topic]) for topic in sorted(resolved.topics)},
            missing=tuple(sorted(resolved.missing)),
            group_state=state,
            members=members,
        )


def _versions(consumer: AIOKafkaConsumer) -> dict[str, int]:
    names = {1: "Fetch", 9: "OffsetFetch", 11: "JoinGroup"}
    connections = consumer._client._conns.values()  # noqa: SLF001
    known: dict[int, Any] = next((c._versions for c in connections if getattr(c, "_versions", None)), {})  # noqa: SLF001
    return {name: int(known[key][1]) for key, name in names.items() if key in known}


async def _group(settings: KafkaSettings) -> tuple[str, int]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        with explained(settings.brokers):
            await admin.start()
        deadline = Deadline(_COORDINATOR_S)
        while True:
            try:
                return await _members(admin, settings.group)
            except _NOT_YET:  # a cluster that never had a group makes their topic when it is first asked
                if deadline.passed:
                    raise
            await asyncio.sleep(_PAUSE_S)
    except KafkaError as error:
        raise RetryableError(f"group {settings.group} cannot be described: {error!r}") from error
    finally:
        with contextlib.suppress(KafkaError):
            await admin.close()


async def _members(admin: AIOKafkaAdminClient, group: str) -> tuple[str, int]:
    answers = await admin.describe_consumer_groups([group])
    code, _name, state, _type, _protocol, members, *_ = answers[0].groups[0]
    if code:
        raise for_code(code)
    return str(state), len(members)


@contextlib.asynccontextmanager
async def _reader(
    settings: KafkaSettings, deadline_s: float
) -> AsyncIterator[tuple[AIOKafkaConsumer, ConsumerOffsets]]:
    """Give a consumer that knows the group and joins it not."""
    corrections.install()
    consumer = make_consumer(settings)
    try:
        async with asyncio.timeout(deadline_s):
            await start_consumer(consumer, settings, deadline_s)
            yield consumer, ConsumerOffsets(consumer, deadline_s)
    except TimeoutError as error:
        raise RetryableError(f"{', '.join(settings.brokers)} did not answer within {deadline_s} s") from error
    except KafkaError as error:
        raise RetryableError(f"{', '.join(settings.brokers)} refused: {error!r}") from error
    finally:
        await close_consumer(consumer, 2.0)
