import sys

from ampeld.daemon.isolation.capture import KEPT, Capture


def test_the_beginning_is_kept_and_all_is_counted(monkeypatch):
    capture = Capture()
    monkeypatch.setattr(sys, "stdout", capture)
    print("hello", 7)  # noqa: T201  that is the point
    for _ in range(1000):
        print("x" * 999)  # noqa: T201
    text, characters = capture.take()
    assert text.startswith("hello 7\nxxx")
    assert len(text) == KEPT
    assert characters == 8 + 1000 * 1000


def test_what_was_taken_is_gone():
    capture = Capture()
    capture.write("one")
    assert capture.take() == ("one", 3)
    assert capture.take() == ("", 0)
    capture.write("two")
    assert capture.take() == ("two", 3)


def test_half_a_surrogate_does_not_break_the_answer():
    capture = Capture()
    capture.write("a\udcffb")
    assert capture.take() == ("a?b", 3)
