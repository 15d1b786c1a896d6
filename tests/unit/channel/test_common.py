"""The names that mean the same in both surveys, in cuts and in ``accept``, and what an unknown name is answered."""

import numpy as np
import pytest
from astropy import units as u
from fakes import table as ztf
from hypothesis import given
from hypothesis import strategies as st
from support import lsst_packets as lsst

from ampeld.alert.survey import LSST, ZTF
from ampeld.alert.table_packets import PacketTable
from ampeld.channel.alert import Alert
from ampeld.channel.columns import Columns, known_names
from ampeld.channel.common import FORCED, common_names

COMMON = ("jd", "ra", "dec", "mag", "mag_err", "flux", "flux_err", "band", "snr", "candid")


def lsst_table(*packets):
    return PacketTable(packets, ["schema"] * len(packets), LSST)


def plain(column):
    return [None if m else v for v, m in zip(column.values.tolist(), ~column.present.true, strict=True)]


def truths(c):
    return [True if t else False if f else None for t, f in zip(c.true, c.false, strict=True)]


def ztf_of(**fields):
    return Columns(ztf.table(ztf.packet(**fields)))


def lsst_of(**fields):
    return Columns(lsst_table(lsst.packet(diaSource=lsst.source(**fields))))


def test_every_survey_has_every_common_name():
    for a in (ztf_of(), lsst_of()):
        assert {name: len(getattr(a, name)) for name in (*COMMON, "object", "gal_lat", "gal_lon")}
        assert {*COMMON} <= set(dir(a))
    for survey in (ZTF, LSST):
        for part in (survey.own, "detections"):
            assert {*COMMON} <= common_names(survey, part).keys()
        assert {"jd", "mag", "band"} <= common_names(survey, "limits").keys()
        assert {"jd", "mag", "mag_err", "flux", "flux_err", "band", "snr"} <= common_names(
            survey, FORCED[survey.name]
        ).keys()


def test_a_magnitude_of_ztf_gives_the_flux_that_astropy_gives():
    a = ztf_of(magpsf=19.5, sigmapsf=0.1)
    expected = (19.5 * u.ABmag).to(u.nJy).value
    assert plain(a.mag) == [19.5]
    assert plain(a.flux) == pytest.approx([expected], rel=2e-4)  # 31.4 mag is 1 nJy to a part in ten thousand
    assert plain(a.flux_err) == pytest.approx([expected * 0.1 * np.log(10) / 2.5], rel=2e-4)
    assert plain(a.snr) == pytest.approx([10.857362])
    assert plain(a.mag_err) == [0.1]


def test_the_flux_of_ztf_has_the_sign_of_the_difference():
    assert plain(ztf_of(isdiffpos="f", magpsf=20.0).flux) == [-plain(ztf_of(isdiffpos="t", magpsf=20.0).flux)[0]]
    assert plain(ztf_of(isdiffpos=None, magpsf=20.0).flux) == [None]


@pytest.mark.parametrize(("fid", "band"), [(1, "g"), (2, "r"), (3, "i"), (4, None), (0, None), (-1, None)])
def test_the_band_of_ztf_is_a_letter(fid, band):
    assert plain(ztf_of(fid=fid).band) == [band]


def test_a_flux_of_lsst_gives_the_magnitude():
    a = lsst_of(psfFlux=1000.0, psfFluxErr=50.0, snr=20.0)
    assert plain(a.flux) == [1000.0]
    assert plain(a.flux_err) == [50.0]
    assert plain(a.mag) == pytest.approx([23.9])
    assert plain(a.mag_err) == pytest.approx([2.5 / np.log(10) * 0.05])
    assert plain(a.snr) == [20.0]
    assert plain(a.band) == ["r"]
    assert plain(a.candid) == [lsst.SOURCE_ID]
    assert plain(a.object) == [str(lsst.OBJECT_ID)]
    assert plain(a.jd) == pytest.approx([lsst.MJD + 2400000.5 - 37 / 86400], abs=1e-9)


