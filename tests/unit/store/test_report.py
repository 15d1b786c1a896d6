"""The ledger report adds partitions up and lists every cut."""

from support.store import an_account, dead, filtered, stored

from ampeld.flow.outcome import Outcome
from ampeld.flow.verdict import ACCEPTED, BYPASSED, CUT, ERRORED, GROUP, REJECTION, SKIPPED, UNASKED
from ampeld.store.account import Gap, PartitionAccount
from ampeld.store.blocks import decode_block, encode_account
from ampeld.store.report import ReportBuilder

CUTS = {"v1": ["rb", "drb"], "v2": ["young", "accept"]}


def report_of(*rows, gaps=(), committed=None, cuts=CUTS):
    (block,) = (decode_block(document) for document in encode_account(an_account(*rows)))
    builder = ReportBuilder(cuts)
    for part, place in block.slices():
        builder.add(PartitionAccount(part.topic, part.partition, [(block, place)]), gaps, committed)
    return builder.report()


def test_every_record_is_received_and_has_one_outcome():
    report = report_of(stored(0, 900), filtered(1), dead(2), stored(0, 900, Outcome.DUPLICATE, partition=1))

    assert (report.received, report.stored, report.filtered, report.duplicate, report.dead_lettered) == (4, 1, 1, 1, 1)
    assert [(part.partition, part.received) for part in report.partitions] == [(0, 3), (1, 1)]
    assert report.balanced


def test_every_cut_is_listed_zeros_too():
    report = report_of(filtered(0, codes=(CUT + 1, CUT)), filtered(1, codes=(CUT + 1, REJECTION + 3)))

    assert report.channels["bright"].cuts == {"rb": 0, "drb": 2}
    assert report.channels["young"].cuts == {"young": 1, "accept": 1}
    assert report.channels["young"].rejected == 2


def test_seen_is_accepted_and_rejected_and_errored_and_skipped_is_beside_it():
    codes = [ACCEPTED, BYPASSED, GROUP + 2, CUT, ERRORED, SKIPPED]
    accepted = [stored(i, 900 + i, codes=(code, CUT)) for i, code in enumerate(codes[:3])]
    others = [filtered(i, codes=(code, CUT)) for i, code in enumerate(codes[3:], start=3)]
    report = report_of(*accepted, *others, dead(9, after=6))

    channel = report.channels["bright"]
    assert (channel.accepted, channel.rejected, channel.errored, channel.skipped) == (3, 1, 1, 1)
    assert channel.seen == 5
    assert channel.seen + channel.skipped == report.received - report.dead_lettered
    assert report.balanced


def test_a_channel_that_was_not_asked_breaks_the_balance():
    report = report_of(filtered(4, codes=(UNASKED, CUT)))

    assert not report.balanced
    assert "night/0 offset 4" in str(report.problems[0])


def test_a_code_without_a_cut_breaks_the_balance():
    assert not report_of(filtered(4, codes=(CUT + 2, CUT))).balanced
    assert not report_of(filtered(4), cuts={}).balanced


def test_lost_offsets_are_counted_outside_and_undelivered_ones_not_at_all():
    report = report_of(filtered(0), filtered(9), gaps=[Gap(1, 5), Gap(3, 7), Gap(7, 9, lost=False)])

    assert (report.gaps, report.received, report.balanced) == (6, 2, True)


def test_what_is_read_after_all_is_no_longer_lost():
    report = report_of(filtered(0), filtered(1), filtered(2), gaps=[Gap(1, 5)])

    assert (report.gaps, report.received, report.balanced) == (2, 3, True)


def test_a_hole_breaks_the_balance():
    assert not report_of(filtered(0), committed=2).balanced


def test_a_report_of_nothing_balances():
    report = ReportBuilder({}).report()

    assert (report.received, report.balanced, report.channels) == (0, True, {})
