"""Light curves: the same words for both surveys, in the order of time, whatever is missing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import (
    AWKWARD,
    NIGHT,
    light_curves,
    lsst,
    lsst_forced,
    lsst_source,
    points_of,
    shuffled,
    ztf,
    ztf_detection,
    ztf_limit,
)
from support.features import points_of as points_of_record
from support.features import records
from support.lsst_packets import MJD, forced, limit, packet, source
from support.shared import shared

from ampeld.alert.decode import Decoder
from ampeld.alert.lsst_shape import shape
from ampeld.alert.survey import LSST
from ampeld.feature import LightCurve
from ampeld.source.schemas import packaged

ARRAYS = (
    "id", "jd", "band", "mag", "mag_err", "flux", "flux_err", "limit", "reliability", "is_detection", "is_limit",
    "forced", "positive",
)  # fmt: skip


def alert_curve(**given):
    """Return the light curve of one LSST alert."""
    return LightCurve("lsst", [(point.id, point.jd, point.body) for point in shape(packet(**given))])


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_photopoint_without_a_magnitude_is_no_limit(missing):
    """What has a candid is no limit, though it states how deep its image was."""
    curve = ztf(ztf_detection(1, NIGHT, magpsf=missing, diffmaglim=20.5), ztf_limit(2, NIGHT + 1))
    assert curve.is_limit.tolist() == [False, True]
    assert np.isnan(curve.flux).all()


@pytest.mark.parametrize(("sign", "positive"), [("t", True), ("1", True), ("f", False), ("0", False), (None, True)])
def test_a_subtraction_is_negative_if_it_says_so(sign, positive):
    curve = ztf(ztf_detection(1, NIGHT, isdiffpos=sign))
    assert curve.positive.tolist() == [positive]
    assert (curve.flux[0] > 0) == positive


@pytest.mark.golden
def test_the_states_of_real_alerts_have_the_points_that_ampel_has():
    found = 0
    for name, record in records():
        points = points_of_record(name, record)
        assert sorted(number for number, _, _ in points) == record["point_ids"], record["object"]
        curve = LightCurve("ztf", points)
        assert len(curve) == record["n_points"]
        assert curve.is_detection.sum() == record.get("n_photopoints", len(curve))
        found += 1
    assert found == 57


def test_points_are_in_the_order_of_time_and_then_of_their_numbers():
    curve = ztf(ztf_detection(5, NIGHT + 1), ztf_detection(9, NIGHT), ztf_limit(3, NIGHT), ztf_detection(4, NIGHT))
    assert curve.id.tolist() == [-3, 4, 9, 5]
    assert curve.jd.tolist() == [NIGHT, NIGHT, NIGHT, NIGHT + 1]


def test_a_detection_of_ztf_has_magnitude_and_signed_flux():
    up, down = ztf_detection(1, NIGHT, 18.9), ztf_detection(2, NIGHT + 1, 18.9, isdiffpos="f", fid=2)
    curve = ztf(up, down)
    assert curve.mag.tolist() == [18.9, 18.9]
    assert curve.flux.tolist() == pytest.approx([1e5, -1e5])
    assert curve.flux_err.tolist() == pytest.approx([1e5 * 0.1 * math.log(10) / 2.5] * 2)
    assert curve.positive.tolist() == [True, False]
    assert curve.band.tolist() == ["g", "r"]
    assert curve.limit.tolist() == [20.5, 20.5]
    assert (curve.reliability.tolist(), curve.column("drb").tolist()) == ([0.9, 0.9], [0.99, 0.99])


def test_a_limit_has_no_magnitude_and_a_fifth_of_its_flux_as_error():
    curve = ztf(ztf_limit(1, NIGHT, 18.9, fid=3))
    assert (curve.is_limit.tolist(), curve.band.tolist(), curve.limit.tolist()) == ([True], ["i"], [18.9])
    assert np.isnan([curve.mag[0], curve.mag_err[0], curve.flux[0]]).all()
    assert curve.flux_err[0] == pytest.approx(1e5 / 5)


def test_an_alert_of_lsst_has_the_same_words():
    curve = alert_curve(prvDiaNondetectionLimits=[limit(diaNoise=20.0)])
    assert curve.band.tolist() == ["g", "i", "r", "r"]
    assert curve.is_limit.tolist() == [True, False, False, False]
    assert curve.forced.tolist() == [False, True, False, False]
    assert curve.is_detection.tolist() == [False, False, True, True]
    assert curve.flux.tolist()[1:] == [-25.0, 500.0, 1000.0]
    assert math.isnan(curve.flux[0])
    assert curve.flux_err.tolist() == [20.0, 50.0, 50.0, 50.0]
    assert curve.positive.tolist() == [False, False, True, True]
    assert curve.mag[3] == pytest.approx(23.9)
    assert np.isnan(curve.mag[:2]).all()
    assert curve.mag_err[3] == pytest.approx(2.5 / math.log(10) / 20)
    assert curve.limit[0] == pytest.approx(31.4 - 2.5 * math.log10(100))
    assert np.isnan(curve.limit[1:]).all()
    assert np.isnan(curve.reliability[:2]).all()
    assert curve.reliability[2:].tolist() == [0.75, 0.75]


def test_the_record_of_the_object_is_no_point_but_beside_them():
    curve = alert_curve()
    assert curve.record["nDiaSources"] == 2
    assert curve.detections.record is curve.record
    assert np.isfinite(curve.jd).all()
    assert ztf().record is None


@pytest.mark.golden
def test_the_samples_of_rubin_are_light_curves():
    decoder = Decoder(10_000_000, LSST)
    decoder.frames.learn(900, packaged(900))
    files = [shared("data", "lsst", name) for name in ("7912941781254298.avro", "fakeAlert_v10_0.avro")]
    table = decoder.decode([file.read_bytes() for file in files]).table
    curves = [LightCurve("lsst", [(h.id, h.jd, table.body(row, h.index)) for h in table.heads(row)]) for row in (0, 1)]
    assert [len(curve) for curve in curves] == [1, 3]
    assert (curves[0].flux.tolist(), curves[0].positive.tolist()) == ([-1230.2757568359375], [False])
    assert curves[0].detections.band.tolist() == ["r"]
    for curve in curves:
        assert (curve.is_detection | curve.forced | curve.is_limit).all()
        assert curve.record is not None


@pytest.mark.parametrize("value", [None, "19", [19.0], {}])
def test_what_is_no_number_is_nan_in_a_column(value):
    curve = ztf(ztf_detection(1, NIGHT, distnr=value), ztf_detection(2, NIGHT + 1, distnr=3))
    assert math.isnan(curve.column("distnr")[0])
    assert curve.column("distnr")[1] == 3.0
    assert np.isnan(curve.column("nothing")).all()


def test_a_magnitude_that_is_no_magnitude_has_an_infinite_flux_and_no_warning():
    assert math.isinf(ztf(ztf_detection(1, NIGHT, -1e5)).flux[0])


def test_an_earlier_source_that_is_the_forced_one_is_one_point():
    own = source(diaSourceId=9001, midpointMjdTai=MJD - 10)
    assert alert_curve(prvDiaSources=[own], prvDiaForcedSources=[forced()]).forced.tolist() == [False, False]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_light_curves_have_all_arrays(name):
    curve = AWKWARD[name]
    for array in ARRAYS:
        assert getattr(curve, array).shape == (len(curve),), array
    assert len(curve.detections) + len(curve.limits) + len(curve.forced_only) == len(curve)


@settings(max_examples=25)
@given(light_curves(), st.integers(0, 9))
def test_any_order_gives_the_same_arrays(curve, seed):
    other = shuffled(curve, seed)
    for array in ARRAYS:
        np.testing.assert_array_equal(getattr(other, array), getattr(curve, array))


@settings(max_examples=25)
@given(light_curves())
def test_every_point_is_one_of_three_things(curve):
    assert (curve.is_detection.astype(int) + curve.forced + curve.is_limit == 1).all()
    assert not (curve.is_limit & np.isfinite(curve.mag)).any()
    assert not (curve.positive & (curve.flux < 0)).any()


@settings(max_examples=25)
@given(light_curves(), st.randoms(use_true_random=False), st.booleans())
def test_a_selection_has_what_its_points_have_computed_or_not(curve, chance, before):
    mask = np.array([chance.random() < 0.5 for _ in range(len(curve))], dtype=bool)
    if before:
        for array in ARRAYS:
            getattr(curve, array)
    part = curve.select(mask)
    made = LightCurve(curve.survey, [p for p, keep in zip(points_of(curve), mask, strict=True) if keep])
    for array in ARRAYS:
        np.testing.assert_array_equal(getattr(part, array), getattr(made, array))
        np.testing.assert_array_equal(getattr(part, array), getattr(curve, array)[mask])


def test_forced_photometry_alone_has_no_detection():
    curve = lsst(lsst_forced(1, MJD), lsst_forced(2, MJD + 1, -3.0))
    assert (len(curve.detections), len(curve.limits), len(curve.forced_only)) == (0, 0, 2)
    assert lsst(lsst_source(1, MJD)).is_detection.all()
