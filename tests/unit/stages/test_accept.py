"""What was accepted is told to the store with who took it, how, and in which group."""

import numpy as np
from support.packets import alert, detection
from support.pipelines import channel

from ampeld.alert.decode import Decoder
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import ACCEPTED, BYPASSED, CUT, ERRORED, GROUP, OVERRULED, SKIPPED
from ampeld.stages.accept import accepted
from ampeld.stages.decode import decode_batch
from ampeld.stages.values import Judged
from ampeld.store.assemble import plain_body

JD = 2458300.5


def judged(codes):
    """Return a batch of one alert for each column of codes."""
    values = [alert(candid=1001 + i, jd=JD, history=[detection(900, JD - 3)]) for i in range(len(codes[0]))]
    records = [
        Record(topic="t", partition=0, offset=i, value=value, after=i, through=i) for i, value in enumerate(values)
    ]
    decoded = decode_batch(Decoder(2 * 2**20), Batch(records, [], 0.0))
    channels = tuple(channel(name) for name in "abc"[: len(codes)])
    return Judged(decoded, channels, np.array(codes, np.uint16), [[] for _ in codes])


def test_alerts_that_some_channel_accepted_are_told_in_their_order_over_all_batches():
    found = accepted([judged([[ACCEPTED, CUT, SKIPPED], [CUT, CUT, GROUP + 1]]), judged([[ERRORED], [BYPASSED]])])
    assert [one.candid for one in found] == [1001, 1003, 1001]
    assert [one.coordinates.offset for one in found] == [0, 2, 0]


def test_who_took_an_alert_is_told_with_the_group_that_it_named():
    (one,) = accepted([judged([[GROUP + 7], [BYPASSED], [OVERRULED]])])
    assert one.channels == {"a": True, "b": False, "c": False}
    assert one.groups == {"a": 7}


def test_its_points_are_told_with_all_or_some_of_their_fields():
    (one,) = accepted([judged([[ACCEPTED]])])
    assert [head.id for head in one.heads] == [1001, 900]
    names = ("jd", "magpsf", "never")
    whole = [plain_body(one.body(head.index)) for head in one.heads]
    some = one.fields([head.index for head in one.heads], names)
    assert some == [{name: body[name] for name in names if name in body} for body in whole]
    assert all("magpsf" in body for body in some)
