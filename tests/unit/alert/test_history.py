"""The union of an object's history: one state for one set of accepted alerts, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from ampeld.alert.history import state_of
from ampeld.alert.point import TIMELESS, KnownPoint


def a_point(
    number: int, jd: float = 1.0, *, rcid: int | None = 5, programid: int = 1, since: float = 1.0
) -> KnownPoint:
    return KnownPoint(number, jd, rcid, programid, since)


def test_a_state_lists_its_points_in_ascending_order():
    assert state_of([a_point(9, 1.0), a_point(-3, 0.5)], jd=2.0, private=False) == (-3, 9)


def test_the_larger_id_wins_where_two_points_share_time_and_quadrant():
    assert state_of([a_point(7), a_point(9), a_point(8)], jd=2.0, private=False) == (9,)


def test_points_of_other_quadrants_at_one_time_both_count():
    assert state_of([a_point(7, rcid=1), a_point(9, rcid=2)], jd=2.0, private=False) == (7, 9)


def test_points_without_a_quadrant_stand_for_themselves_though_they_share_a_time():
    assert state_of([a_point(-7, rcid=None), a_point(9, rcid=None)], jd=2.0, private=False) == (-7, 9)


def test_of_what_has_no_time_only_what_was_brought_last_counts():
    records = [a_point(30, TIMELESS, rcid=None, since=1.0), a_point(10, TIMELESS, rcid=None, since=3.0)]
    assert state_of([*records, a_point(20)], jd=3.0, private=False) == (10, 20)
    assert state_of([*records, a_point(20)], jd=2.0, private=False) == (20, 30)
    assert state_of([*records, a_point(11, TIMELESS, since=3.0)], jd=3.0, private=False) == (11,)


def test_a_point_measured_after_the_alert_does_not_count():
    assert state_of([a_point(7, 3.0)], jd=2.0, private=False) == ()


def test_a_point_that_only_a_later_alert_brought_does_not_count():
    assert state_of([a_point(7, 1.0, since=5.0)], jd=2.0, private=False) == ()


def test_points_of_the_partnership_are_for_channels_with_the_right():
    points = [a_point(7, programid=2), a_point(8, 0.5, programid=3)]
    assert state_of(points, jd=2.0, private=False) == (8,)
    assert state_of(points, jd=2.0, private=True) == (7, 8)


points = st.builds(
    KnownPoint,
    id=st.integers(-50, 50),
    jd=st.sampled_from([0.5, 1.0, 1.5, 2.0, TIMELESS]),
    rcid=st.sampled_from([1, 2, None]),
    programid=st.integers(0, 3),
    since=st.sampled_from([0.5, 1.0, 1.5, 2.0]),
)


@given(st.lists(points, unique_by=lambda p: p.id), st.sampled_from([0.7, 1.2, 2.0]), st.booleans(), st.randoms())
def test_a_state_does_not_depend_on_the_order_of_its_points(known, jd, private, random):
    shuffled = list(known)
    random.shuffle(shuffled)
    assert state_of(shuffled, jd=jd, private=private) == state_of(known, jd=jd, private=private)
