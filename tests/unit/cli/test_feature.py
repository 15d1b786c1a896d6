"""`ampeld feature list | show | new | run`: what they print for people and for programs, and how they end."""

import json
import re

import pytest
from support.ztf_packets import candidate, detection, encode, limit, packet

from ampeld.cli.feature.parameters import typed_parameters
from ampeld.cli.main import run_command
from ampeld.errors import ConfigError

MODULE = """\
from typing import ClassVar
from ampeld.feature import Dependency, ObjectUnit, PointUnit, StateUnit, Value

class Ids(StateUnit):
    values: ClassVar = (Value("ids", "", "the points", "list"), Value("mags", "", "their magnitudes", "list"))
    factor: float = 1.0
    table: dict[str, int] = {}

    def measure(self, light_curve):
        print("what a unit prints is no answer")
        return {"ids": light_curve.id, "mags": [b.get("magpsf") for b in light_curve.bodies]}

class Point(PointUnit):
    values: ClassVar = (Value("id", "", "the point", "integer"),)

    def measure(self, point):
        return {"id": point.id}

class Object(ObjectUnit):
    values: ClassVar = (Value("name", "", "its name", "text"),)

    def measure(self, object):
        return {"name": object.name[0], "stock": object.stock}

class Above(StateUnit):
    values: ClassVar = (Value("below", "", "what it was given", "table"),)

    def dependencies(self):
        return (Dependency("u.py:Point", {}, "last"), Dependency("u.py:Object"))

    def measure(self, light_curve, point, object):
        return {"below": [point, object]}

class Fails(StateUnit):
    def measure(self, light_curve):
        raise RuntimeError("oh no")
"""
NAME = "ZTF18abxhyqv"
JD = 2458352.7


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    channels = tmp_path / "channels"
    channels.mkdir()
    (channels / "u.py").write_text(MODULE)
    return tmp_path


