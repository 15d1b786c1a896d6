"""What channels may see, and that those with the same rights share their columns."""

import numpy as np
from fakes.table import packet, table
from support.pipelines import channel

from ampeld.channel import Filter
from ampeld.channel.panel import Panel
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, SKIPPED

PUBLIC, PRIVATE = ("ZTF_PUB",), ("ZTF_PUB", "ZTF_PRIV")


def alerts(*programs):
    return table(*(packet(candid=10 + i, programid=program) for i, program in enumerate(programs)))


class Looking(Filter):
    """Remembers the columns that it was given."""

    seen = None

    def cuts(self, a):
        self.seen = a
        yield "even", a.candid % 2 == 0


class Failing(Filter):
    def accept(self, alert):
        return 1 // (alert.candid - 12) < 9


def look(panel, access):
    filter_ = Looking()
    judgement = panel.judge(channel("any", filter_, access=access))
    return filter_.seen, judgement


def test_private_alerts_are_skipped_for_those_without_the_right():
    panel = Panel(alerts(1, 2, 1, 3))
    columns, judgement = look(panel, PUBLIC)
    assert columns.candid.values.tolist() == [10, 12, 13]
    assert judgement.codes.tolist() == [ACCEPTED, SKIPPED, ACCEPTED, CUT]
    assert look(panel, PRIVATE)[1].codes.tolist() == [ACCEPTED, CUT, ACCEPTED, CUT]


def test_channels_with_the_same_right_share_their_columns():
    panel = Panel(alerts(1, 2))
    assert look(panel, PUBLIC)[0] is look(panel, PUBLIC)[0]
    assert look(panel, PRIVATE)[0] is not look(panel, PUBLIC)[0]


def test_where_nothing_is_private_all_share_them():
    panel = Panel(alerts(1, 1))
    assert look(panel, PRIVATE)[0] is look(panel, PUBLIC)[0]


def test_where_all_is_private_nothing_is_asked():
    columns, judgement = look(Panel(alerts(2, 2)), PUBLIC)
    assert columns is None
    assert judgement.codes.tolist() == [SKIPPED, SKIPPED]


def test_only_the_rows_that_are_named_are_asked_about():
    columns, judgement = look(Panel(alerts(1, 1, 2, 1), rows=[1, 2, 3]), PUBLIC)
    assert columns.candid.values.tolist() == [11, 13]
    assert judgement.codes.tolist() == [SKIPPED, CUT, SKIPPED, CUT]


def test_failures_are_those_of_the_rows_of_the_batch():
    judgement = Panel(alerts(2, 1, 1, 2, 1)).judge(channel("failing", Failing(), access=PUBLIC))
    assert judgement.codes.tolist() == [SKIPPED, ACCEPTED, ERRORED, SKIPPED, ACCEPTED]
    assert [failure.row for failure in judgement.failures] == [2]
    assert judgement.codes.dtype == np.uint16
