"""`ampeld channel gate` and `resume` as a user calls them, without a broker."""

import json

import pytest
from pymongo import MongoClient
from support.packets import alert

from ampeld.cli.main import run_command

pytestmark = pytest.mark.mongodb

MODULE = """\
from ampeld.channel import Filter

class Bright(Filter):
    max_mag: float = 18.55

    def cuts(self, a):
        yield "bright", a.magpsf <= self.max_mag
"""


@pytest.fixture
def ampeld(tmp_path, mongodb, database, capsys, monkeypatch):
    """Return ``ampeld(*arguments) -> (exit code, JSON or None, standard error)`` for ten alerts of 18.0 to 18.9 mag."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "night").mkdir()
    (tmp_path / "channels").mkdir()
    for number in range(10):
        payload = alert(f"ZTF18aaaaaa{'abcdefghij'[number]}", 1000 + number, magpsf=18.0 + number / 10)
        (tmp_path / "night" / f"{number}.avro").write_bytes(payload)
    (tmp_path / "channels" / "mags.py").write_text(MODULE)
    (tmp_path / "ampeld.toml").write_text(
        f'[store]\nuri = "{mongodb}"\ndatabase = "{database}"\n[gate]\nnight = ["night"]\n'
    )

    def call(*arguments):
        code = run_command(["channel", *arguments])
        said = capsys.readouterr()
        return code, json.loads(said.out) if "--json" in arguments and said.out else None, said.err

    return call


def write(tmp_path, *, limit=0.6, max_mag=None):
    params = "" if max_mag is None else f"[params]\nmax_mag = {max_mag}\n"
    text = f'filter = "mags.py:Bright"\ncontact = "a@example.org"\n[gate]\nmax_pass_fraction = {limit}\n{params}'
    (tmp_path / "channels" / "a.toml").write_text(text)


def test_a_channel_within_its_limits_passes_and_the_next_version_is_compared(ampeld, tmp_path, mongodb, database):
    write(tmp_path)
    code, answer, _ = ampeld("gate", "a", "--json")
    assert (code, answer["former"], answer["difference"]) == (0, None, None)
    first = answer["result"]
    assert (first["passed"], first["seen"], first["accepted"], first["pass_fraction"]) == (True, 10, 6, 0.6)

    write(tmp_path, max_mag=18.25)
    code, answer, _ = ampeld("gate", "a", "--json")
    assert (code, answer["former"]) == (0, first["version"])
    assert answer["difference"] == {"gained": [], "lost": [f"ZTF18aaaaaa{letter}" for letter in "def"]}
    with MongoClient(mongodb) as client:
        stored = list(client[database]["gates"].find().sort("when"))
    assert [one["version"] for one in stored] == [first["version"], answer["result"]["version"]]
    assert stored[0]["night"] == stored[1]["night"]
    assert stored[0]["source"] == str(tmp_path / "night")


def test_a_channel_beyond_its_limit_does_not_pass_unless_it_is_forced(ampeld, tmp_path):
    write(tmp_path, limit=0.5)
    code, answer, errors = ampeld("gate", "a", "--json")
    assert (code, answer["result"]["passed"]) == (1, False)
    why = "it accepts 6 of 10 alerts, 0.6 of them: above gate.max_pass_fraction = 0.5"
    assert answer["result"]["why"] == [why]
    code, answer, _ = ampeld("gate", "a", "--json", "--force", "--reason", "a nova")
    assert code == 0
    assert (answer["result"]["passed"], answer["result"]["forced"], answer["result"]["reason"]) == (
        False,
        True,
        "a nova",
    )
    code, _, errors = ampeld("gate", "a")
    assert code == 1
    assert f"ampeld: a: {why}" in errors


def test_force_needs_a_reason(ampeld, tmp_path):
    write(tmp_path)
    assert ampeld("gate", "a", "--force")[0] == 64


def test_an_unknown_channel_and_a_night_that_is_not_there_are_named(ampeld, tmp_path):
    write(tmp_path)
    code, _, errors = ampeld("gate", "aa")
    assert (code, "there is no channel 'aa'; did you mean 'a'?" in errors) == (78, True)
    code, _, errors = ampeld("gate", "a", "--night", "nowhere")
    assert code == 78
    assert "nowhere: No such file or directory" in errors


def test_to_resume_what_never_was_suspended_changes_nothing(ampeld, tmp_path):
    write(tmp_path)
    code, answer, _ = ampeld("resume", "a", "--replay", "--json")
    assert (code, answer["resumed"], answer["suspension"], answer["replay"]) == (0, False, None, None)
