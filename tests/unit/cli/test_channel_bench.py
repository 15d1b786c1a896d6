"""The author's commands: what they print for people and for scripts, and how they end."""

import json
from pathlib import Path

import pytest

from ampeld.cli.main import run_command
from ampeld.demo.simulate import SimulatedNights

SOURCE = "sim:1:60"
MODULE = '''
from ampeld.channel import Alert, Columns, Cuts, Filter


class Bright(Filter):
    """Real and bright."""

    min_rb: float = 0.5  # real-bogus score, 0 to 1
    max_mag: float = 18.5  # of the alert itself [mag AB]

    def cuts(self, a: Columns) -> Cuts:
        yield "real", a.rb >= self.min_rb
        yield "bright", a.mag <= self.max_mag

    def accept(self, alert: Alert) -> int:
        return 2
'''


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    channels = tmp_path / "channels"
    channels.mkdir()
    (channels / "bright.py").write_text(MODULE)
    channel(channels, "bright")
    return channels


def channel(directory: Path, name: str, **params: object) -> None:
    lines = ['filter = "bright.py:Bright"', 'contact = "me@example.org"', "[params]"]
    text = "\n".join([*lines, *(f"{key} = {value}" for key, value in params.items())])
    (directory / f"{name}.toml").write_text(text + "\n")


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]):
    """Return what a command prints as JSON, with its exit code."""

    def run(*arguments: str) -> tuple[int, object]:
        code = run_command([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_run_is_told_in_the_words_that_scripts_rely_on(answer):
    code, found = answer("channel", "test", "bright", SOURCE)
    assert code == 0
    assert (found["channel"], found["seen"]) == ("bright", 60)
    assert set(found["accepted"][0]) == {"object", "candid", "group"}
    assert found["accepted"][0]["group"] == 2
    assert list(found["cuts"]) == ["real", "bright", "accept"]
    assert all(set(cut) == {"rejected", "alone"} for cut in found["cuts"].values())
    assert 60 - sum(cut["rejected"] for cut in found["cuts"].values()) == len(found["accepted"])
    assert found["us_per_alert"] > 0


def test_a_run_is_told_as_funnel_and_list(capsys):
    assert run_command(["channel", "test", "bright", SOURCE, "--limit", "20"]) == 0
    out = capsys.readouterr().out
    assert "Funnel of bright" in out
    assert "would reject alone" in out
    assert "of 20 alerts accepted" in out


def test_another_channel_is_compared_with_by_objects_and_cut(directory, answer, capsys):
    channel(directory, "brighter", max_mag=17.5)
    code, found = answer("channel", "test", "bright", SOURCE, "--diff", "brighter")
    assert code == 0
    added = found["diff"]["added"]
    assert added
    assert {one["cut"] for one in added} == {"bright"}
    assert found["diff"]["removed"] == []
    assert run_command(["channel", "test", "bright", SOURCE, "--diff", str(directory / "brighter.toml")]) == 0
    assert f"Against brighter: +{len(added)} " in capsys.readouterr().out


def test_a_picture_is_written_where_it_is_asked_for(tmp_path, capsys):
    assert run_command(["channel", "test", "bright", SOURCE, "--limit", "10", "--plot", "page.html"]) == 0
    assert "wrote page.html" in capsys.readouterr().err
    assert "<svg" in (tmp_path / "page.html").read_text()
    assert run_command(["channel", "test", "bright", SOURCE, "--plot", "page.jpg"]) == 64


def test_a_filter_that_fails_is_shown_with_its_traceback_and_exits_1(directory, capsys):
    module = directory / "bright.py"
    module.write_text(module.read_text().replace("return 2", "return alert.nothing"))
    assert run_command(["channel", "test", "bright", SOURCE]) == 1
    out = capsys.readouterr().out
    assert "alerts errored" in out
    assert "AttributeError: alerts have no field 'nothing'" in out
    assert 'bright.py", line' in out


def test_a_damaged_archive_exits_65_after_everything_readable(tmp_path, capsys):
    (tmp_path / "broken.tar").write_bytes(b"no archive" * 200)
    assert run_command(["channel", "test", "bright", "broken.tar", "sim:1:3"]) == 65
    streams = capsys.readouterr()
    assert "broken.tar" in streams.err
    assert "of 3 alerts" in streams.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["channel", "test", "brigth", SOURCE], "there is no channel 'brigth'; did you mean 'bright'?"),
        (["channel", "test", "bright", "sim:one"], "expected sim:SEED[:ALERTS]"),
        (["channel", "test", "bright", "none.avro"], "none.avro: No such file"),
        (["channel", "test", "bright", SOURCE, "--diff", "nobody"], "there is no channel 'nobody'"),
        (["channel", "show", "../bright"], "there is no channel '../bright'"),
        (["channel", "new", "bright"], "bright.toml: is there already"),
        (["channel", "new", "new-one"], "cannot name a channel"),
        (["explain", "bright", "SN2025abc"], "'SN2025abc': not the name of a ZTF object, and no candid"),
    ],
)
def test_what_cannot_be_is_told_and_exits_78(arguments, message, capsys):
    assert run_command(arguments) == 78
    assert message in capsys.readouterr().err