@pytest.mark.parametrize("flux", [0.0, -5.0, None, float("nan")])
def test_a_flux_that_is_not_positive_has_no_magnitude(flux):
    a = lsst_of(psfFlux=flux, psfFluxErr=1.0)
    assert plain(a.mag) == [None]
    assert plain(a.mag_err) == [None]


@given(st.floats(5, 30))
def test_magnitude_and_flux_belong_together(mag):
    flux = plain(ztf_of(magpsf=mag).flux)[0]
    assert plain(lsst_of(psfFlux=flux).mag) == pytest.approx([mag], abs=1e-9)


def test_points_have_the_common_names():
    ours = Columns(lsst_table(lsst.packet(prvDiaNondetectionLimits=[lsst.limit(diaNoise=20.0)])))
    assert plain(ours.detections.mag) == pytest.approx([31.4 - 2.5 * np.log10(500), 23.9])
    assert plain(ours.detections.jd.span()) == pytest.approx([3.0])
    assert plain(ours.limits.mag) == pytest.approx([31.4 - 2.5 * np.log10(100)])
    assert plain(ours.limits.band) == ["g"]
    assert plain(ours.forced.flux) == [-25.0]
    assert plain(ours.forced.snr) == [-0.5]
    assert plain(ours.forced.mag) == [None]
    theirs = Columns(
        ztf.table(
            ztf.packet(
                detections=[{"jd": ztf.JD - 1, "candid": 9, "fid": 2, "magpsf": 20.0, "isdiffpos": "f"}],
                limits=[{"jd": ztf.JD - 2, "fid": 1, "diffmaglim": 20.5}],
            )
        )
    )
    assert truths(theirs.detections.flux.first() > 0) == [False]
    assert plain(theirs.detections.band) == ["r", "g"]
    assert plain(theirs.limits.mag) == [20.5]
    assert plain(theirs.limits.band) == ["g"]


def test_forced_fluxes_of_ztf_are_calibrated_by_the_zero_point():
    def forced(**fields):
        own = {"jd": ztf.JD - 1, "fid": 2, "forcediffimflux": 100.0, "forcediffimfluxunc": 10.0, "magzpsci": 26.4}
        return Columns(ztf.table(ztf.packet(fp_hists=[own | fields]))).forced

    assert plain(forced().flux) == pytest.approx([10_000.0])
    assert plain(forced().flux_err) == pytest.approx([1000.0])
    assert plain(forced().snr) == pytest.approx([10.0])
    assert plain(forced().mag) == pytest.approx([26.4 - 5])
    assert plain(forced(forcediffimflux=-100.0).snr) == pytest.approx([-10.0])
    for missing in ({"magzpsci": None}, {"forcediffimfluxunc": None}, {"forcediffimfluxunc": -99999.0}):
        assert plain(forced(**missing).flux) == [None]


def test_the_survey_s_own_names_stand_beside_the_common_ones():
    a = lsst_of(reliability=0.5, isNegative=True, psfFlux=3.0)
    assert plain(a.reliability) == [0.5]
    assert plain(a.psfFlux) == [3.0]
    assert truths(a.isNegative) == [True]
    assert truths(lsst_of(isNegative=None).isNegative) == [None]
    assert plain(a.diaObject.nDiaSources) == [2]
    assert plain(a.observation_reason) == ["wfd"]
    assert plain(a.ssSource.phaseAngle) == [None]
    assert truths(a.detections.isNegative.any()) == [True]
    assert plain(a.detections[~a.detections.isNegative].count()) == [1]
    assert plain(ztf_of(rb=0.25).candidate.rb) == [0.25]


