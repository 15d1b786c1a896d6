"""Features from a channel file to the store: an author's own unit, what it builds upon, and where its values come from."""

import json

import pytest

from ampeld.flow.codes import EXCEPTION, OK

pytestmark = pytest.mark.mongodb

CHANNEL = """
filter = "ampeld.channel.passall:PassAll"
contact = "someone@example.org"
[[feature]]
unit = "LightCurveSummary"
[[feature]]
unit = "mine.py:Twice"
eligible = { min_detections = 2 }
[[feature]]
unit = "mine.py:Spot"
eligible = { points = "all" }
[[feature]]
unit = "mine.py:Slow"
[[feature]]
unit = "mine.py:Fails"
"""
MODULE = """
from helper import FACTOR
from ampeld.feature import Dependency, PointUnit, StateUnit

class Twice(StateUnit):
    factor: float = 1.0

    def dependencies(self):
        return (Dependency("LightCurveSummary"), Dependency("mine.py:Spot", link="last"))

    def measure(self, light_curve, summary, spot):
        return {"n": FACTOR * self.factor * summary["num_detections"], "last": spot["id"]}

class Spot(PointUnit):
    def measure(self, point):
        return {"id": point.id}

class Slow(StateUnit):
    slow = True

    def measure(self, light_curve):
        return {"n": len(light_curve)}

class Fails(StateUnit):
    def measure(self, light_curve):
        raise RuntimeError("oh no")
"""


@pytest.fixture
def measured(ampeld, db, tmp_path):
    """Let simulated alerts through a channel that asks for units of its own."""
    (tmp_path / "channels" / "all.toml").write_text(CHANNEL)
    (tmp_path / "channels" / "mine.py").write_text(MODULE)
    (tmp_path / "channels" / "helper.py").write_text("FACTOR = 2\n")
    assert ampeld("simulate", "--alerts", "30", "--seed", "3", "--out", "alerts")[0] == 0
    code, _, err = ampeld("ingest", "alerts")
    assert code == 0, err
    return {unit: list(db["t2"].find({"unit": unit})) for unit in db["t2"].distinct("unit")}


def test_a_channels_own_units_are_measured_and_say_where_their_values_come_from(measured, ampeld, db, tmp_path):
    states = {(state["stock"], state["link"]): state for state in db["t1"].find()}
    points = {point["_id"]: point for point in db["t0"].find()}
    assert {(one["stock"], one["link"]) for one in measured["mine.py:Slow"]} == states.keys()
    for one in measured["mine.py:Slow"]:
        assert (one["code"], one["body"]) == (OK, [{"n": len(states[one["stock"], one["link"]]["dps"])}])
    assert all((one["code"], one["body"]) == (EXCEPTION, []) for one in measured["mine.py:Fails"])
    assert measured["mine.py:Twice"]
    for one in measured["mine.py:Twice"]:
        detections = [n for n in states[one["stock"], one["link"]]["dps"] if n > 0]
        last = max(detections, key=lambda number: (points[number]["body"]["jd"], number))
        assert len(detections) >= 2
        assert (one["code"], one["body"]) == (OK, [{"n": 2.0 * len(detections), "last": last}])
    assert {one["link"] for one in measured["mine.py:Spot"]} == {number for number in points if number > 0}

    one = measured["mine.py:Twice"][0]
    trace = db["traces"].find_one({"_id": one["meta"][-1]["trace"]})
    assert (trace["unit"], trace["config"], trace["params"]) == ("mine.py:Twice", one["config"], {"factor": 1.0})
    config = db["feature_configs"].find_one({"_id": one["config"]})
    assert [below["unit"] for below in config["depends"]] == ["LightCurveSummary", "mine.py:Spot"]

    # The same unit on the command line is the same configuration and gives the same values.
    name = db["stock"].find_one({"_id": one["stock"]})["name"][0]
    newest = db["stock"].find_one({"_id": one["stock"]})["state"]["all"]["link"]
    kept = db["t2"].find_one({"unit": "mine.py:Twice", "stock": one["stock"], "link": newest})
    code, out, err = ampeld("feature", "run", "channels/mine.py:Twice", "store", "--object", name, "--json")
    assert code == 0, err
    (again,) = json.loads(out)
    assert (again["config"], again["body"]) == (kept["config"], kept["body"][-1])


def test_a_changed_source_is_another_trace_of_the_same_configuration(measured, ampeld, db, tmp_path):
    (tmp_path / "channels" / "helper.py").write_text("FACTOR = 3\n")
    assert ampeld("simulate", "--alerts", "30", "--seed", "4", "--out", "more")[0] == 0
    assert ampeld("ingest", "more")[0] == 0
    configs = {one["config"] for one in db["t2"].find({"unit": "mine.py:Twice"})}
    assert len(configs) == 1
    digests = {one["digest"] for one in db["traces"].find({"unit": "mine.py:Twice"})}
    assert len(digests) == 2


def test_a_mistake_in_a_feature_starts_nothing(ampeld, db, tmp_path):
    (tmp_path / "channels" / "all.toml").write_text(CHANNEL.replace("LightCurveSummary", "LightCurvSummary"))
    (tmp_path / "channels" / "mine.py").write_text(MODULE)
    assert ampeld("simulate", "--alerts", "3", "--out", "alerts")[0] == 0
    code, _, err = ampeld("ingest", "alerts")
    assert code == 78
    assert "all.toml:5: feature[0].unit: there is no unit 'LightCurvSummary'; did you mean 'LightCurveSummary'?" in err
    assert db["t0"].count_documents({}) == 0
