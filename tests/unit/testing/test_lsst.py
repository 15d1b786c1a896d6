"""The bench on Rubin's alerts: frames with packaged schemas, names by number, and what belongs to no object."""

import pytest
from support.lsst_packets import alert, frame, solar
from support.shared import shared

from ampeld.channel import Columns, Cuts, Filter
from ampeld.channel.channel import Channel
from ampeld.daemon.settings import Settings
from ampeld.flow.verdict import OBJECT_CUT
from ampeld.testing import run_channel
from ampeld.testing.answer import answer_document, answer_from
from ampeld.testing.bench import BenchRun
from ampeld.testing.curves import Curves
from ampeld.testing.find import wanted_of
from ampeld.testing.kit import for_survey
from ampeld.testing.sources import PacketAlerts

FIRST, SECOND, SOLAR = 313853517104938, 313853517104939, 313853517104940


class Bright(Filter):
    min_flux: float = 1000.0  # [nJy]

    def cuts(self, a: Columns) -> Cuts:
        yield "bright", a.flux >= self.min_flux
        yield "seen before", a.diaObject.nDiaSources >= 1


@pytest.fixture
def channel(tmp_path):
    made = Bright()
    access = frozenset({"LSST"})
    return Channel(
        name="bright", filter=made, contact="", access=access, on_known="off", version="v", path=tmp_path, survey="lsst"
    )


@pytest.fixture
def packets():
    own = {"diaSource": alert(SOLAR)["diaSource"] | {"diaObjectId": None, "ssObjectId": 5}, "diaSourceId": SOLAR}
    return [frame(alert(FIRST, 11, psfFlux=5000.0)), frame(alert(SECOND, 12, psfFlux=10.0)), frame(solar(**own))]


async def told(channel, packets, wanted):
    settings = for_survey(Settings(), "lsst")
    return await answer_from(channel, [PacketAlerts(packets)], wanted_of(wanted), settings, told=lambda _: None)


def test_alerts_without_an_object_are_rejected_by_a_cut_of_their_own(channel, packets):
    run = run_channel(channel, packets)
    assert run.objects == ["11"]
    assert [(name, cut.rejected, cut.alone) for name, cut in run.cuts.items()] == [
        (OBJECT_CUT, 1, 1),
        ("bright", 1, 1),
        ("seen before", 0, 0),
    ]
    run.assert_accepts(["11", FIRST])
    run.assert_rejects(SECOND, cut="bright")
    run.assert_rejects(SOLAR, cut=OBJECT_CUT)


async def test_an_object_is_explained_by_its_number_as_an_alert_is(channel, packets):
    (by_object,) = await told(channel, packets, "12")
    (by_alert,) = await told(channel, packets, str(SECOND))
    assert by_object == by_alert
    assert by_alert.cuts[0].text == "flux = 10 < 1000 (min_flux)"
    assert by_alert.cuts[1].text.startswith("diaObject.nDiaSources = ")


async def test_an_alert_without_an_object_is_explained(channel, packets):
    answers = await told(channel, packets, str(SOLAR))
    found = answer_document(answers)
    assert found["verdict"] == f"rejected by {OBJECT_CUT}"
    assert [(cut["name"], cut["passed"]) for cut in found["cuts"]] == [(OBJECT_CUT, False)]


async def test_light_curves_have_magnitudes_from_fluxes(channel, packets):
    curves = Curves()
    run = BenchRun(channel, for_survey(Settings(), "lsst"), on_batch=curves.note)
    await run.read([PacketAlerts(packets)])
    (curve,) = curves
    (point,) = [point for point in curve.points if not point.limit]
    assert point.mag == pytest.approx(31.4 - 2.5 * 3.69897, abs=1e-3)
    assert point.err > 0


def test_real_packets_of_two_schemas_are_read(channel):
    run = run_channel(channel, shared("data", "lsst"))
    assert run.seen == 2