@pytest.fixture
def ask(capsys):
    """Return a command's exit code, its answer as JSON, and what it said on standard error."""

    def run(*words):
        code = run_command(["feature", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return run


def alert(candid, jd, history=(), *, name=NAME, **given):
    own = candidate(candid=candid, jd=jd, rcid=5, programid=1, **given)
    return encode(packet(objectId=name, candid=candid, candidate=own, prv_candidates=list(history) or None))


def past(candid, jd, **given):
    return detection(candid=candid, jd=jd, programid=1, **({"rcid": 5} | given))


def write(here, *values):
    for number, value in enumerate(values):
        (here / f"{number}.avro").write_bytes(value)
    return str(here)


def test_one_answer_per_object_of_its_newest_alert_from_that_packet_alone(here, ask):
    source = write(
        here,
        alert(30, JD + 3, [past(20, JD + 2)]),
        alert(20, JD + 2, [past(10, JD + 1)]),
        alert(99, JD, name="ZTF18aaaaaaa"),
    )
    code, found, err = ask("run", "u.py:Ids", source)
    assert code == 0
    assert [one["object"] for one in found] == ["ZTF18aaaaaaa", NAME]
    assert found[1].keys() == {"object", "candid", "unit", "config", "params", "code", "body"}
    assert (found[1]["candid"], found[1]["unit"], found[1]["code"]) == (30, "u.py:Ids", 0)
    assert found[1]["params"] == {"factor": 1.0, "table": {}}
    assert found[1]["body"]["ids"] == [20, 30]
    assert "what a unit prints" in err


def test_history_joins_the_earlier_alerts_and_full_bodies_win(here, ask):
    source = write(
        here,
        alert(30, JD + 3, [past(20, JD + 2, magpsf=17.0)]),
        alert(20, JD + 2, [past(10, JD + 1, magpsf=16.0)], magpsf=17.5),
    )
    _, found, _ = ask("run", "u.py:Ids", source, "--history")
    (one,) = found
    assert one["candid"] == 30
    assert one["body"]["ids"] == [10, 20, 30]
    assert one["body"]["mags"][:2] == [16.0, 17.5]


def test_of_points_at_one_time_on_one_quadrant_the_largest_number_stays(here, ask):
    history = [past(11, JD), past(12, JD), past(13, JD, rcid=6)]
    _, found, _ = ask("run", "u.py:Ids", write(here, alert(30, JD + 3, history)))
    assert found[0]["body"]["ids"] == [12, 13, 30]


def test_limits_without_a_limit_are_no_points_and_others_are(here, ask):
    history = [limit(jd=JD, diffmaglim=-999.0, rcid=5), limit(jd=JD + 1, diffmaglim=19.5, rcid=5)]
    _, found, _ = ask("run", "u.py:Ids", write(here, alert(30, JD + 3, history)))
    assert [number > 0 for number in found[0]["body"]["ids"]] == [False, True]


def test_only_the_object_that_is_asked_for(here, ask):
    source = write(here, alert(30, JD), alert(40, JD, name="ZTF18aaaaaaa"))
    assert [one["object"] for one in ask("run", "u.py:Ids", source, "--object", NAME)[1]] == [NAME]
    code, found, err = ask("run", "u.py:Ids", source, "--object", "ZTF18zzzzzzz")
    assert (code, found) == (1, [])
    assert "the source has no object ZTF18zzzzzzz" in err


def test_points_and_objects_are_measured_too(here, ask):
    source = write(here, alert(30, JD + 3, [past(20, JD + 2)]))
    assert ask("run", "u.py:Point", source)[1][0]["body"] == {"id": 20}
    assert ask("run", "u.py:Point", source, "--points", "last")[1][0]["body"] == {"id": 30}
    code, found, err = ask("run", "u.py:Object", source)
    assert found[0]["body"]["name"] == NAME
    assert code == 0
    assert "does not describe these keys in its values: stock" in err


def test_what_a_unit_builds_upon_is_measured_or_handed_in(here, ask):
    source = write(here, alert(30, JD + 3, [past(20, JD + 2)]))
    point, object_ = ask("run", "u.py:Above", source)[1][0]["body"]["below"]
    assert (point, object_["name"]) == ({"id": 30}, NAME)
    (here / "p.json").write_text('{"id": -5}')
    below = ask("run", "u.py:Above", source, "--input", "u.py:Point=p.json")[1][0]["body"]["below"]
    assert below == [{"id": -5}, object_]
    (here / "p.json").write_text(json.dumps(ask("run", "u.py:Point", source)[1]))
    below = ask("run", "u.py:Above", source, "--input", "u.py:Point=p.json")[1][0]["body"]["below"]
    assert below == [{"id": 20}, object_]


def test_what_is_handed_in_needs_no_catalogue_and_may_lack_objects(here, ask):
    source = write(here, alert(30, JD), alert(40, JD, name="ZTF18aaaaaaa"))
    (here / "m.json").write_text(json.dumps([{"object": NAME, "body": {"NEDz": {"z": 0.03, "dist2transient": 1.0}}}]))
    options = ["--set", "catalogs.NEDz.rs_arcsec=10", "--input", "CatalogMatch=m.json"]
    without, with_one = ask("run", "DigestRedshifts", source, *options)[1]
    assert with_one["body"]["ampel_z"] == 0.03
    assert "no_input" in without["body"]["undefined"]["*"]
    code, _, err = ask("run", "DigestRedshifts", source, *options[:2])
    assert (code, "there is no catalogue 'NEDz'" in err) == (78, True)


def test_an_input_that_nobody_takes_is_a_mistake(here, ask):
    (here / "p.json").write_text("{}")
    code, _, err = ask("run", "u.py:Ids", write(here, alert(30, JD)), "--input", "u.py:Point=p.json")
    assert code == 78
    assert "u.py:Ids builds upon no u.py:Point with these parameters (upon: none)" in err


def test_parameters_are_toml_else_json_else_text(here, ask):
    source = write(here, alert(30, JD))
    sets = ["--set", "factor=2", "--set", "table.a=1", "--set", "table={b = 2}"]
    (one,) = ask("run", "u.py:Ids", source, *sets)[1]
    assert one["params"] == {"factor": 2.0, "table": {"a": 1, "b": 2}}
    assert one["config"] != ask("run", "u.py:Ids", source)[1][0]["config"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["a=1"], {"a": 1}),
        (["a=1.5", "a=2"], {"a": 2}),
        (["a=text"], {"a": "text"}),
        (["a=true", "b=[1, 2]", 'c="x"'], {"a": True, "b": [1, 2], "c": "x"}),
        (["features.EtaE={}"], {"features": {"EtaE": {}}}),
        (['features."a.b"=1'], {"features": {"a.b": 1}}),
        (['a={"b": null}'], {"a": {"b": None}}),
        (["a=null"], {"a": None}),
        (["date=2025-08-01"], {"date": "2025-08-01"}),
        (["map=x=y"], {"map": "x=y"}),
        (["a="], {"a": ""}),
        (["a.b=1", "a.c=2"], {"a": {"b": 1, "c": 2}}),
    ],
)
def test_options_say_what_a_toml_file_would(options, expected):
    assert typed_parameters(options) == expected


