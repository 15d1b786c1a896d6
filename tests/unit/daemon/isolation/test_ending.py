import os
import sys

import pytest

from ampeld.daemon.isolation.ending import words_of_status
from ampeld.daemon.isolation.messages import MEASURE


def status_of(code):
    """Return what waitpid says of a Python process that runs this."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", code], {})
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(3)", "the filter process ended with exit code 3"),
        ("import os; os._exit(113)", "the filter closed the connection between its process and the daemon"),
        ("import os; os._exit(114)", "the filter started a process"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 40)", "killed by signal 40"),
    ],
)
def test_an_end_is_told_in_words(code, words):
    assert words_of_status(status_of(code)) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "the measuring process ended with exit code 3"),
        (113, "the unit closed the connection between its process and the daemon"),
        (114, "the unit started a process"),
    ],
)
def test_the_end_of_a_process_that_measures_is_told_in_words_for_authors_of_units(code, words):
    assert words_of_status(status_of(f"import os; os._exit({code})"), MEASURE) == words


def test_a_process_that_does_not_end_is_said_to():
    assert words_of_status(None) == "did not end when killed"
