import json
import math
import tarfile

import fastavro
import pytest
from fakes.table import JD, packet, table
from support.shared import shared

from ampeld.alert.table_packets import PacketTable
from ampeld.channel.cutnames import CutNames
from ampeld.channel.decent import DecentFilter
from ampeld.channel.judge import judge, learn_cuts
from ampeld.flow.verdict import cut_name, is_accepted
from ampeld.params import ParameterError

PARAMS = {
    "min_ndet": 2,
    "min_tspan": 1,
    "max_tspan": 100,
    "min_archive_tspan": 0.5,
    "max_archive_tspan": 200,
    "min_rb": 0.3,
    "min_drb": 0.4,
    "max_fwhm": 5.5,
    "max_elong": 1.4,
    "max_magdiff": 1,
    "max_nbad": 0,
    "min_sso_dist": 20,
    "min_gal_lat": 14,
    "ps1_sgveto_rad": 1,
    "ps1_sgveto_th": 0.8,
    "ps1_confusion_rad": 3,
    "ps1_confusion_sg_tol": 0.1,
    "gaia_rs": 0,
    "gaia_pm_signif": 3,
    "gaia_plx_signif": 3,
    "gaia_veto_gmag_min": 9,
    "gaia_veto_gmag_max": 20,
    "gaia_excessnoise_sig_max": 999,
}
CUTS = [
    "ndet",
    "tspan",
    "complete",
    "isdiffpos",
    "rb",
    "drb",
    "fwhm",
    "elong",
    "magdiff",
    "archive_tspan",
    "ssdistnr",
    "gal_lat",
    "ps1_star",
    "ps1_confusion",
]
GOOD = {
    "fwhm": 2.0,
    "elong": 1.1,
    "magdiff": 0.1,
    "nbad": 3,
    "rb": 0.9,
    "drb": 0.9,
    "ssdistnr": -999.0,
    "distpsnr1": 2.0,
    "sgscore1": 0.1,
    "distpsnr2": 9.0,
    "sgscore2": 0.5,
    "distpsnr3": 9.0,
    "sgscore3": 0.5,
    "jdstarthist": JD - 9,
    "jdendhist": JD,
    "ra": 190.0,
    "dec": 30.0,
}
OLD = {"jd": JD - 9, "candid": 9}
CONFUSED = {f"distpsnr{i}": 2.0 for i in (1, 2, 3)} | {f"sgscore{i}": 0.5 for i in (1, 2, 3)}
REASONS = {
    "nDet": "ndet",
    "tSpan": "tspan",
    "missing": "complete",
    "isNone": "complete",
    "galPlane": "gal_lat",
    "distpsnr1": "ps1_star",
    "ps1Confusion": "ps1_confusion",
}


def verdicts(table, **params):
    names, decent = CutNames(), DecentFilter(**(PARAMS | params))
    assert learn_cuts(decent, names) is None
    judgement = judge(decent, table, names)
    assert judgement.failures == []
    assert names.names == CUTS
    return ["accepted" if is_accepted(int(code)) else cut_name(int(code), names.names) for code in judgement.codes]


def verdict(detections=(OLD,), params=None, **fields):
    return verdicts(table(packet(detections=list(detections), **(GOOD | fields))), **(params or {}))[0]


def above(x):
    return math.nextafter(x, math.inf)


def below(x):
    return math.nextafter(x, -math.inf)


