"""When a consumer counts as dead."""

from ampeld.source.stall import REBUILDS_PER_HOUR, STALL_S, StallDetector


def test_only_silence_beyond_the_limit_is_a_stall() -> None:
    detector = StallDetector(0.0)
    assert not detector.is_stalled(STALL_S)
    assert detector.is_stalled(STALL_S + 1)
    detector.progressed(STALL_S + 1)
    assert not detector.is_stalled(2 * STALL_S)


def test_rebuilding_is_bounded_by_the_hour() -> None:
    detector = StallDetector(0.0)
    assert [detector.may_rebuild(10.0 * n) for n in range(REBUILDS_PER_HOUR + 1)] == [True] * REBUILDS_PER_HOUR + [
        False
    ]
    assert detector.may_rebuild(3700.0)


def test_a_rebuilt_consumer_gets_its_time() -> None:
    detector = StallDetector(0.0)
    assert detector.may_rebuild(500.0)
    assert not detector.is_stalled(500.0 + STALL_S)
