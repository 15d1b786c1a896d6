"""Beside the daemon and in it, the shipped channels say the same, for both surveys and both decoders."""

from pathlib import Path

import numpy as np
import pytest
from support import lsst_packets

from ampeld.alert.decode import KERNEL, Decoder
from ampeld.alert.survey import survey_of
from ampeld.daemon.files import read_survey
from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.demo.simulate import SimulatedNights
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import accepts
from ampeld.stages.decode import decode_batch

CHANNELS = Path(__file__).parents[3] / "channels"
NOWHERE = Path("no-catalogs")


def ztf():
    return [alert.packet for alert in SimulatedNights(3, 300)]


def lsst():
    alerts = [lsst_packets.alert(candid=170_000_000_000_000_000 + i, stock=1000 + i // 3) for i in range(30)]
    return [lsst_packets.container(packet) for packet in (*alerts, lsst_packets.solar(), *alerts[:3])]


@pytest.mark.parametrize(
    "kernel", [pytest.param(True, marks=pytest.mark.skipif(not KERNEL, reason="not built")), False]
)
@pytest.mark.parametrize(("survey", "payloads"), [("ztf", ztf), ("lsst", lsst)])
async def test_the_verdicts_are_those_of_a_thread(survey, payloads, kernel):
    files = read_survey(CHANNELS, survey)
    beside, within = ProcessJudge(Rules(20.0, 256, 20), NOWHERE), ThreadJudge(20, NOWHERE)
    decoder = Decoder(2 * 2**20, survey_of(survey), kernel=kernel)
    values = payloads()
    try:
        await beside.swap(files)
        await within.swap(files)
        for size in (7, 128):
            for start in range(0, len(values), size):
                some = values[start : start + size]
                records = [
                    Record(topic="t", partition=0, offset=i, value=v, after=i, through=i) for i, v in enumerate(some)
                ]
                decoded = decode_batch(decoder, Batch(records, [], 0.0))
                assert not decoded.dead_letters
                one, two = await beside.judge(decoded), await within.judge(decoded)
                assert np.array_equal(one.codes, two.codes)
                assert one.failures == two.failures == [[] for _ in files]
        names = [[channel.cut_names.names for channel in judge.channels] for judge in (beside, within)]
        assert names[0] == names[1]
        assert survey == "lsst" or accepts(one.codes).any()
    finally:
        await beside.close()
        await within.close()
