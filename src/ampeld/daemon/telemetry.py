"""What the daemon knows of itself: counters for Prometheus, a summary for the log, a document for the status page."""

import asyncio
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ampeld.alert.decode import DECODER
from ampeld.daemon.logging import suppressed_lines
from ampeld.daemon.metrics import Metrics
from ampeld.flow.outcome import Outcome
from ampeld.flow.pipe import PipeStatistics
from ampeld.flow.record import Batch
from ampeld.source.statistics import SourceStatistics
from ampeld.store.documents import Account

WINDOW_S = 60.0
"""Over how long the rates and latencies of the status page are taken."""

LOOP_S = 0.5

MOST_SCHEMAS = 32
"""Schemas that the status page tells of: the newest."""

LIVE, DEGRADED = "live", "degraded"


class Telemetry:
    """Is told what happens, and tells it on.

    Parameters
    ----------
    version, instance, run
        Who this is.
    clock
        Monotonic seconds.
    wall
        Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        version: str,
        instance: str,
        run: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    ) -> None:
        self.metrics = Metrics(version, instance, wall())
        self._who = {"instance": instance, "run": run, "version": version}
        self._clock = clock
        self._wall = wall
        self._started = self._summarised = clock()
        self._outcomes: Tally[str] = Tally()
        self._at_summary: Tally[str] = Tally()
        self._sizes: dict[int, int] = {}
        self._recent: deque[tuple[float, int, float]] = deque()  # when, how many, seconds since their fetch
        self._parts: dict[str, tuple[str, str | None]] = {}
        self._source: SourceStatistics | None = None
        self._schemas: dict[str, dict[str, Any]] = {}
        self._pipes: Sequence[PipeStatistics] = ()

    def fetched(self, batch: Batch) -> None:
        """Note that a batch is on its way."""
        # Payloads are let go of on the way: what was fetched is remembered for when it is durable.
        size = self._sizes[id(batch)] = sum(len(record.value) for record in batch.records)
        self.metrics.in_flight_bytes.inc(size)

    def decoded(self, seconds: float) -> None:
        """Note how long one batch took to decode."""
        self.metrics.decode.observe(seconds)

    def written(self, seconds: float) -> None:
        """Note how long one flush took to become durable."""
        self.metrics.bulk.observe(seconds)

    def flushed(self, account: Account, batches: Sequence[Batch]) -> None:
        """Note that the outcomes of these batches have become durable."""
        now, wall = self._clock(), self._wall()
        self.metrics.count_account(account)
        numbers = np.bincount(account.rows.outcome, minlength=len(Outcome)).tolist()
        self._outcomes.update({outcome.name.lower(): numbers[outcome] for outcome in Outcome})
        for batch in batches:
            self._recent.append((now, len(batch.records), now - batch.received_s))
            self.metrics.latency.observe(now - batch.received_s)
            size = self._sizes.pop(id(batch), 0)
            self.metrics.bytes.inc(size)
            self.metrics.in_flight_bytes.dec(size)
            stamp = next((r.timestamp_ms for r in batch.records if r.timestamp_ms is not None), None)
            if stamp is not None:
                self.metrics.end_to_end.observe(max(0.0, wall - stamp / 1000))
        self._forget(now)
        self.part("store", LIVE)

    def store_failed(self, kind: str, cause: str) -> None:
        """Note that a call of the store failed and is repeated."""
        self.metrics.store_errors.labels(kind).inc()
        self.part("store", DEGRADED, cause)

    def schema(self, fingerprint: str, version: str, additions: Sequence[str]) -> None:
        """Note a schema that alerts came with, and its fields that nobody knows yet."""
        self._schemas[fingerprint] = {"version": version, "additions": list(additions)}
        if len(self._schemas) > MOST_SCHEMAS:  # damaged headers make schemas of their own
            self._schemas.pop(next(iter(self._schemas)))

    def part(self, name: str, state: str, reason: str | None = None) -> None:
        """Note the state of a part, ``live`` or ``degraded``, and why."""
        self._parts[name] = (state, reason)
        if name == "store":
            self.metrics.mongo_up.set(state == LIVE)

    def source(self, statistics: SourceStatistics) -> None:
        """Take the numbers of the source: positions, lag, commits."""
        self._source = statistics
        metrics, wall = self.metrics, self._wall()
        if statistics.connected:
            self.part("source", LIVE)
        else:
            self.part("source", DEGRADED, "no broker answers")
        for counter, total in (
            (metrics.rebalances, statistics.rebalances),
            (metrics.rebuilds, statistics.rebuilds),
            (metrics.gaps, statistics.gaps),
            (metrics.commits.labels("failed"), statistics.commits_failed),
            (metrics.commits.labels("lost"), statistics.commits_lost),
        ):
            metrics.raise_to(counter, total)
        if metrics.raise_to(metrics.commits.labels("ok"), statistics.commits):
            metrics.last_commit.set(wall)
        for gauge in (metrics.lag_messages, metrics.lag_seconds, metrics.retention_used):
            gauge.clear()
        for part in statistics.partitions:
            labels = (part.topic, str(part.partition))
            if part.lag is not None:
                metrics.lag_messages.labels(*labels).set(part.lag)
                metrics.lag_seconds.labels(*labels).set(self._age(part.timestamp_ms) if part.lag else 0.0)
            if part.lag is not None and part.begin is not None and part.end is not None and part.end > part.begin:
                metrics.retention_used.labels(*labels).set(min(1.0, part.lag / (part.end - part.begin)))

    def lost(self, offsets: int) -> None:
        """Note that offsets were lost before they were read: retention overtook us."""
        self.metrics.gap_offsets.inc(offsets)

    def flow(self, pipes: Sequence[PipeStatistics], in_flight: int) -> None:
        """Take how full the pipes are, and how many records are open; a full first pipe holds the source back."""
        self._pipes = pipes
        self.metrics.fill_pipes(pipes)
        self.metrics.in_flight.set(in_flight)
        self.metrics.raise_to(self.metrics.log_suppressed, suppressed_lines())
        self.metrics.paused.set(bool(pipes) and pipes[0].size >= pipes[0].capacity)

    def summary(self) -> dict[str, Any]:
        """Return what has happened since the last summary: the values of one log line."""
        now = self._clock()
        seconds = max(now - self._summarised, 1e-9)
        recent = [(number, latency) for at, number, latency in self._recent if at > self._summarised]
        since = self._outcomes - self._at_summary
        self._summarised, self._at_summary = now, self._outcomes.copy()
        return {
            "alerts_s": round(since.total() / seconds, 1),
            **{outcome.name.lower(): since[outcome.name.lower()] for outcome in Outcome},
            "lag": self._lag(),
            "lag_s": self._lag_s(),
            "p95_s": _percentile(recent, 0.95),
            **{
                name: f"{state}: {why}" if why else state for name, (state, why) in self._parts.items() if state != LIVE
            },
        }

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        now = self._clock()
        self._forget(now)
        recent = [(number, latency) for _, number, latency in self._recent]
        span = min(WINDOW_S, max(now - self._started, 1.0))
        source = self._source
        return {
            **self._who,
            "state": self.state,
            "decoder": DECODER,
            "uptime_s": round(now - self._started, 1),
            "parts": {name: {"state": state, "reason": why} for name, (state, why) in self._parts.items()},
            "outcomes": {outcome.name.lower(): self._outcomes[outcome.name.lower()] for outcome in Outcome},
            "alerts_s": round(sum(number for number, _ in recent) / span, 1),
            "latency_s": {f"p{int(q * 100)}": _percentile(recent, q) for q in (0.5, 0.95, 0.99)},
            "lag": self._lag(),
            "lag_s": self._lag_s(),
            "position": [_position(part) for part in source.partitions] if source else [],
            "waiting_for": list(source.waiting_for) if source else [],
            "schemas": self._schemas,
            "pipes": {
                pipe.name: {"size": pipe.size, "capacity": pipe.capacity, "peak": pipe.peak} for pipe in self._pipes
            },
        }

    @property
    def state(self) -> str:
        """Return ``live``, or ``degraded`` when a part is."""
        return DEGRADED if any(state != LIVE for state, _ in self._parts.values()) else LIVE

    def line(self) -> str:
        """Return the status in one line, as ``systemctl status`` shows it."""
        status = self.status()
        parts = ", ".join(f"{name} {state}" for name, (state, _) in self._parts.items())
        lag = "?" if status["lag"] is None else status["lag"]
        return (
            f"{len(status['position'])} partitions, {status['alerts_s']:g}/s, lag {lag}{f', {parts}' if parts else ''}"
        )

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()

    def _lag(self) -> int | None:
        known = [part.lag for part in self._source.partitions if part.lag is not None] if self._source else []
        return sum(known) if known else None

    def _lag_s(self) -> float | None:
        """Return how far behind the most delayed partition is; 0 when all is read."""
        if self._source is None or not self._source.partitions:
            return None
        behind = [part.timestamp_ms for part in self._source.partitions if part.lag]
        return round(max((self._age(stamp) for stamp in behind), default=0.0), 1)

    def _age(self, stamp_ms: int | None) -> float:
        return 0.0 if stamp_ms is None else max(0.0, self._wall() - stamp_ms / 1000)


async def watch_loop(telemetry: Telemetry) -> None:
    """Measure for ever how late the event loop wakes up."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + LOOP_S
        await asyncio.sleep(LOOP_S)
        telemetry.metrics.loop_lag.observe(max(0.0, clock() - due))


def _position(part: Any) -> Mapping[str, Any]:
    keys = ("topic", "partition", "position", "committed", "end", "lag")
    return {key: getattr(part, key) for key in keys}


def _percentile(weighted: Sequence[tuple[int, float]], q: float) -> float | None:
    """Return the value below which a part `q` of the weight lies."""
    total = sum(number for number, _ in weighted)
    if not total:
        return None
    reached = 0
    for number, value in sorted(weighted, key=lambda pair: pair[1]):
        reached += number
        if reached >= q * total:
            return round(value, 3)
    return None