def test_a_good_alert_is_accepted():
    assert verdict() == "accepted"


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("accepted", {"rb": 0.3}),
        ("rb", {"rb": below(0.3)}),
        ("accepted", {"drb": 0.4}),
        ("drb", {"drb": below(0.4)}),
        ("accepted", {"drb": None}),
        ("accepted", {"fwhm": 5.5}),
        ("fwhm", {"fwhm": above(5.5)}),
        ("accepted", {"elong": 1.4}),
        ("elong", {"elong": above(1.4)}),
        ("accepted", {"magdiff": 1.0}),
        ("accepted", {"magdiff": -1.0}),
        ("magdiff", {"magdiff": above(1.0)}),
        ("magdiff", {"magdiff": below(-1.0)}),
        ("isdiffpos", {"isdiffpos": "f"}),
        ("isdiffpos", {"isdiffpos": "0"}),
        ("accepted", {"isdiffpos": "1"}),
        ("accepted", {"nbad": 25}),
        ("archive_tspan", {"jdstarthist": JD - 0.5}),
        ("accepted", {"jdstarthist": JD - 0.75}),
        ("archive_tspan", {"jdstarthist": JD - 200}),
        ("accepted", {"jdstarthist": JD - 199.75}),
        ("accepted", {"jdstarthist": None}),
        ("accepted", {"jdendhist": None}),
        ("ssdistnr", {"ssdistnr": 0.0}),
        ("ssdistnr", {"ssdistnr": below(20)}),
        ("accepted", {"ssdistnr": 20.0}),
        ("accepted", {"ssdistnr": below(0.0)}),
        ("gal_lat", {"ra": 266.4, "dec": -29.0}),
        ("ps1_star", {"distpsnr1": below(1.0), "sgscore1": above(0.8)}),
        ("accepted", {"distpsnr1": 1.0, "sgscore1": above(0.8)}),
        ("accepted", {"distpsnr1": below(1.0), "sgscore1": 0.8}),
        ("ps1_confusion", CONFUSED),
        ("accepted", CONFUSED | {"distpsnr3": 3.0}),
        ("ps1_confusion", CONFUSED | {"distpsnr3": below(3.0), "sgscore2": 0.59}),
        ("accepted", CONFUSED | {"sgscore2": 0.61}),
        ("accepted", CONFUSED | {"sgscore1": 0.39}),
    ],
)
def test_each_cut_is_as_strict_as_ampels(expected, fields):
    assert verdict(**fields) == expected


@pytest.mark.parametrize(
    "field",
    [
        *("fwhm", "elong", "magdiff", "nbad", "isdiffpos", "ra", "dec", "rb", "ssdistnr"),
        *("distpsnr1", "sgscore1", "distpsnr2", "sgscore2", "distpsnr3", "sgscore3"),
    ],
)
def test_a_missing_field_fails_the_cut_complete(field):
    assert verdict(**{field: None}) == "complete"


def test_the_alert_itself_counts_as_a_detection():
    assert verdict(detections=[]) == "ndet"
    assert verdict(detections=[], params={"min_ndet": 1, "min_tspan": 0}) == "accepted"
    assert verdict(params={"min_ndet": 3}) == "ndet"


@pytest.mark.parametrize(("days", "expected"), [(0.75, "tspan"), (1, "accepted"), (100, "accepted"), (100.25, "tspan")])
def test_both_ends_of_the_time_span_belong_to_it(days, expected):
    assert verdict(detections=[{"jd": JD - days, "candid": 9}]) == expected


def test_upper_limits_are_no_detections():
    assert verdicts(table(packet(limits=[{"jd": JD - 9}], **GOOD))) == ["ndet"]


def test_a_first_detection_fails_the_default_archive_span():
    assert verdict(jdstarthist=JD, params={"min_archive_tspan": 0.0}) == "archive_tspan"


def test_a_threshold_of_zero_does_not_look_at_the_deep_score():
    assert verdict(drb=-1.0, params={"min_drb": 0.0}) == "accepted"


def test_a_negative_latitude_allows_all():
    assert verdict(ra=266.4, dec=-29.0, params={"min_gal_lat": -1}) == "accepted"


def test_all_parameters_are_demanded_but_those_with_defaults():
    with pytest.raises(ParameterError) as caught:
        DecentFilter()
    optional = {"min_drb", "min_archive_tspan", "max_archive_tspan"}
    assert len(caught.value.errors) == len(PARAMS.keys() - optional)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["ZTF18abxhyqv", "ztf_public_20180819_mod1000"])
@pytest.mark.parametrize("config", ["decent_e2e", "hu_rapid_nogaia"])
def test_verdicts_are_ampels_own(name, config):
    golden = json.loads(shared("data", "golden", f"{name}.json").read_text())
    with tarfile.open(shared("data", "ztf", golden["file"])) as archive:
        packets = [next(fastavro.reader(archive.extractfile(member))) for member in archive if member.isfile()]
    expected = {}
    for alert in golden["alerts"]:
        said = alert["filters"][config]
        reason = None if said["accept"] else next(iter(said["reason"]))
        expected[alert["alert"]] = "accepted" if said["accept"] else REASONS.get(reason, reason)
    params = golden["filter_configs"][config] | {"min_drb": 0.0, "min_archive_tspan": 0.0, "max_archive_tspan": 1e5}
    found = verdicts(PacketTable(packets, ["schema"] * len(packets)), **params)
    assert len(packets) == len(expected)
    assert dict(zip([p["candid"] for p in packets], found, strict=True)) == expected
