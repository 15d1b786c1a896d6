"""Which features a flush measures: each once, whoever asks, with what it builds upon."""

from collections import Counter

import pytest
from support.units import recipe, wanted, wanting
from support.wanted_features import Flow, alert

from ampeld.flow.codes import OK
from ampeld.flow.wanted import Eligible


class TestJobs:
    async def test_a_state_is_measured_once_for_all_that_ask(self):
        flow = Flow(wanting("a", wanted("Sizes")), wanting("b", wanted("Sizes")))
        await flow.flush(alert(20, 10, channels=("a", "b")))

        assert flow.body("Sizes") == {"ids": [10, 20], "full": [20]}
        document = flow.document("Sizes")
        assert (document["channel"], document["tag"], document["jd"], document["code"]) == (
            ["a", "b"],
            ["ZTF"],
            2.0,
            OK,
        )
        assert flow.measurer.measured == {("Sizes", flow.newest()): 1}

    async def test_a_result_says_where_it_came_from(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        await flow.flush(alert(20, 10))

        (entry,) = flow.document("Sizes")["meta"]
        assert {key: entry[key] for key in ("run", "instance", "version", "code", "full", "channel")} == {
            "run": "run-1",
            "instance": "main",
            "version": "0",
            "code": OK,
            "full": 1,
            "channel": ["a"],
        }
        assert entry["trace"] == flow.measurer.traces[recipe("Sizes").key]
        assert entry["ms"] >= 0

    async def test_each_set_of_parameters_is_a_feature_of_its_own(self):
        flow = Flow(wanting("a", wanted("Sizes")), wanting("b", wanted("Mark", eligible=Eligible("all"))))
        await flow.flush(alert(20, 10, -5, channels=("a", "b")))

        links = {(key.col, key.unit, key.link) for key in flow.store.features}
        assert links == {("t1", "Sizes", flow.newest()), ("t0", "Mark", 10), ("t0", "Mark", 20)}

    @pytest.mark.parametrize(("points", "links"), [("first", {10}), ("last", {30}), ("all", {10, 20, 30})])
    async def test_points_are_measured_that_are_eligible(self, points, links):
        flow = Flow(wanting("a", wanted("Mark", eligible=Eligible(points))))
        await flow.flush(alert(30, 20, 10, -5))

        assert {key.link for key in flow.store.features} == links

    async def test_an_object_is_measured_once(self):
        flow = Flow(wanting("a", wanted("Name")))
        await flow.flush(alert(10))
        await flow.flush(alert(20))

        (key,) = flow.store.features
        assert (key.col, key.link) == ("stock", 1)
        assert flow.body("Name") == {"name": ["object 1"]}
        assert flow.measurer.measured == {("Name", 1): 1}

    async def test_states_of_too_few_points_or_detections_are_left_out(self):
        flow = Flow(
            wanting("a", wanted("Sizes", eligible=Eligible(min_points=3))),
            wanting("b", wanted("Mark", eligible=Eligible(min_detections=2))),
        )
        await flow.flush(alert(20, -5, channels=("a", "b")))
        assert not flow.store.features

        await flow.flush(alert(30, channels=("a", "b")))
        assert {key.unit for key in flow.store.features} == {"Sizes", "Mark"}

    async def test_a_unit_is_handed_what_it_builds_upon(self):
        flow = Flow(wanting("a", wanted("Tied")))
        await flow.flush(alert(30, 20, 10))

        assert flow.body("Tied") == {
            "inputs": [
                {"ids": [10, 20, 30], "full": [30]},
                {"id": 30, "full": True, "tag": ["ZTF"]},
                {"name": ["object 1"]},
            ],
            "points": 3,
        }
        assert {key.unit for key in flow.store.features} == {"Tied", "Sizes", "Mark", "Name"}
        assert all(document["channel"] == ["a"] for document in flow.store.features.values())

    async def test_what_is_built_upon_is_measured_once_for_all_states_of_a_flush(self):
        flow = Flow(wanting("a", wanted("Tied", "Name")))
        await flow.flush(alert(20, 10), alert(30), alert(40))

        assert flow.measurer.measured["Name", 1] == 1
        assert set(Counter(flow.measurer.measured).values()) == {1}
        assert len(flow.measurer.cases) == 1
        bodies = [document["body"][0] for key, document in flow.store.features.items() if key.unit == "Tied"]
        assert sorted(body["points"] for body in bodies) == [2, 3, 4]

    async def test_what_is_known_is_handed_on_and_not_measured_again(self):
        flow = Flow(wanting("a", wanted("Sizes", "Name")), wanting("b", wanted("Tied")))
        await flow.flush(alert(30, 20))
        await flow.flush(alert(30, 20, channels=("b",)))

        assert flow.measurer.measured["Sizes", flow.newest()] == 1
        assert flow.measurer.measured["Name", 1] == 1
        assert flow.body("Tied")["inputs"][0] == {"ids": [20, 30], "full": [30]}
        assert flow.document("Sizes")["channel"] == ["a", "b"]

    async def test_only_what_was_accepted_in_the_group_is_measured(self):
        flow = Flow(wanting("a", wanted("Sizes", group=3)), wanting("b", wanted("Name")))
        await flow.flush(alert(20, 10, groups={"a": 2}), alert(30, groups={"a": 3}))

        assert flow.store.features.keys() == {key for key in flow.store.features if key.link == flow.newest()}
        assert flow.body("Sizes")["ids"] == [10, 20, 30]

    async def test_the_group_of_the_newest_alert_counts_when_a_late_one_makes_its_state_anew(self):
        flow = Flow(wanting("a", wanted("Sizes", group=3)))
        await flow.flush(alert(30, groups={"a": 3}))
        await flow.flush(alert(20, groups={"a": 2}))

        assert flow.store.objects[1].state["a"].group == 3
        assert flow.body("Sizes", flow.newest())["ids"] == [20, 30]
        assert len(flow.store.features) == 2

    async def test_partners_and_the_public_have_features_of_their_own_states(self):
        flow = Flow(wanting("a", wanted("Sizes")), wanting("p", wanted("Sizes"), private=True))
        await flow.flush(alert(20, programid=2, channels=("p",)))
        await flow.flush(alert(30, channels=("a", "p")))

        assert flow.body("Sizes", flow.newest("a"))["ids"] == [30]
        assert flow.body("Sizes", flow.newest("p"))["ids"] == [20, 30]

    async def test_without_wishes_nothing_is_asked_of_store_or_measurer(self):
        flow = Flow(wanting("a", ()))
        await flow.flush(alert(20, 10))

        assert not flow.store.calls.keys() & {"find_bodies", "find_features", "write_features"}
        assert not flow.measurer.cases