def test_channels_are_listed_with_their_mistakes(directory, answer, capsys):
    (directory / "broken.toml").write_text('filter = "bright.py:Brigth"\ncontact = "x"\n')
    (directory / "unread.toml").write_text("filter = \n")
    code, found = answer("channel", "list")
    assert code == 0
    by_name = {one["channel"]: one for one in found}
    assert by_name["bright"]["problems"] == []
    assert by_name["bright"]["contact"] == "me@example.org"
    assert "did you mean 'Bright'" in by_name["broken"]["problems"][0]
    assert "unread.toml:1" in by_name["unread"]["problems"][0]
    assert run_command(["channel", "list"]) == 0
    assert "broken, unread: with mistakes" in capsys.readouterr().err


def test_check_names_file_line_and_key_and_exits_78(directory, answer, capsys):
    assert answer("channel", "check", "bright")[0] == 0
    channel(directory, "bright", max_mga=19)
    code, found = answer("channel", "check")
    assert code == 78
    assert not found["ok"]
    assert (
        "bright.toml:4: params.max_mga: Bright has no such parameter; did you mean 'max_mag'?" in found["problems"][0]
    )
    assert run_command(["channel", "check"]) == 78
    assert "1 problem" in capsys.readouterr().err


def test_a_field_that_does_not_exist_is_found_by_check(directory, capsys):
    module = directory / "bright.py"
    module.write_text(module.read_text().replace("a.mag <=", "a.magn <="))
    assert run_command(["channel", "check", "bright"]) == 78
    err = capsys.readouterr().err
    assert "its filter fails on" in err
    assert "alerts have no field 'magn'" in err


def test_show_tells_parameters_and_cuts(answer, capsys):
    code, found = answer("channel", "show", "bright")
    assert code == 0
    assert found["cuts"] == {"real": "rb >= min_rb", "bright": "mag <= max_mag"}
    unit = {one["name"]: (one["value"], one["unit"], one["set"]) for one in found["parameters"]}
    assert unit == {"min_rb": (0.5, None, False), "max_mag": (18.5, "mag AB", False)}
    assert run_command(["channel", "show", "bright", "--source"]) == 0
    out = capsys.readouterr().out
    assert "real-bogus score, 0 to 1" in out
    assert "class Bright(Filter):" in out


def test_a_new_channel_can_be_checked_at_once(directory, answer):
    code, found = answer("channel", "new", "fresh")
    assert code == 0
    assert [Path(path).name for path in found["files"]] == ["fresh.toml", "fresh.py", "test_fresh.py"]
    code, found = answer("channel", "check", "fresh")
    assert (code, found["channels"][0]["cuts"]) == (0, ["positive", "real", "bright", "plane", "star", "twice"])


@pytest.fixture
def alerts():
    return list(SimulatedNights(1, 60))


def test_explain_tells_every_cut_with_value_and_limit(answer, alerts):
    alert = alerts[5]
    code, found = answer("explain", "bright", str(alert.candid), SOURCE)
    assert code == 0
    assert (found["channel"], found["object"], found["candid"]) == ("bright", alert.object, alert.candid)
    assert [cut["name"] for cut in found["cuts"]][:2] == ["real", "bright"]
    assert all({"name", "value", "limit", "passed"} <= set(cut) for cut in found["cuts"])
    assert (found["cuts"][1]["limit"], found["cuts"][1]["passed"]) == (18.5, found["cuts"][1]["value"] <= 18.5)
    failed = [cut["name"] for cut in found["cuts"] if not cut["passed"]]
    assert found["verdict"] == (f"rejected by {failed[0]}" if failed else "accepted, group 2")


def test_of_an_object_the_newest_alert_is_explained_and_the_others_are_listed(answer, alerts, capsys):
    repeated = next(a.object for a in alerts if len({b.candid for b in alerts if b.object == a.object}) > 1)
    own = {a.candid: a.jd for a in alerts if a.object == repeated}
    code, found = answer("explain", "bright", repeated, SOURCE)
    assert code == 0
    assert found["candid"] == max(own, key=own.get)
    assert [one["candid"] for one in found["alerts"]] == sorted(own, key=own.get)
    assert run_command(["explain", "bright", repeated, SOURCE]) == 0
    out = capsys.readouterr().out
    assert f"{len(own)} alerts of {repeated}" in out
    assert "(max_mag)" in out


def test_an_alert_that_is_not_there_exits_1(capsys):
    assert run_command(["explain", "bright", "12345", SOURCE]) == 1
    assert "12345: not in sim:1:60" in capsys.readouterr().err
