import os
import sys

import pytest

from ampeld.daemon.isolation.ending import words_of_status


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


def test_a_process_that_does_not_end_is_said_to():
    assert words_of_status(None) == "did not end when killed"
