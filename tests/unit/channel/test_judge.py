from asyncio import CancelledError

import numpy as np
import pytest
from fakes.table import candidates, table
from hypothesis import given
from hypothesis import strategies as st

from ampeld.channel.condition import Condition
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import MAX_TRACEBACK, judge, learn_cuts
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, GROUP, REJECTION, cut_name, describe


class Cuts(Filter):
    def cuts(self, a):
        yield "bright", a.magpsf < 20
        yield "real", a.rb > 0.5


class Accepting(Filter):
    """Answers what the test puts into ``answers``, by candid."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def cuts(self, a):
        yield "bright", a.magpsf < 20

    def accept(self, alert):
        answer = self.answers[alert.candid - 10]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def answered(*answers):
    return judge(Accepting(answers), candidates("magpsf", *[19.0] * len(answers)), CutNames())


def broken(cuts):
    return type("Broken", (Filter,), {"cuts": cuts})()


def test_the_first_cut_that_fails_counts():
    names = CutNames()
    table = candidates("magpsf", 19.0, 21.0, None)
    assert judge(Cuts(), table, names).codes.tolist() == [CUT + 1, CUT, CUT]  # rb is missing everywhere
    assert names.names == ["bright", "real"]


def test_a_filter_without_cuts_accepts_all():
    judgement = judge(Filter(), candidates("rb", 1.0, None), CutNames())
    assert judgement.codes.tolist() == [ACCEPTED, ACCEPTED]
    assert judgement.codes.dtype == np.uint16
    assert judgement.cuts == []


def test_cuts_are_asked_for_only_as_long_as_an_alert_is_left():
    asked = []

    def cuts(self, a):
        yield "bright", a.magpsf < 20
        asked.append("real")
        yield "real", a.rb > 0.5
        asked.append("never")
        yield "never", a.rb > 1.0

    judgement = judge(broken(cuts), candidates("magpsf", 19.0, 21.0, None), CutNames())
    assert judgement.codes.tolist() == [CUT + 1, CUT, CUT]
    assert asked == ["real"]


def test_no_alerts_have_no_verdicts():
    judgement = judge(broken(lambda self, a: 1 / 0), table(), CutNames())
    assert (judgement.codes.tolist(), judgement.failures) == ([], [])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, CUT + 1),
        (False, CUT + 1),
        (np.False_, CUT + 1),
        (True, ACCEPTED),
        (np.True_, ACCEPTED),
        (1, GROUP + 1),
        (np.int64(7), GROUP + 7),
        (16383, GROUP + 16383),
        (-1, REJECTION + 1),
        (np.int8(-3), REJECTION + 3),
        (-32767, REJECTION + 32767),
    ],
)
def test_accept_says_yes_no_group_or_reason(answer, code):
    judgement = answered(answer)
    assert judgement.codes.tolist() == [code]
    assert judgement.cuts == ["bright", "accept"]
    assert judgement.failures == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (0, "accept() returned 0: a group is 1 to 16383, a rejection code -1 to -32767"),
        (16384, "accept() returned 16384"),
        (-32768, "accept() returned -32768"),
        (np.int64(0), "accept() returned 0"),
        (1.0, "accept() returned float where None, bool or int is expected"),
        ("yes", "accept() returned str"),
        (np.array([True]), "accept() returned ndarray"),
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit(1), "SystemExit: 1"),
        (GeneratorExit(), "GeneratorExit"),
        (CancelledError(), "asyncio.exceptions.CancelledError"),
        (RecursionError(), "RecursionError"),
    ],
)
def test_any_other_answer_is_that_alerts_failure(answer, error):
    judgement = answered(True, answer, None)
    assert judgement.codes.tolist() == [ACCEPTED, ERRORED, CUT + 1]
    assert [f.row for f in judgement.failures] == [1]
    assert judgement.failures[0].error.startswith(error)


def test_a_cut_whose_name_ends_in_a_code_rejects_with_that_code():
    def cuts(self, a):
        yield "bright (-3)", a.magpsf < 20
        yield "real (3)", a.rb > 0.5

    names = CutNames()
    judgement = judge(broken(cuts), candidates("magpsf", 21.0, 19.0), names)
    assert judgement.codes.tolist() == [REJECTION + 3, CUT + 1]
    assert [cut_name(code, names.names) for code in judgement.codes.tolist()] == ["bright (-3)", "real (3)"]
    assert describe(REJECTION + 3, names.names) == "rejected by bright (-3)"
    assert describe(REJECTION + 4, names.names) == "rejected by accept, code -4"


@pytest.mark.parametrize("name", ["zero (-0)", "much (-32768)", "very much (-99999)", "(-3)", "close(-3)", "open (-3"])
def test_what_is_no_code_is_part_of_the_name(name):
    names = CutNames()
    assert names.code(name) == CUT
    assert cut_name(CUT, names.names) == name


def test_accept_is_asked_for_survivors_only():
    judgement = judge(Accepting([True, 1 / 2]), candidates("magpsf", 19.0, 21.0), CutNames())
    assert judgement.codes.tolist() == [ACCEPTED, CUT]
    assert judgement.failures == []


def test_accept_has_its_number_though_no_alert_gets_there():
    assert judge(Accepting([]), candidates("magpsf", 21.0), CutNames()).cuts == ["bright", "accept"]


def fails_on_some(self, a):
    if (a.magpsf.values == 21.0).any():
        raise ZeroDivisionError("twenty-one")
    yield "bright", a.magpsf < 20


def test_a_cut_that_raises_fails_only_the_alerts_that_it_raises_on():
    judgement = judge(broken(fails_on_some), candidates("magpsf", 19.0, 21.0, 22.0), CutNames())
    assert judgement.codes.tolist() == [ACCEPTED, ERRORED, CUT]
    assert [(f.row, f.error) for f in judgement.failures] == [(1, "ZeroDivisionError: twenty-one")]
    assert 'raise ZeroDivisionError("twenty-one")' in judgement.failures[0].traceback


def test_an_alert_that_failed_a_cut_before_the_filter_broke_is_rejected_and_no_error():
    def cuts(self, a):
        yield "bright", a.magpsf < 20
        raise ZeroDivisionError

    judgement = judge(broken(cuts), candidates("magpsf", 21.0, 19.0), CutNames())
    assert judgement.codes.tolist() == [CUT, ERRORED]
    assert [f.row for f in judgement.failures] == [1]


@given(st.lists(st.sampled_from([19.0, 21.0, 22.0, None]), min_size=1, max_size=8), st.data())
def test_verdicts_do_not_depend_on_which_alerts_come_together(magnitudes, data):
    table, names = candidates("magpsf", *magnitudes), CutNames()
    names.number("bright")
    whole = judge(broken(fails_on_some), table, names).codes.tolist()
    at = data.draw(st.integers(0, len(magnitudes)))
    parts = [
        judge(broken(fails_on_some), table.select(rows), names) for rows in (range(at), range(at, len(magnitudes)))
    ]
    assert whole == [code for part in parts for code in part.codes.tolist()]


@pytest.mark.parametrize(
    ("cut", "error"),
    [
        (("odd", True), "cut 'odd' is bool where a Condition is expected"),
        (("odd", np.array([True, True])), "cut 'odd' is ndarray"),
        (("odd", None), "cut 'odd' is NoneType"),
        (("odd", Condition.of(np.ones(3, bool))), "cut 'odd' has 3 elements for 1 alerts"),
        (("accept", Condition.of(np.ones(1, bool))), "no cut can be named 'accept'"),
        (("", Condition.of(np.ones(1, bool))), "'' is no name for a cut"),
        (("a\nb", Condition.of(np.ones(1, bool))), "'a\\nb' is no name"),
        (("x" * 65, Condition.of(np.ones(1, bool))), "'xxx"),
        (Condition.of(np.ones(1, bool)), "cuts() yielded Condition where (name, condition) is expected"),
        ((1, 2, 3), "cuts() yielded tuple"),
    ],
)
def test_what_is_no_cut_is_a_failure_that_says_so(cut, error):
    def cuts(self, a):
        yield cut

    judgement = judge(broken(cuts), candidates("rb", 1.0, 1.0), CutNames())
    assert judgement.codes.tolist() == [ERRORED, ERRORED]
    assert all(failure.error.startswith(error) for failure in judgement.failures)


def test_two_cuts_of_one_name_are_a_failure():
    def cuts(self, a):
        yield "same", a.rb > 0
        yield "same", a.rb > 1

    assert judge(broken(cuts), candidates("rb", 1.0), CutNames()).failures[0].error == "two cuts are named 'same'"


def test_cuts_without_end_are_a_failure():
    def cuts(self, a):
        number = 0
        while True:
            yield f"cut {(number := number + 1)}", a.rb > 0

    assert judge(broken(cuts), candidates("rb", 1.0), CutNames()).failures[0].error == "more than 4096 cuts"


def test_cuts_that_are_not_a_generator_are_a_failure():
    judgement = judge(broken(lambda self, a: None), candidates("rb", 1.0), CutNames())
    assert judgement.failures[0].error == "TypeError: 'NoneType' object is not iterable"


def test_cut_numbers_stay_what_they_are():
    names = CutNames()
    judge(broken(lambda self, a: iter([("one", a.rb > 0)])), candidates("rb", 1.0), names)
    judge(broken(lambda self, a: iter([("two", a.rb > 0), ("one", a.rb > 0)])), candidates("rb", 1.0), names)
    assert names.names == ["one", "two"]
    assert names[1] == "two"


def test_too_many_names_over_time_are_a_failure():
    names = CutNames()
    for number in range(0x1000):
        names.number(f"cut {number}")
    judgement = judge(broken(lambda self, a: iter([("another", a.rb > 2)])), candidates("rb", 1.0), names)
    assert judgement.codes.tolist() == [ERRORED]
    assert len(names) == 0x1000


def test_errors_and_tracebacks_are_bounded_text():
    judgement = answered(ValueError("\ud800" + "é" * 100_000))
    failure = judgement.failures[0]
    assert failure.error.startswith("ValueError: ?éé")
    assert len(failure.error.encode()) <= 1024
    assert len(failure.traceback.encode()) <= MAX_TRACEBACK


def test_an_error_that_cannot_be_printed_is_a_failure_too():
    class SilentError(Exception):
        def __str__(self):
            raise RuntimeError

    assert "SilentError" in answered(SilentError()).failures[0].error


def test_numpy_warnings_of_a_filter_stay_its_own():
    def cuts(self, a):
        yield "log", Condition.of(np.log(a.rb.values - 1.0) < 0)

    assert judge(broken(cuts), candidates("rb", 0.0, 1.0), CutNames()).codes.tolist() == [CUT, ACCEPTED]


def test_cut_names_are_known_before_the_first_alert():
    names = CutNames()
    learn_cuts(Accepting([]), names)
    assert names.names == ["bright", "accept"]


def test_a_filter_that_fails_on_an_empty_batch_teaches_its_names_later():
    names = CutNames()
    learn_cuts(broken(lambda self, a: iter([("first", a.magpsf < a.magpsf.values[0])])), names)
    assert names.names == []


def test_learning_the_cuts_tells_why_a_filter_fails_on_an_empty_batch():
    class Mistyped(Filter):
        def cuts(self, a):
            yield "bright", a.magpfs < 19.0

    assert "did you mean 'magpsf'" in (learn_cuts(Mistyped(), CutNames()) or "")
