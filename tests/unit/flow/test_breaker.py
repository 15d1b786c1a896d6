from hypothesis import given
from hypothesis import strategies as st

from ampeld.flow.breaker import AMONG, IN_A_ROW, PROBE_S, WINDOW, Breaker

HERE, THERE = ("night", 0), ("night", 1)


def test_good_records_never_stop_a_partition():
    breaker = Breaker()
    assert not any(breaker.note(HERE, [False] * 50, 0.0) for _ in range(20))
    assert breaker.stopped == []


def test_a_hundred_dead_letters_in_a_row_stop_it():
    breaker = Breaker()
    assert not breaker.note(HERE, [True] * (IN_A_ROW - 1), 0.0)
    assert breaker.note(HERE, [True], 0.0)
    assert breaker.stopped == [HERE]


def test_a_good_record_among_them_breaks_the_row():
    breaker = Breaker()
    assert not breaker.note(HERE, [True] * (IN_A_ROW - 1) + [False], 0.0)


def test_more_than_half_of_the_last_records_stop_it_without_a_row():
    breaker = Breaker()
    assert not breaker.note(HERE, [True, False] * (WINDOW // 2), 0.0)
    assert breaker.note(HERE, [True, True], 0.0)


def test_half_poison_goes_on_for_ever():
    breaker = Breaker()
    assert not any(breaker.note(HERE, [True, False], 0.0) for _ in range(1000))


def test_each_partition_is_stopped_for_itself():
    breaker = Breaker()
    breaker.note(HERE, [True] * IN_A_ROW, 0.0)
    assert not breaker.note(THERE, [True] * 5, 0.0)
    assert breaker.stopped == [HERE]


def test_what_was_on_its_way_when_it_was_stopped_changes_nothing():
    breaker = Breaker()
    breaker.note(HERE, [True] * IN_A_ROW, 0.0)
    assert not breaker.note(HERE, [True] * IN_A_ROW, 1.0)
    assert breaker.due(PROBE_S - 1) == []
    assert breaker.due(PROBE_S) == [HERE]


def test_a_try_that_brings_a_dead_letter_stops_it_again_at_once():
    breaker = Breaker()
    breaker.note(HERE, [True] * IN_A_ROW, 0.0)
    breaker.due(PROBE_S)
    assert breaker.note(HERE, [False, True], PROBE_S)
    assert breaker.due(2 * PROBE_S) == [HERE]


def test_a_try_that_goes_well_lets_it_go_on_as_if_nothing_had_been():
    breaker = Breaker()
    breaker.note(HERE, [True] * IN_A_ROW, 0.0)
    breaker.due(PROBE_S)
    assert not breaker.note(HERE, [False] * 10, PROBE_S)
    assert not breaker.note(HERE, [True] * (IN_A_ROW - 1), PROBE_S)
    assert breaker.stopped == []


@given(st.lists(st.booleans(), max_size=500), st.data())
def test_it_trips_on_the_same_record_however_they_are_cut_into_batches(dead, data):
    def tripped_at(cuts):
        breaker, at = Breaker(), 0
        for size in cuts:
            part = dead[at : at + size]
            at += len(part)
            if breaker.note(HERE, part, 0.0):
                return True
        return False

    whole = tripped_at([len(dead)])
    sizes = data.draw(st.lists(st.integers(1, 60), min_size=len(dead), max_size=len(dead)))
    windows = [sum(dead[max(0, end - WINDOW) : end]) > AMONG for end in range(1, len(dead) + 1)]
    rows = [end >= IN_A_ROW and all(dead[end - IN_A_ROW : end]) for end in range(1, len(dead) + 1)]
    assert tripped_at(sizes) == whole == any(windows + rows)
