"""The numbers that Prometheus reads, under their published names; no label grows without bound."""

import platform
from collections import Counter as Sums
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from ampeld.daemon.measuring.tally import Tally
from ampeld.flow.outcome import Outcome
from ampeld.flow.pipe import PipeStatistics
from ampeld.flow.verdict import Kind, kinds
from ampeld.store.documents import Account
from ampeld.store.rows import Rows

MOST_TOPICS = 16
"""Nightly topics come for years: only those last seen have series."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_TP = ("topic", "partition")


class Metrics:
    """Every metric of one process, in a registry of its own."""

    def __init__(self, version: str, instance: str, started_s: float) -> None:
        # A second series for each, which would say only when the process started.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ampeld_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"ampeld_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"ampeld_{name}", text, buckets=_SECONDS, registry=registry)

        self._alerts = counter(
            "alerts", "Records by outcome, and verdicts by channel.", "stage", "outcome", "topic", "channel"
        )
        self.bytes = counter("bytes", "Bytes of payload with a durable outcome.")
        self.dead_letters = counter("dead_letters", "Records that could not be read.", "stage", "reason")
        self.channels = gauge("channels", "Channels by what becomes of them: running, suspended, off.", "state")
        self.processes_lost = counter("filter_processes_lost", "Filter processes that overran, crashed or ended.")
        self._features = counter("features", "Measurements by unit, where, and how they ended.", "unit", "way")
        self._feature_seconds = counter("feature_seconds", "Time of all measurements of a unit.", "unit")
        self._feature_queue = gauge("feature_tickets", "Tickets that wait, of all daemons.", "unit")
        self._feature_age = gauge("feature_tickets_age_seconds", "Age of the oldest ticket that waits.", "unit")
        self._feature_lost = counter("feature_processes_lost", "Feature processes that overran, crashed or ended.")
        self._feature_refused = counter("feature_results_refused", "Results that came when their lease had ended.")
        self.duplicates = counter("duplicates", "Accepted alerts whose candid had come from other coordinates.")
        self.gaps = counter("gaps", "Ranges of offsets lost before they were read.")
        self.held = gauge("partitions_held", "Partitions not read, because nearly all they bring are dead letters.")
        self.gap_offsets = counter("gap_offsets", "Offsets lost before they were read.")
        self.commits = counter("commits", "Offset commits.", "result")
        self.rebalances = counter("rebalances", "Assignments of partitions.")
        self.rebuilds = counter("consumer_rebuilds", "Consumers that stalled and were replaced.")
        self.store_errors = counter("mongo_errors", "Failed calls of the store.", "class")
        self.log_suppressed = counter("log_suppressed", "Log lines left out.")
        self.lag_messages = gauge("lag_messages", "Offsets not yet read.", *_TP)
        self.lag_seconds = gauge("lag_seconds", "Age of the last record read where more are waiting.", *_TP)
        self.retention_used = gauge("retention_used_ratio", "Unread part of what the broker keeps.", *_TP)
        self.in_flight = gauge("inflight_messages", "Records opened and not settled.")
        self.in_flight_bytes = gauge("inflight_bytes", "Bytes of payload fetched and without a durable outcome.")
        self.last_commit = gauge("last_commit_timestamp_seconds", "Time of the last acknowledged commit.")
        self.paused = gauge("paused", "1 while nothing is fetched because the pipeline is full.")
        self.mongo_up = gauge("mongo_up", "1 while the store does its part.")
        self.pipe_fill = gauge("pipe_items", "Batches in each pipe.", "pipe")
        self.end_to_end = histogram("end_to_end_seconds", "From the broker's time stamp to the durable outcome.")
        self.latency = histogram("latency_seconds", "From the fetch of a batch to its durable outcome.")
        self.decode = histogram("decode_seconds", "For decoding one batch.")
        self.bulk = histogram("bulk_seconds", "For making one flush durable, every try included.")
        self.loop_lag = histogram("loop_lag_seconds", "How late the event loop wakes up.")
        build = gauge("build_info", "Constant 1.", "version", "python", "instance")
        build.labels(version, platform.python_version(), instance).set(1)
        gauge("start_time_seconds", "When the process started.").set(started_s)
        self._topics: OrderedDict[str, dict[tuple[str, str, str, str], Counter]] = OrderedDict()
        self._totals: Sums[Counter] = Sums()

    def page(self) -> bytes:
        """Return the text that Prometheus reads."""
        return generate_latest(self.registry)

    def count_account(self, account: Account) -> None:
        """Count the outcomes and verdicts of what has become durable."""
        rows = account.rows
        for topic, place in _by_series(rows):
            ends = np.bincount(rows.outcome[place], minlength=len(Outcome)).tolist()
            self._count(topic, "store", "", {outcome.name.lower(): ends[outcome] for outcome in Outcome})
            self.duplicates.inc(ends[Outcome.DUPLICATE])
            for channel, verdicts in zip(account.channels, count_kinds(rows.codes[:, place]), strict=True):
                self._count(topic, "filter", channel.name, verdicts)
        for letter in account.dead_letters:
            self.dead_letters.labels(letter.stage, _kind(letter.reason)).inc()

    def fill_pipes(self, pipes: Sequence[PipeStatistics]) -> None:
        """Note how full the pipes are."""
        for pipe in pipes:
            self.pipe_fill.labels(pipe.name).set(pipe.size)

    def fill_features(self, tally: Tally, lost: int) -> None:
        """Note what has become of measurements, and which tickets wait."""
        now = datetime.now(UTC).timestamp()
        for unit, count in tally.by_unit.items():
            for way in ("in_flow", "from_tickets", "failed", "retried"):
                self.raise_to(self._features.labels(unit, way), getattr(count, way))
            self.raise_to(self._feature_seconds.labels(unit), count.ms / 1e3)
            self._feature_queue.labels(unit).set(count.waiting)
            self._feature_age.labels(unit).set(0.0 if count.since is None else max(0.0, now - count.since))
        self.raise_to(self._feature_lost, lost)
        self.raise_to(self._feature_refused, tally.refused)

    def raise_to(self, counter: Counter, total: float) -> float:
        """Raise a counter to a total that somebody else keeps, and return by how much."""
        rise = max(0.0, total - self._totals[counter])
        counter.inc(rise)
        self._totals[counter] += rise  # type: ignore[assignment]  # totals may be fractional
        return rise

    def _count(self, topic: str, stage: str, channel: str, numbers: Mapping[str, int]) -> None:
        series = self._topics.setdefault(topic, {})
        self._topics.move_to_end(topic)
        for outcome, number in numbers.items():
            if number:
                labels = (stage, outcome, topic, channel)
                if labels not in series:
                    series[labels] = self._alerts.labels(*labels)
                series[labels].inc(number)
        if len(self._topics) > MOST_TOPICS:
            _, gone = self._topics.popitem(last=False)
            for old in gone:
                self._alerts.remove(*old)


def count_kinds(codes: NDArray[np.uint16]) -> list[dict[str, int]]:
    """Return for each channel how many of its verdict codes accept, reject, skip and err.

    Parameters
    ----------
    codes
        Shape (channels, alerts).
    """
    own = kinds(codes) + len(Kind) * np.arange(len(codes))[:, np.newaxis]
    numbers = np.bincount(own.reshape(-1), minlength=len(Kind) * len(codes)).reshape(len(codes), len(Kind))
    return [{kind.name.lower(): of_channel[kind] for kind in _COUNTED} for of_channel in numbers.tolist()]


_COUNTED = tuple(kind for kind in Kind if kind is not Kind.UNASKED)


def _by_series(rows: Rows) -> Iterator[tuple[str, slice]]:
    """Yield the topics, all files as one, with their rows: which lie together, as rows are in the order of topics."""
    for topic, places in groupby(rows.slices(), key=lambda place: _series(place[0].topic)):
        slices = [where for _, where in places]
        yield topic, slice(slices[0].start, slices[-1].stop)


def _series(topic: str) -> str:
    return "files" if topic.startswith("/") else topic  # each file is a topic of its own


def _kind(reason: str) -> str:
    """Return the reason up to its first value: labels are few, messages are not."""
    words = reason.partition(":")[0].split()
    return " ".join(word for word in words[:6] if word.isalpha()) or "other"
