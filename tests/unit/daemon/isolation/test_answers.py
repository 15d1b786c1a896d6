"""An answer is believed only as far as a filter can have given it."""

import numpy as np
import pytest

from ampeld.channel.cutnames import CutNames
from ampeld.daemon.isolation.answers import NonsenseAnswerError, NumberedCuts, believe
from ampeld.daemon.isolation.messages import Answer, Failed, Result
from ampeld.flow.verdict import (
    ACCEPTED,
    BYPASSED,
    CUT,
    ERRORED,
    GROUP,
    MAX_CUT,
    OVERRULED,
    REJECTION,
    SKIPPED,
    UNASKED,
)


def names(*cuts):
    ours = CutNames()
    for cut in cuts:
        ours.number(cut)
    return ours


def answer(*rows, cuts=None, failures=(), texts=("trace",)):
    """Return an answer of as many channels as there are rows of codes."""
    results = [
        Result(place, list(cuts or ()), list(failures), ns=1, grown_kb=0, printed="", printed_characters=0)
        for place in range(len(rows))
    ]
    return Answer(1, np.array(rows, dtype="<u2").tobytes(), results, list(texts), 0, [])


def numbered(ours, told):
    """Return the cut names of a worker that has told of these."""
    made = NumberedCuts(ours)
    made.learn(told)
    return made


def believed(said, *, told=("first", "second"), ours=None, seen=None):
    """Return what is believed of the answer of one channel."""
    length = len(said.codes) // 2
    mask = np.ones((1, length), dtype=np.bool_) if seen is None else np.array([seen])
    return believe(said, [0], mask, [numbered(names() if ours is None else ours, told)])


def test_every_verdict_that_a_filter_can_give_is_believed():
    codes = [ACCEPTED, CUT, CUT + 1, GROUP + 1, REJECTION - 1, REJECTION + 1, 0xFFFF]
    found = believed(answer(codes))
    assert found.codes.tolist() == [codes]
    assert not found.doubted


@pytest.mark.parametrize("code", [UNASKED, BYPASSED, OVERRULED, SKIPPED, 6, CUT - 1, GROUP, REJECTION])
def test_a_verdict_that_no_filter_can_give_is_nonsense(code):
    found = believed(answer([ACCEPTED, code]))
    assert found.doubted == {0: f"{code} is no verdict of a filter"}


def test_a_cut_that_was_never_named_is_nonsense():
    assert "cut" in believed(answer([CUT + 2])).doubted[0]
    assert "cut" in believed(answer([CUT + MAX_CUT])).doubted[0]


def test_what_is_said_of_alerts_that_were_not_asked_about_does_not_count():
    found = believed(answer([ACCEPTED, 7, CUT]), seen=[True, False, True])
    assert found.codes.tolist() == [[ACCEPTED, SKIPPED, CUT]]
    assert not found.doubted


@pytest.mark.parametrize("told", ["", "x" * 65, "a\nb"])
def test_a_name_that_is_none_is_nonsense(told):
    assert "no name" in believed(answer([ACCEPTED], cuts=[told])).doubted[0]


def test_new_names_are_learned_and_known_ones_keep_their_numbers():
    ours = names("other", "second")
    found = believed(answer([CUT, CUT + 1, CUT + 2], cuts=["third"]), ours=ours)
    assert ours.names == ["other", "second", "first", "third"]
    assert found.codes.tolist() == [[CUT + 2, CUT + 1, CUT + 3]]


def test_errors_and_verdicts_belong_together():
    failed = Failed(1, "no", 0)
    assert not believed(answer([ACCEPTED, ERRORED], failures=[failed])).doubted
    assert "errors" in believed(answer([ACCEPTED, ERRORED])).doubted[0]
    assert "errors" in believed(answer([ERRORED, ACCEPTED], failures=[failed])).doubted[0]
    assert "errors" in believed(answer([ACCEPTED, ACCEPTED], failures=[failed])).doubted[0]


@pytest.mark.parametrize("failed", [Failed(0, "no", 1), Failed(0, "no", -1), Failed(0, "x" * 2000, 0)])
def test_an_error_needs_its_traceback_and_an_end(failed):
    assert "error" in believed(answer([ERRORED], failures=[failed])).doubted[0]
    assert "long" in believed(answer([ERRORED], failures=[Failed(0, "no", 0)], texts=["x" * 9000])).doubted[0]


def test_one_channel_that_talks_nonsense_does_not_taint_the_other():
    cuts = [numbered(names(), ["a"]), numbered(names(), ["a"])]
    found = believe(answer([9, 9], [CUT, ACCEPTED]), [0, 1], np.ones((2, 2), dtype=np.bool_), cuts)
    assert list(found.doubted) == [0]
    assert found.codes[1].tolist() == [CUT, ACCEPTED]


@pytest.mark.parametrize("rows", [[[ACCEPTED]], [[ACCEPTED, ACCEPTED, ACCEPTED]], [[ACCEPTED] * 2] * 2])
def test_an_answer_of_another_shape_is_nobodys(rows):
    with pytest.raises(NonsenseAnswerError, match="verdicts"):
        believe(answer(*rows), [0], np.ones((1, 2), dtype=np.bool_), [numbered(names(), [])])


def test_an_answer_of_another_channel_is_nobodys():
    with pytest.raises(NonsenseAnswerError):
        believe(answer([ACCEPTED]), [1], np.ones((1, 1), dtype=np.bool_), [numbered(names(), [])])