@pytest.mark.parametrize("option", ["x", "=1", "a b=1", "a\nb=1", "[a]=1"])
def test_what_is_no_option_is_refused(option):
    with pytest.raises(ConfigError, match="expected KEY=VALUE"):
        typed_parameters([option])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("RiseDeclin",), "there is no unit 'RiseDeclin'; did you mean 'RiseDecline'?"),
        (("u.py:Ids", "--set", "factr=1"), "u.py:Ids: factr: Ids has no such parameter; did you mean 'factor'?"),
        (("u.py:Idz",), "u.py has no class 'Idz'; did you mean 'Ids'?"),
        (("v.py:Ids",), "there is no file 'v.py'"),
        (("HealpixProb", "--set", "map=none.fits"), "HealpixProb: there is no file"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(here, ask, words, expected):
    code, found, err = ask("run", words[0], write(here, alert(30, JD)), *words[1:])
    assert (code, found) == (78, None)
    assert expected in err


def test_a_model_that_is_none_is_told_in_one_line_with_its_parameter_and_file(here, ask):
    (here / "m.onnx").write_text("no model")
    code, found, err = ask("run", "BrightSNProb", write(here, alert(30, JD)), "--set", f"model={here / 'm.onnx'}")
    assert (code, found) == (78, None)
    (line,) = [one for one in err.splitlines() if "opened" in one]
    assert all(word in line for word in ("BrightSNProb: cannot be opened: model: ", "m.onnx"))
    assert "Traceback" not in err


def test_a_unit_that_fails_says_so_and_the_command_too(here, ask):
    code, (one,), _ = ask("run", "u.py:Fails", write(here, alert(30, JD)))
    assert (code, one["code"], one["body"]) == (1, -4, None)
    assert "RuntimeError: oh no" in one["error"]


def test_what_is_no_alert_is_told_and_the_rest_is_measured(here, ask):
    write(here, alert(30, JD))
    (here / "9.avro").write_bytes(b"Obj\x01 nonsense prv_candidates")
    code, found, err = ask("run", "u.py:Ids", str(here))
    assert (code, len(found)) == (0, 1)
    assert "1 records could not be read" in err


def test_people_get_a_table_with_units_and_reasons(here, capsys):
    assert run_command(["feature", "run", "LightCurveSummary", write(here, alert(30, JD))]) == 0
    out = capsys.readouterr().out
    assert "LightCurveSummary at 30, 1 points" in out
    assert re.search(r"^drb +- +no_field", out, re.MULTILINE)
    assert re.search(r"^distnr +- +pix", out, re.MULTILINE)


def test_a_plot_is_drawn(here, ask):
    source = write(here, alert(30, JD + 3, [past(20, JD + 2), limit(jd=JD, diffmaglim=20.0, rcid=5)]))
    assert ask("run", "u.py:Ids", source, "--plot", "x.png")[0] == 0
    assert (here / "x.png").read_bytes()[:4] == b"\x89PNG"
    assert run_command(["feature", "run", "u.py:Ids", source, "--plot", "x.doc"]) == 64


def test_the_catalogue_lists_built_in_units_and_those_beside_channels(ask):
    code, found, _ = ask("list")
    units = {one["unit"]: one for one in found}
    assert code == 0
    assert {"RiseDecline", "LightCurveSummary", "u.py:Above"} <= units.keys()
    rise = units["RiseDecline"]
    assert rise["kind"] == "state"
    assert {"key": "jd_det", "unit": "d"}.items() <= next(v for v in rise["values"] if v["key"] == "jd_det").items()
    assert {"name": "max_tgap", "default": 30.0, "required": False, "unit": "d"}.items() <= next(
        p for p in rise["parameters"] if p["name"] == "max_tgap"
    ).items()
    assert [one["unit"] for one in units["u.py:Above"]["dependencies"]] == ["u.py:Point", "u.py:Object"]


def test_a_unit_is_shown(ask, capsys):
    assert ask("show", "u.py:Ids")[1]["unit"] == "u.py:Ids"
    assert run_command(["feature", "show", "RiseDecline"]) == 0
    assert "max_tgap" in capsys.readouterr().out
    code, _, err = ask("show", "Nope")
    assert (code, "there is no unit 'Nope'" in err) == (78, True)


def test_a_new_unit_runs_at_once(here, ask):
    code, made, _ = ask("new", "decay")
    assert (code, made["unit"], made["files"]) == (0, "decay.py:Decay", ["channels/decay.py", "channels/test_decay.py"])
    assert 'unit = "decay.py:Decay"' in made["feature"]
    assert ask("run", "decay.py:Decay", write(here, alert(30, JD)))[1][0]["body"]["n"] in (0, 1)
    assert ask("new", "decay")[0] == 78