def test_the_same_field_is_one_object_for_all_who_ask():
    a = Columns(lsst_table(lsst.packet(), lsst.packet()))
    assert a.mag is a.mag
    assert a.diaObject.nDiaSources is a.diaObject.nDiaSources
    assert a.detections.mag is a.detections.mag


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (
            lambda a: a.rb,
            "alerts have no field 'rb': that is ZTF's, and these are alerts of LSST; what comes nearest is",
        ),
        (lambda a: a.magpsf, "what comes nearest is a.mag"),
        (lambda a: a.detections.fid, "detections have no field 'fid': that is ZTF's, .* what comes nearest is a.band"),
        (lambda a: a.fp_hists, "what comes nearest is a.forced"),
        (lambda a: a.relibility, "alerts have no field 'relibility'; did you mean 'reliability'"),
        (lambda a: a.diaObject.nDiaSource, "records diaObject have no field 'nDiaSource'; did you mean 'nDiaSources'"),
        (lambda a: a.diaobject, "did you mean 'diaObject'"),
        (lambda a: a.limits.flux, "limits have no field 'flux'"),
    ],
)
def test_an_unknown_name_says_what_there_is_in_this_survey(look, message):
    with pytest.raises(AttributeError, match=message):
        look(lsst_of())


def test_a_name_of_lsst_is_told_to_a_filter_for_ztf():
    with pytest.raises(AttributeError, match="that is LSST's, and these are alerts of ZTF"):
        ztf_of().reliability  # noqa: B018


def test_every_name_that_is_listed_can_be_asked_for():
    for a, survey in ((ztf_of(), ZTF), (lsst_of(), LSST)):
        for name in known_names(survey):
            assert len(getattr(a, name)) == 1


def test_one_alert_has_the_common_names_too():
    packet = lsst.packet(prvDiaNondetectionLimits=[lsst.limit()])
    alert = Alert(lsst_table(lsst.solar(), packet), 1)
    assert (alert.mag, alert.flux, alert.band) == (pytest.approx(23.9), 1000.0, "r")
    assert alert.jd == pytest.approx(lsst.MJD + 2400000.5 - 37 / 86400, abs=1e-9)
    assert alert.candidate.psfFlux == alert.diaSource.psfFlux == 1000.0
    assert alert.candidate.mag == alert.detections[-1].mag == alert.mag
    assert alert.diaObject.nDiaSources == 2
    assert (alert.ssSource, alert.observation_reason, alert.target_name) == (None, "wfd", None)
    assert alert.detections.mag.tolist() == pytest.approx([31.4 - 2.5 * np.log10(500), 23.9])
    assert alert.detections.isNegative.tolist() == [False, False]
    assert alert.forced[0].snr == -0.5
    assert alert.forced.mag.tolist() == pytest.approx([np.nan], nan_ok=True)
    assert alert.history.age_days == pytest.approx(3.0)
    assert alert.history.last_limit.mag == pytest.approx(31.4 - 2.5 * np.log10(100))
    assert alert.history.last_limit_before.age_days == pytest.approx(20.0)


def test_one_alert_of_ztf_has_them_alike():
    alert = Alert(ztf.table(ztf.packet(magpsf=19.0, sigmapsf=0.1, isdiffpos="f")), 0)
    assert (alert.mag, alert.band, alert.jd) == (19.0, "g", ztf.JD)
    assert alert.flux == alert.detections[0].flux < 0
    assert type(alert.flux) is float
    assert alert.candidate.isdiffpos == "f"


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda a: a.psfFlux, "an alert has no field 'psfFlux'; the survey's own are alert.candidate.psfFlux"),
        (lambda a: a.rb, "that is ZTF's, and these are alerts of LSST"),
        (lambda a: a.candidate.rb, "diaSource have no field 'rb': that is ZTF's"),
        (lambda a: a.detection, "did you mean 'detections'"),
        (lambda a: a.detections.magpsf, "what comes nearest is a.mag"),
    ],
)
def test_an_unknown_name_of_one_alert_is_told_alike(look, message):
    with pytest.raises(AttributeError, match=message):
        look(Alert(lsst_table(lsst.packet()), 0))
