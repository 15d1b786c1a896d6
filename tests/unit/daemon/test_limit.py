"""A fault's lines are few, and what was left out is counted."""

from hypothesis import given
from hypothesis import strategies as st

from ampeld.daemon.limit import MOST_KEYS, PER_SECOND, REPEATS, WINDOW_S, LineLimiter

KEY = ("aiokafka", "no broker %s")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_message_has_five_lines_in_thirty_seconds() -> None:
    clock = Clock()
    limiter = LineLimiter(clock)
    assert [limiter.allows(KEY) for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += WINDOW_S + 1
    assert limiter.allows(KEY)


def test_messages_do_not_share_their_lines() -> None:
    limiter = LineLimiter(Clock())
    for _ in range(9):
        limiter.allows(KEY)
    assert limiter.allows(("aiokafka", "another"))
    assert limiter.allows(("pymongo", KEY[1]))


def test_what_was_left_out_is_told_once_after_thirty_seconds() -> None:
    clock = Clock()
    limiter = LineLimiter(clock)
    for _ in range(REPEATS + 3):
        limiter.allows(KEY)
    assert limiter.take_suppressed() == []
    clock.now += WINDOW_S + 1
    assert limiter.take_suppressed() == [(KEY, 3)]
    assert limiter.take_suppressed() == []
    assert limiter.suppressed == 3


def test_events_of_normal_work_may_repeat() -> None:
    limiter = LineLimiter(Clock())
    assert all(limiter.allows(KEY, repeats=True) for _ in range(PER_SECOND))
    assert not limiter.allows(KEY, repeats=True)


@given(st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 40), st.booleans()), max_size=300))
def test_no_second_ever_has_more_lines_than_twenty(lines: list[tuple[float, int, bool]]) -> None:
    clock = Clock()
    limiter = LineLimiter(clock)
    written: list[float] = []
    for wait, message, repeats in lines:
        clock.now += wait
        written += [clock.now] * len(limiter.take_suppressed())
        if limiter.allows(("x", str(message)), repeats=repeats):
            written.append(clock.now)
    assert all(later - earlier >= 1.0 for earlier, later in zip(written, written[PER_SECOND:], strict=False))


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 3)), max_size=200))
def test_every_line_is_written_or_counted(lines: list[tuple[float, int]]) -> None:
    clock = Clock()
    limiter = LineLimiter(clock)
    written = told = 0
    for wait, message in lines:
        clock.now += wait
        told += sum(count for _, count in limiter.take_suppressed())
        written += limiter.allows(("x", str(message)))
    clock.now += WINDOW_S + 1
    told += sum(count for _, count in limiter.take_suppressed())
    assert written + told == len(lines)
    assert limiter.suppressed == told


def test_a_flood_of_different_messages_takes_bounded_memory() -> None:
    clock = Clock()
    limiter = LineLimiter(clock)
    for number in range(3 * MOST_KEYS):
        clock.now += 0.001
        limiter.allows(("x", str(number)))
    assert len(limiter._seen) <= MOST_KEYS
    assert len(limiter._left_out) <= MOST_KEYS
