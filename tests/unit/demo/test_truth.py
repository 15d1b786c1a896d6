"""The truth has one row per object and tells where its alerts lie."""

from datetime import date

import orjson

from ampeld.demo.simulate import SimulatedAlert
from ampeld.demo.truth import Truth, read_truth


def alert(candid, *, name="ZTF25aaaaaaa", kind="sn_ia", late=False, duplicate=False):
    return SimulatedAlert(name, kind, candid, float(candid), date(2025, 10, 12), b"packet", late, duplicate)


def test_an_object_has_one_row_with_its_distinct_candids_in_the_order_sent(tmp_path):
    truth = Truth()
    truth.add(alert(2), "t", 3)
    truth.add(alert(1, late=True), "t", 3)
    truth.add(alert(2, duplicate=True), "t", 3)
    truth.write(tmp_path / "new" / "truth.json")
    (row,) = orjson.loads((tmp_path / "new" / "truth.json").read_bytes())
    assert row == {
        "object": "ZTF25aaaaaaa",
        "type": "sn_ia",
        "injected": True,
        "candids": [2, 1],
        "topic": "t",
        "partition": 3,
        "duplicate": [2],
        "late": [1],
        "alerts": 3,
        "jd": [2.0, 1.0],
    }
    assert read_truth(tmp_path / "new" / "truth.json") == truth.rows()


def test_places_are_lists_where_there_are_several_and_null_where_there_are_none():
    truth = Truth()
    truth.add(alert(1), "a", 3)
    truth.add(alert(2), "b", 1)
    truth.add(alert(3, name="ZTF25aaaaaab", kind="bogus"))
    several, nowhere = truth.rows()
    assert (several.topic, several.partition) == (["a", "b"], [1, 3])
    assert (nowhere.topic, nowhere.partition, nowhere.injected) == (None, None, False)
