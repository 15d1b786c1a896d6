"""A partition's account counts each coordinates once and names what does not add up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store import CHANNELS, an_account, dead, filtered, stored

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import ACCEPTED, BYPASSED, CUT, GROUP, OVERRULED
from ampeld.store.account import PROBLEMS_KEPT, Gap, PartitionAccount, gaps_of, topic_night
from ampeld.store.blocks import decode_block, encode_account
from ampeld.store.documents import ChannelVersion

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def blocks_of(*accounts):
    """Return the blocks of accounts, each written a minute after the one before."""
    times = [NOON + timedelta(minutes=i) for i in range(len(accounts))]
    return [
        decode_block(document | {"written": time})
        for account, time in zip(accounts, times, strict=True)
        for document in encode_account(account)
    ]


def account_of(*accounts, topic="night", partition=0, night=None):
    pieces = [
        (block, rows)
        for block in blocks_of(*accounts)
        for part, rows in block.slices()
        if (part.topic, part.partition) == (topic, partition)
    ]
    return PartitionAccount(topic, partition, pieces, night=night)


def test_each_outcome_is_counted():
    account = account_of(an_account(stored(0, 900), filtered(1), dead(2), stored(3, 900, Outcome.DUPLICATE)))

    assert account.outcomes() == dict.fromkeys(Outcome, 1)
    assert (account.first, account.end) == (0, 4)


def test_an_account_of_nothing_is_empty():
    account = account_of()

    assert account.outcomes() == dict.fromkeys(Outcome, 0)
    assert (account.first, account.end, account.codes(), list(account.claims())) == (None, None, {}, [])
    assert account.problems([Gap(0, 5)], committed=9) == []


def test_coordinates_that_came_again_count_once():
    account = account_of(an_account(filtered(0), filtered(1)), an_account(filtered(1), filtered(2)))

    assert account.outcomes()[Outcome.FILTERED] == 3
    assert account.codes()[CHANNELS[0]] == {CUT: 3}
    assert account.problems() == []


def test_other_partitions_of_a_block_are_left_alone():
    account = account_of(an_account(filtered(0), filtered(1, partition=1), filtered(5, topic="other")), partition=1)

    assert account.outcomes()[Outcome.FILTERED] == 1


def test_the_newest_block_wins():
    account = account_of(an_account(filtered(0, codes=(CUT, CUT))), an_account(filtered(0, codes=(CUT, CUT + 5))))

    assert account.codes()[CHANNELS[1]] == {CUT + 5: 1}
    assert [str(problem) for problem in account.problems()] == ["night/0 offset 0: verdict blocks disagree"]


def test_an_outcome_that_changed_is_a_problem():
    account = account_of(an_account(stored(0, 900)), an_account(stored(0, 900, Outcome.DUPLICATE)))

    assert len(account.problems()) == 1


def test_another_version_of_a_channel_may_judge_otherwise():
    changed = (CHANNELS[0], ChannelVersion("young", "v3"))
    account = account_of(
        an_account(filtered(0, codes=(CUT, CUT))),
        an_account(stored(0, 900, codes=(CUT, ACCEPTED), links={"young": 1}), channels=changed),
    )

    assert account.problems() == []


def test_a_channel_that_stayed_must_still_agree():
    changed = (ChannelVersion("young", "v3"), CHANNELS[0])
    account = account_of(
        an_account(filtered(0, codes=(CUT, CUT))), an_account(filtered(0, codes=(CUT, CUT + 1)), channels=changed)
    )

    assert len(account.problems()) == 1


@pytest.mark.parametrize("code", [BYPASSED, OVERRULED])
def test_what_follows_from_a_known_object_may_change(code):
    account = account_of(
        an_account(filtered(0, codes=(CUT, CUT))), an_account(stored(0, 900, codes=(CUT, code), links={"young": 1}))
    )

    assert account.problems() == []


@pytest.mark.parametrize("code", [ACCEPTED, BYPASSED, OVERRULED, GROUP + 1])
def test_an_outcome_that_contradicts_the_verdicts_is_a_problem(code):
    account = account_of(
        an_account(filtered(0, codes=(CUT, code)), stored(1, 900, codes=(CUT, CUT)), stored(2, 901, codes=(code, CUT)))
    )

    assert [problem.first for problem in account.problems()] == [0, 1]


def test_a_hole_is_named():
    account = account_of(an_account(filtered(3), filtered(4), filtered(8)))

    assert [str(problem) for problem in account.problems()] == ["night/0 offsets 5 to 7: in no verdict block"]


def test_offsets_that_the_broker_never_delivered_are_no_hole():
    account = account_of(an_account(filtered(3), filtered(8, after=4, through=9), filtered(10)))

    assert account.problems(committed=11) == []


@pytest.mark.parametrize("gap", [Gap(4, 8), Gap(4, 8, lost=False), Gap(0, 20)])
def test_a_recorded_gap_is_no_hole(gap):
    assert account_of(an_account(filtered(3), filtered(8))).problems([gap]) == []


def test_what_was_committed_must_be_covered():
    account = account_of(an_account(filtered(3)))

    assert account.problems(committed=4) == account.problems(committed=2) == []
    assert [str(problem) for problem in account.problems(committed=6)] == [
        "night/0 offsets 4 to 5: in no verdict block"
    ]


def test_a_thousand_holes_are_not_listed_one_by_one():
    problems = account_of(an_account(*(filtered(2 * i) for i in range(1001)))).problems()

    assert len(problems) == PROBLEMS_KEPT
    assert "901 more" in problems[-1].what
    assert problems[-1].last == 1999


def test_a_record_that_only_another_configuration_can_read_is_no_disagreement():
    before, after = an_account(dead(0)), stored(0, 900)

    (problem,) = account_of(before, an_account(after)).problems()
    assert problem.what == "verdict blocks disagree"
    assert account_of(before, an_account(after, config="c2")).problems() == []
    assert account_of(before, an_account(after, version="0.2")).problems() == []


def test_only_the_night_asked_for_is_counted_but_all_is_covered():
    rows = an_account(filtered(0, night=18000), filtered(1, night=18001), filtered(2, night=18000))
    account = account_of(rows, night=18000)

    assert account.outcomes()[Outcome.FILTERED] == 2
    assert account.problems() == []


def test_the_night_in_a_topics_name_decides():
    topic = "ztf_20190414_programid1"
    account = account_of(an_account(filtered(0, night=18000, topic=topic)), topic=topic, night=18000)

    assert topic_night(topic) == 18000
    assert account.outcomes()[Outcome.FILTERED] == 1
    other = account_of(an_account(filtered(0, night=18000, topic="x_20190415")), topic="x_20190415", night=18000)
    assert other.outcomes()[Outcome.FILTERED] == 0


@pytest.mark.parametrize(
    "topic", ["ztf", "ztf_20191332_x", "x1234567890", "/data/20190414/12.avro", "/20190414/594425770215015004.avro"]
)
def test_names_without_a_date_have_no_night(topic):
    assert topic_night(topic) is None


def test_the_name_of_a_file_may_hold_its_night():
    assert topic_night("/data/20200101/ztf_public_20190414.tar.gz") == 18000


def test_rows_that_claim_documents_are_handed_out_with_their_links():
    account = account_of(an_account(stored(0, 900), filtered(1), dead(2)))

    ((_, rows),) = account.claims()
    assert [(row.coordinates.offset, row.links) for row in rows] == [(0, {"bright": -5}), (2, {})]


def test_gap_documents_are_sorted_by_partition():
    documents = [
        {"topic": "t", "partition": 1, "first": 3, "end": 5},
        {"topic": "t", "partition": 1, "first": 8, "end": 9, "kind": "undelivered"},
    ]

    assert gaps_of(documents) == {("t", 1): [Gap(3, 5), Gap(8, 9, lost=False)]}


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8), min_size=1, max_size=6))
@settings(deadline=None)
def test_any_deliveries_count_every_offset_once_and_name_every_hole(deliveries):
    account = account_of(*(an_account(*map(filtered, sorted(set(offsets)))) for offsets in deliveries))

    seen = {offset for offsets in deliveries for offset in offsets}
    holes = {at for problem in account.problems() for at in range(problem.first, problem.last + 1)}
    assert account.outcomes()[Outcome.FILTERED] == len(seen)
    assert holes == set(range(min(seen), max(seen) + 1)) - seen
