"""Every record and verdict is counted once; rates, lag and latency follow from what happened."""

from collections.abc import Sequence

import pytest
from msgspec import structs
from support.store import as_rows, stored

from ampeld.daemon.measuring.tally import Tally
from ampeld.daemon.metrics import MOST_TOPICS
from ampeld.daemon.telemetry import Telemetry
from ampeld.feature.work import Measurement
from ampeld.flow.codes import EXCEPTION
from ampeld.flow.outcome import Outcome
from ampeld.flow.pipe import PipeStatistics
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import ACCEPTED, BYPASSED, CUT, ERRORED, GROUP, OVERRULED, REJECTION, SKIPPED
from ampeld.source.statistics import PartitionStatistics, SourceStatistics
from ampeld.store.blocks import BlockRow
from ampeld.store.documents import Account, ChannelVersion, DeadLetter


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telemetry(clock: Clock) -> Telemetry:
    return Telemetry(version="1", instance="main", run="r", clock=clock, wall=lambda: 2000.0)


def record(offset: int = 0, topic: str = "t") -> Record:
    return Record(
        topic=topic, partition=0, offset=offset, value=b"1234", after=offset, through=offset, timestamp_ms=1_999_000
    )


def account(rows: Sequence[BlockRow], letters: Sequence[DeadLetter] = ()) -> Account:
    channels = (ChannelVersion("a", "1"), ChannelVersion("b", "1"))
    numbered = [
        structs.replace(row, coordinates=structs.replace(row.coordinates, offset=i)) for i, row in enumerate(rows)
    ]
    return Account("r", "main", "1", "c", "g", channels, as_rows(numbered, channels), letters, ())


def row(outcome: Outcome, codes: tuple[int, ...] = (), topic: str = "t") -> BlockRow:
    return stored(0, 1, outcome, codes=codes, links={}, topic=topic)


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.metrics.registry.get_sample_value(name, labels)


def outcome(telemetry: Telemetry, name: str, topic: str = "t") -> float | None:
    return value(telemetry, "ampeld_alerts_total", stage="store", outcome=name, topic=topic, channel="")


def verdicts(telemetry: Telemetry, channel: str) -> dict[str, float]:
    names = ("accepted", "rejected", "skipped", "errored")
    found = {
        name: value(telemetry, "ampeld_alerts_total", stage="filter", outcome=name, topic="t", channel=channel)
        for name in names
    }
    return {name: number for name, number in found.items() if number}


def test_outcomes_and_verdicts_are_counted(telemetry: Telemetry) -> None:
    rows = [
        row(Outcome.STORED, (ACCEPTED, CUT + 3)),
        row(Outcome.DUPLICATE, (BYPASSED, REJECTION + 2)),
        row(Outcome.STORED, (GROUP + 1, ERRORED)),
        row(Outcome.STORED, (OVERRULED, CUT)),
        row(Outcome.FILTERED, (SKIPPED, CUT + 1)),
        row(Outcome.DEAD_LETTERED),
    ]
    batch = Batch([record(i) for i in range(6)], [], 1000.0)
    telemetry.fetched(batch)
    telemetry.flushed(account(rows, [DeadLetter(record(), "decode", "no container: 3 bytes", None)]), [batch])
    assert [outcome(telemetry, o.name.lower()) for o in Outcome] == [1, 3, 1, 1]
    assert verdicts(telemetry, "a") == {"accepted": 4, "skipped": 1}
    assert verdicts(telemetry, "b") == {"rejected": 4, "errored": 1}
    assert value(telemetry, "ampeld_duplicates_total") == 1
    assert value(telemetry, "ampeld_bytes_total") == 24
    assert value(telemetry, "ampeld_dead_letters_total", stage="decode", reason="no container") == 1


def test_the_stages_are_timed_and_bytes_are_in_flight_until_they_are_durable(telemetry: Telemetry) -> None:
    batch = Batch([record(0), record(1)], [], 1000.0)
    telemetry.fetched(batch)
    assert value(telemetry, "ampeld_inflight_bytes") == 8
    telemetry.decoded(0.5)
    telemetry.written(2.0)
    telemetry.flushed(account([row(Outcome.FILTERED)] * 2), [batch])
    assert value(telemetry, "ampeld_inflight_bytes") == 0
    assert value(telemetry, "ampeld_decode_seconds_sum") == 0.5
    assert value(telemetry, "ampeld_bulk_seconds_sum") == 2.0


def test_old_topics_leave_no_series(telemetry: Telemetry) -> None:
    for night in range(MOST_TOPICS + 1):
        telemetry.flushed(account([row(Outcome.FILTERED, (CUT, CUT), f"night{night}")]), [])
    assert outcome(telemetry, "filtered", "night0") is None
    assert outcome(telemetry, "filtered", "night1") == 1


def test_files_share_one_series(telemetry: Telemetry) -> None:
    telemetry.flushed(
        account([row(Outcome.FILTERED, (), "/data/1.avro"), row(Outcome.FILTERED, (), "/data/2.avro")]), []
    )
    assert outcome(telemetry, "filtered", "files") == 2


def test_a_summary_tells_what_happened_since_the_last_one(telemetry: Telemetry, clock: Clock) -> None:
    batch = Batch([record(i) for i in range(4)], [], clock.now)
    clock.now += 2.0
    telemetry.flushed(account([row(Outcome.FILTERED)] * 4), [batch])
    first = telemetry.summary()
    assert (first["alerts_s"], first["filtered"], first["stored"], first["p95_s"]) == (2.0, 4, 0, 2.0)
    clock.now += 10.0
    second = telemetry.summary()
    assert (second["alerts_s"], second["filtered"], second["p95_s"]) == (0.0, 0, None)


