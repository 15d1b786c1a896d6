"""An object is shown with its whole story, and each value is traced back to the bytes: on a real mongod."""

import json

import pytest

pytestmark = pytest.mark.mongodb


@pytest.fixture
def name(night, db):
    """Return an object with several states, and with a detection that can be drawn."""
    drawn = db["t0"].distinct("stock", {"body.isdiffpos": {"$in": ["t", "1"]}})
    states = {stock: db["t1"].count_documents({"stock": stock}) for stock in drawn}
    return db["stock"].find_one({"_id": max(states, key=lambda stock: (states[stock], stock))})["name"][0]


def told(ampeld, *arguments):
    code, out, err = ampeld(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_everything_that_is_shown_stands_in_the_store(ampeld, name, db):
    shown = told(ampeld, "show", name)
    stock = shown["stock"]
    assert shown["object"] == name
    assert {point["id"] for point in shown["points"]} == {p["_id"] for p in db["t0"].find({"stock": stock})}
    assert {state["link"] for state in shown["states"]} == {s["link"] for s in db["t1"].find({"stock": stock})}
    newest = db["stock"].find_one({"_id": stock})["state"]["all"]["link"]
    features = {f["unit"]: f for f in shown["features"] if f["newest"]}
    assert features.keys() == {"LightCurveSummary", "RiseDecline"}
    for unit, feature in features.items():
        kept = db["t2"].find_one({"stock": stock, "unit": unit, "link": newest})
        assert (feature["code"], feature["body"], feature["config"]) == (0, kept["body"][-1], kept["config"])
        assert feature["trace"]["unit"] == unit
        assert feature["params"]
    assert {v["verdict"] for account in shown["verdicts"] for v in account["verdicts"]} == {"accepted"}


def test_the_coordinates_of_each_point_are_those_of_an_alert_that_was_accepted(ampeld, name):
    shown = told(ampeld, "show", name)
    accepted = {(e["topic"], e["partition"], e["offset"]) for e in shown["journal"]}
    for point in shown["points"]:
        brought = point["brought"]
        assert (brought["topic"], brought["partition"], brought["offset"]) in accepted


def test_the_page_and_the_picture_are_written(ampeld, name, tmp_path):
    code, out, _ = ampeld("show", name, "--png", "c.png", "--html", "s.html")
    assert code == 0
    assert "Story" in out
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "s.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://matplotlib.org", "")
    for words in (name, "<svg", "num_detections", "jd_det", "first to the last detection", "was accepted by all@"):
        assert words in page


def test_a_value_is_traced_back_to_the_alerts_that_brought_its_points(ampeld, name, db):
    why = told(ampeld, "why", name, "RiseDecline.ndet")
    kept = db["t2"].find_one({"unit": "RiseDecline", "stock": why_stock(db, name), "link": why["feature"]["link"]})
    assert why["value"] == kept["body"][-1]["ndet"]
    state = db["t1"].find_one({"stock": why_stock(db, name), "link": why["feature"]["link"]})
    assert sorted(p["id"] for p in why["points"]) == sorted(state["dps"])
    assert why["alerts"]
    assert why["meaning"]["description"]
    code, out, _ = ampeld("why", name, "RiseDecline.ndet")
    assert code == 0
    assert out.startswith(f"RiseDecline.ndet of {name} is {why['value']}")


def why_stock(db, name):
    return db["stock"].find_one({"name": name})["_id"]


def test_what_is_not_there_is_told(ampeld, night, name):
    code, _, err = ampeld("show", "ZTF18zzzzzzz")
    assert (code, "no such object" in err) == (1, True)
    code, _, err = ampeld("why", name, "RiseDeclin.ndet")
    assert (code, "did you mean 'RiseDecline'" in err) == (1, True)
    assert ampeld("show", "Betelgeuse")[0] == 78
