"""Keeps the subscription in step with the topics that exist, and remembers where partitions begin and end."""

import time
from datetime import UTC, datetime

import structlog
from aiokafka.structs import TopicPartition

from ampeld.errors import RetryableError
from ampeld.source.member import Member
from ampeld.source.queries import ConsumerOffsets, every
from ampeld.source.settings import KafkaSettings
from ampeld.source.topics import Resolved, ever_meant, resolve

_BEGINNINGS_S = 60.0
_PATIENCE_S = 3.0

_log = structlog.get_logger("ampeld.source")


class TopicWatch:
    """What is known of topics; asks the brokers at most every ``topics_age_s``.

    Parameters
    ----------
    settings
        With ``until_end`` the topics are those of the first look, and their ends are kept.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topics: dict[str, frozenset[int]] = {}
        self._first: frozenset[TopicPartition] | None = None
        self._resolved = Resolved(frozenset(), frozenset())
        self._vanished: frozenset[str] = frozenset()
        self._looked: float | None = None
        self._asked_beginnings = 0.0
        self.connected = False
        self.beginnings: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] | None = None
        """With ``until_end``: the ends at the start; None until they are known."""

    @property
    def missing(self) -> frozenset[str]:
        """Return the topics asked for by name that do not exist."""
        return self._resolved.missing

    @property
    def subscribed(self) -> list[TopicPartition]:
        """Return every partition of the topics read now."""
        return every(self._resolved.topics, self._topics)

    @property
    def old(self) -> list[TopicPartition]:
        """Return the partitions read now that were there at the first look: the start policy is for them only."""
        return [partition for partition in self.subscribed if self._first is None or partition in self._first]

    @property
    def ever(self) -> list[TopicPartition]:
        """Return every partition that the group may have read on any night."""
        return every(ever_meant(self._settings.topics, self._topics), self._topics)

    async def look(self, member: Member, *, now: bool = False) -> None:
        """Ask for the topics if it is time, and subscribe once if others are meant; failures wait for the next time."""
        age_s = None if self._looked is None else time.monotonic() - self._looked
        if not now and age_s is not None and age_s < self._settings.topics_age_s:
            return
        self._looked = time.monotonic()
        offsets = ConsumerOffsets(member.consumer, _PATIENCE_S)
        try:
            if self.ends is None:
                self._topics = await offsets.partitions()
                if self._first is None:
                    self._first = frozenset(every(self._topics, self._topics))
                self._subscribe(member)
            if self._settings.until_end and self.ends is None:
                self.ends = await offsets.ends(self.subscribed)
            await self._look_at_beginnings(member, offsets)
        except RetryableError as error:
            if self.connected:
                _log.warning("source.brokers_do_not_answer", error=str(error))
            self.connected = False
            return
        if not self.connected:
            _log.info("source.connected", brokers=list(self._settings.brokers))
        self.connected = True

    def _subscribe(self, member: Member) -> None:
        before = self._resolved
        resolved = resolve(self._settings.topics, self._topics, datetime.now(UTC))
        # A broker that has just started may not know all topics yet: one that is gone must be gone twice.
        gone = frozenset(topic for topic in before.topics if topic not in self._topics)
        kept = gone - self._vanished
        self._vanished = gone
        self._resolved = Resolved(resolved.topics | kept, resolved.missing - kept)
        if self._resolved.missing - before.missing:
            _log.warning("source.waiting_for_topics", topics=sorted(self._resolved.missing))
        topics = self._resolved.topics
        if topics and topics != frozenset(member.consumer.subscription()):
            _log.info("source.subscribing", topics=sorted(topics))
            member.consumer.subscribe(topics=sorted(topics), listener=member)

    async def _look_at_beginnings(self, member: Member, offsets: ConsumerOffsets) -> None:
        if self._asked_beginnings and time.monotonic() - self._asked_beginnings < _BEGINNINGS_S:
            return
        if member.assignment.ledgers:
            self.beginnings = await offsets.beginnings(list(member.assignment.ledgers))
            self._asked_beginnings = time.monotonic()
