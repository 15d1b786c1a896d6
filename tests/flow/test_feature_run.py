"""`ampeld feature run` on real alerts gives AMPEL's own values, for the states that AMPEL makes of them."""

import json

import pytest
from support.features import compare, records
from support.golden import golden as golden_states
from support.shared import shared

from ampeld.alert.identity import link_of
from ampeld.cli.main import run_command
from ampeld.daemon.settings import load_settings
from ampeld.testing.feature_states import StateReader
from ampeld.testing.run import run_here
from ampeld.testing.words import open_sources

pytestmark = pytest.mark.golden

TARBALLS = ("ZTF18abxhyqv.tar.gz", "ztf_public_20180819_mod1000.tar.gz")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(capsys, *words):
    code = run_command(["feature", "run", *words, "--json"])
    return code, {one["object"]: one for one in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("name", TARBALLS)
@pytest.mark.parametrize(
    ("unit", "variant", "rel"),
    [
        ("LightCurveSummary", "T2LightCurveSummary", 1e-14),
        ("LCQuality", "T2LCQuality/all", 1e-14),
        ("RiseDecline", "T2RiseDeclineStat/loose", 1e-8),
    ],
)
def test_every_object_has_the_values_of_ampel_at_its_newest_alert(capsys, name, unit, variant, rel):
    expected = [record for section, record in records() if section == name and record["state"] == "muxed"]
    config = expected[0]["units"][variant]["config"]
    options = [word for key, value in config.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    code, found = run(capsys, unit, str(shared("data", "ztf", name)), *options)
    assert code == 0
    assert len(expected) == len(found)
    for record in expected:
        ours = found[record["object"]]
        assert ours["candid"] == record["candid"]
        ampel = record["units"][variant]["body"]
        same = {key: ours["body"][key] for key in ampel if key in ours["body"]}
        skip = ["last_significant_nondetection*", "slope_*_err"]
        assert compare(same, {key: ampel[key] for key in same}, rel=rel, skip=skip) == []
        assert ampel.keys() - same.keys() <= {key for key in ampel if key.startswith("last_significant")}


@pytest.mark.parametrize("name", TARBALLS)
def test_the_points_are_those_of_ampels_state(name):
    settings = load_settings(None, (), {})
    found = run_here(StateReader(settings).read(open_sources([str(shared("data", "ztf", name))], settings)))
    states = {state.name: state for state in found.states}
    for section, record in records():
        if section == name and record["state"] == "muxed":
            assert sorted(point[0] for point in states[record["object"]].points) == sorted(record["point_ids"])


def test_with_its_history_an_object_has_ampels_last_state():
    settings = load_settings(None, (), {})
    path = str(shared("data", "ztf", TARBALLS[0]))
    (state,) = run_here(StateReader(settings, history=True).read(open_sources([path], settings))).states
    newest = golden_states("ZTF18abxhyqv")["db_nofilter_flush_per_alert"]["states"][-1]
    assert link_of(point[0] for point in state.points) == newest["link"]


@pytest.mark.parametrize("name", ["7912941781254298.avro", "fakeAlert_v10_0.avro"])
def test_lsst_packets_are_known_as_such_whatever_the_configuration_says(capsys, name):
    code, found = run(capsys, "LightCurveSummary", str(shared("data", "lsst", name)))
    assert code == 0
    (one,) = found.values()
    assert one["body"]["num_detections"] >= 1