def test_latency_weighs_batches_by_their_records(telemetry: Telemetry, clock: Clock) -> None:
    fast = Batch([record(i) for i in range(99)], [], clock.now + 0.9)
    slow = Batch([record()], [], clock.now)
    clock.now += 1.0
    telemetry.flushed(account([]), [fast, slow])
    assert telemetry.status()["latency_s"] == {"p50": 0.1, "p95": 0.1, "p99": 0.1}


def test_a_part_that_fails_degrades_the_whole_until_it_works_again(telemetry: Telemetry) -> None:
    assert telemetry.state == "live"
    telemetry.store_failed("transient", "no primary")
    assert telemetry.state == "degraded"
    assert telemetry.summary()["store"] == "degraded: no primary"
    assert telemetry.status()["parts"] == {"store": {"state": "degraded", "reason": "no primary"}}
    assert value(telemetry, "ampeld_mongo_up") == 0
    assert value(telemetry, "ampeld_mongo_errors_total", **{"class": "transient"}) == 1
    telemetry.flushed(account([]), [])
    assert telemetry.state == "live"
    assert value(telemetry, "ampeld_mongo_up") == 1


def statistics(*parts: PartitionStatistics, commits: int = 0, connected: bool = True) -> SourceStatistics:
    return SourceStatistics(parts, ("later",), connected, 1, commits, 0, 0, 0, 0)


def partition(number: int, lag: int | None, timestamp_ms: int | None = None) -> PartitionStatistics:
    return PartitionStatistics("t", number, 60, 50, 100, 0, lag, timestamp_ms)


def test_positions_lag_and_commits_come_from_the_source(telemetry: Telemetry) -> None:
    telemetry.source(statistics(partition(0, 40, 1_990_000), partition(1, 0, 1_000), commits=3))
    status = telemetry.status()
    assert (status["lag"], status["lag_s"], status["waiting_for"]) == (40, 10.0, ["later"])
    assert status["position"][0] == {
        "topic": "t",
        "partition": 0,
        "position": 60,
        "committed": 50,
        "end": 100,
        "lag": 40,
    }
    assert value(telemetry, "ampeld_lag_messages", topic="t", partition="0") == 40
    assert value(telemetry, "ampeld_lag_seconds", topic="t", partition="1") == 0
    assert value(telemetry, "ampeld_retention_used_ratio", topic="t", partition="0") == 0.4
    assert value(telemetry, "ampeld_commits_total", result="ok") == 3
    assert value(telemetry, "ampeld_last_commit_timestamp_seconds") == 2000
    telemetry.source(statistics(commits=5, connected=False))
    assert value(telemetry, "ampeld_commits_total", result="ok") == 5
    assert value(telemetry, "ampeld_lag_messages", topic="t", partition="0") is None
    assert telemetry.state == "degraded"


def test_an_unknown_lag_is_not_zero(telemetry: Telemetry) -> None:
    assert telemetry.status()["lag"] is None
    telemetry.source(statistics(partition(0, None)))
    assert telemetry.status()["lag"] is None
    assert value(telemetry, "ampeld_lag_messages", topic="t", partition="0") is None


def test_a_full_first_pipe_is_back_pressure(telemetry: Telemetry) -> None:
    telemetry.flow([PipeStatistics("fetched", 2, 2, 2, 9)], in_flight=7)
    assert value(telemetry, "ampeld_paused") == 1
    assert value(telemetry, "ampeld_inflight_messages") == 7
    assert value(telemetry, "ampeld_pipe_items", pipe="fetched") == 2
    telemetry.flow([PipeStatistics("fetched", 2, 1, 2, 9)], in_flight=0)
    assert value(telemetry, "ampeld_paused") == 0


def test_measurements_and_waiting_tickets_are_told_by_unit(telemetry: Telemetry) -> None:
    tally = Tally()
    tally.measured("RiseDecline", Measurement(0, {}, None, 500.0), in_flow=True)
    tally.measured("RiseDecline", Measurement(EXCEPTION, None, "no", 500.0), in_flow=False)
    tally.waiting({"RiseDecline": (4, None)})
    tally.refused = 2
    for _ in range(2):
        telemetry.metrics.fill_features(tally, 3)
    page = telemetry.metrics.page().decode()
    for line in (
        'ampeld_features_total{unit="RiseDecline",way="in_flow"} 1.0',
        'ampeld_features_total{unit="RiseDecline",way="from_tickets"} 1.0',
        'ampeld_features_total{unit="RiseDecline",way="failed"} 1.0',
        'ampeld_feature_seconds_total{unit="RiseDecline"} 1.0',
        'ampeld_feature_tickets{unit="RiseDecline"} 4.0',
        "ampeld_feature_processes_lost_total 3.0",
        "ampeld_feature_results_refused_total 2.0",
    ):
        assert line in page


def test_the_page_and_the_line_are_readable(telemetry: Telemetry) -> None:
    telemetry.flushed(account([row(Outcome.STORED, (ACCEPTED, CUT))]), [Batch([record()], [], 1000.0)])
    page = telemetry.metrics.page().decode()
    assert 'ampeld_build_info{instance="main"' in page
    assert "ampeld_end_to_end_seconds_sum 1.0" in page
    assert telemetry.line() == "0 partitions, 1/s, lag ?, store live"
