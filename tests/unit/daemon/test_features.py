"""The features that channels ask for: found, checked, made, and every mistake named by file, line and key."""

import os

import pytest

from ampeld.catalog.directory import Found
from ampeld.cli.main import run_command
from ampeld.daemon import features
from ampeld.daemon.channels import load_channels
from ampeld.daemon.features import make_units
from ampeld.daemon.features_needs import need_problems
from ampeld.daemon.files import read_files
from ampeld.errors import ConfigError
from ampeld.flow.wanted import Eligible

HEAD = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "a@example.org"\n'
DECAY = """\
from helper import FACTOR
from ampeld.feature import Dependency, PointUnit, StateUnit

class Decay(StateUnit):
    days: float = 10.0
    names: list[str] = []

    def prepare(self):
        if self.days <= 0:
            raise ValueError("days: a time, above 0")
        if self.days > 1e6:
            raise KeyError("oh")

    def measure(self, light_curve):
        return {"n": len(light_curve) * FACTOR}

class OnDecay(Decay):
    def dependencies(self):
        return (Dependency("decay.py:Decay", {"days": 3}), Dependency("other.py:Mark"))

class Needy(Decay):
    model: str = "m.onnx"

    def needs(self):
        yield "file", self.model
        yield "catalog", "gaiaa"

class NoUnit:
    pass

class Idle(StateUnit):
    pass
"""
OTHER = (
    "from ampeld.feature import PointUnit\nclass Mark(PointUnit):\n    def measure(self, point):\n        return {}\n"
)
FILES = {"decay__py": DECAY, "helper__py": "FACTOR = 2\n", "other__py": OTHER}


def write(directory, **files):
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return directory


def problems(directory, text, **files):
    with pytest.raises(ConfigError) as caught:
        load_channels(write(directory, a__toml=HEAD + text, **FILES, **files))
    return [problem.replace(f"{directory}{os.sep}", "") for problem in caught.value.problems]


def load(directory, text):
    return load_channels(write(directory, a__toml=HEAD + text, **FILES))[0]


def test_a_channel_asks_for_features_with_parameters_group_and_eligibility(tmp_path):
    channel = load(
        tmp_path,
        '[[feature]]\nunit = "RiseDecline"\n'
        '[[feature]]\nunit = "decay.py:Decay"\ngroup = 2\n'
        "eligible = { min_points = 3, min_detections = 2 }\n[feature.params]\ndays = 5\n"
        '[[feature]]\nunit = "other.py:Mark"\neligible = { points = "all" }\n',
    )
    rise, decay, mark = channel.features
    assert (rise.recipe.unit, rise.recipe.kind, rise.group, rise.eligible) == ("RiseDecline", "state", None, Eligible())
    assert decay.recipe.params == {"days": 5.0, "names": []}
    assert (decay.group, decay.eligible) == (2, Eligible(min_points=3, min_detections=2))
    assert (mark.recipe.kind, mark.eligible.points) == ("point", "all")


def test_a_channel_without_features_wants_none(tmp_path):
    assert load(tmp_path, "").features == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[feature]]\nunit = "RiseDeclin"\n', "a.toml:4: feature[0].unit: there is no unit 'RiseDeclin'; did you mean 'RiseDecline'?"),
        ("[[feature]]\nparams = {}\n", "a.toml:3: feature[0].unit: missing: a unit's name"),
        ("[[feature]]\nunit = 3\n", "a.toml:4: feature[0].unit: expected text"),
        ('[[feature]]\nunit = "LCQuality"\n[[feature]]\nunit = "decay.py:Decay"\nparams = { dais = 1 }\n', "a.toml:7: feature[1].params.dais: Decay has no such parameter; did you mean 'days'?"),
        ('[[feature]]\nunit = "decay.py:Decay"\n[feature.params]\ndays = "x"\n', "a.toml:6: feature[0].params.days: expected float, got str"),
        ('[[feature]]\nunit = "decay.py:Decay"\n[feature.params]\n\ndays = -1\n', "a.toml:7: feature[0].params.days: a time, above 0"),
        ('[[feature]]\nunit = "decay.py:Deca"\n', "a.toml:4: feature[0].unit: decay.py has no class 'Deca'; did you mean 'Decay'?"),
        ('[[feature]]\nunit = "decay.py:NoUnit"\n', "a.toml:4: feature[0].unit: decay.py:NoUnit is no unit: it derives from none of StateUnit, PointUnit, ObjectUnit"),
        ('[[feature]]\nunit = "decay.py:Idle"\n', "a.toml:4: feature[0].unit: decay.py:Idle has no method measure"),
        ('[[feature]]\nunit = "decai.py:Decay"\n', "a.toml:4: feature[0].unit: there is no file 'decai.py' beside the channel file; did you mean 'decay.py'?"),
        ('[[feature]]\nunit = "../x.py:Decay"\n', "a.toml:4: feature[0].unit: '../x.py' lies outside the channels' directory"),
        ('[[feature]]\nunit = "LCQuality"\ngruop = 1\n', "a.toml:5: feature[0].gruop: a feature has no such key; did you mean 'group'?"),
        ('[[feature]]\nunit = "LCQuality"\ngroup = 0\n', "a.toml:5: feature[0].group: expected a whole number, 1 to 16383, got 0"),
        ('[[feature]]\nunit = "LCQuality"\neligible = { min_point = 1 }\n', "a.toml:5: feature[0].eligible.min_point: there is no such rule; did you mean 'min_points'?"),
        ('[[feature]]\nunit = "LCQuality"\neligible = { min_points = -1 }\n', "a.toml:5: feature[0].eligible.min_points: expected a whole number, 0 to 16383, got -1"),
        ('[[feature]]\nunit = "LCQuality"\neligible = { points = "last" }\n', "a.toml:5: feature[0].eligible.points: LCQuality measures no single points"),
        ('[[feature]]\nunit = "other.py:Mark"\neligible = { points = "frist" }\n', "a.toml:5: feature[0].eligible.points: 'frist' is not one of first, last, all; did you mean 'first'?"),
        ('[[feature]]\nunit = "LCQuality"\neligible = 3\n', "a.toml:5: feature[0].eligible: expected a table"),
        ('[[feature]]\nunit = "LCQuality"\nparams = 3\n', "a.toml:5: feature[0].params: expected a table"),
        ('[[feature]]\nunit = "LCQuality"\n[[feature]]\nunit = "LCQuality"\n', "a.toml:5: feature[1]: is asked for in feature[0] already"),
        ('feature = "LCQuality"\n', "a.toml:3: feature: expected tables: [[feature]], each with a unit"),
    ],
)  # fmt: skip
def test_every_mistake_is_named_with_file_line_and_key(tmp_path, text, expected):
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(expected)


def test_mistakes_of_several_features_are_told_together_in_the_order_of_the_file(tmp_path):
    text = '[[feature]]\nunit = "Nope"\n[[feature]]\nunit = "LCQuality"\nparams = { a = 1, b = 2 }\n'
    lines = [problem.partition(": ")[0] for problem in problems(tmp_path, text)]
    assert lines == ["a.toml:4", "a.toml:7", "a.toml:7"]


def test_code_that_fails_is_named_by_its_own_line(tmp_path):
    text = '[[feature]]\nunit = "decay.py:Decay"\nparams = { days = 2e6 }\n'
    (problem,) = problems(tmp_path, text)
    assert problem == "decay.py:12: KeyError: 'oh' (the unit decay.py:Decay of a.toml)"


def test_a_module_that_cannot_be_executed_is_named_by_its_own_line(tmp_path):
    (problem,) = problems(tmp_path, '[[feature]]\nunit = "bad.py:Bad"\n', bad__py="x = 1\nclass Bad(:\n")
    assert problem.startswith("bad.py:2: SyntaxError")


def test_modules_travel_with_the_channel_and_count_in_its_version(tmp_path):
    load(tmp_path, '[[feature]]\nunit = "decay.py:OnDecay"\n')
    (files,) = read_files(tmp_path)
    assert sorted(files.modules) == ["decay.py", "helper.py", "other.py"]
    write(tmp_path, helper__py="FACTOR = 3\n")
    (changed,) = read_files(tmp_path)
    assert changed.version != files.version


def test_a_file_that_only_a_dependency_names_is_found(tmp_path):
    (wanted,) = load(tmp_path, '[[feature]]\nunit = "decay.py:OnDecay"\n').features
    assert [(below.unit, below.params.get("days")) for below, _ in wanted.recipe.depends] == [
        ("decay.py:Decay", 3.0),
        ("other.py:Mark", None),
    ]


def test_units_are_made_again_from_texts_alone_each_once(tmp_path):
    text = '[[feature]]\nunit = "decay.py:OnDecay"\n[[feature]]\nunit = "decay.py:Decay"\nparams = { days = 3 }\n'
    write(tmp_path, b__toml=HEAD + text)
    load(tmp_path, text)
    channels, files = load_channels(tmp_path), read_files(tmp_path)
    for name in FILES:
        (tmp_path / name.replace("__", ".")).unlink()
    made = make_units(channels, files)
    assert sorted(name for name, _ in made) == ["decay.py:Decay", "decay.py:OnDecay", "other.py:Mark"]
    assert all(key == one.recipe.key for key, one in made.items())
    assert made[channels[0].features[1].recipe.key].unit.days == 3.0


def test_what_a_unit_needs_and_does_not_find_is_named_with_file_and_line(tmp_path):
    channel = load(tmp_path, '[[feature]]\nunit = "LCQuality"\n[[feature]]\nunit = "decay.py:Needy"\n')
    files = read_files(tmp_path)
    lacking = need_problems([channel], files, make_units([channel], files), Found({}, {}))["a"]
    assert lacking[0].startswith(f"{tmp_path}/a.toml:6: feature[1].unit: there is no file {tmp_path}/m.onnx")
    assert "there is no catalogue 'gaiaa'" in lacking[1]


def test_the_checks_before_a_start_name_what_units_lack(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels").mkdir()
    write(tmp_path / "channels", a__toml=HEAD + '[[feature]]\nunit = "decay.py:Needy"\n', **FILES)
    for command in (["check"], ["channel", "check"]):
        assert run_command(command) == 78
        assert "a.toml:4: feature[0].unit: there is no file" in capsys.readouterr().err


def test_the_checks_before_a_start_try_to_open_units(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels").mkdir()
    shut = (
        "from ampeld.feature import StateUnit\n"
        "class Shut(StateUnit):\n"
        "    model: str = 'flat'\n"
        "    def open(self, resources):\n"
        "        raise ValueError('model: of another version')\n"
        "    def measure(self, light_curve):\n"
        "        return {}\n"
    )
    write(tmp_path / "channels", a__toml=HEAD + '[[feature]]\nunit = "shut.py:Shut"\n', shut__py=shut)
    for command in (["check"], ["channel", "check"]):
        assert run_command(command) == 78
        told = capsys.readouterr().err
        assert "a.toml: the unit shut.py:Shut cannot be opened: model: of another version (model is 'flat')" in told


def test_what_a_unit_needs_and_finds_is_no_problem(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\x00")
    channel = load(tmp_path, '[[feature]]\nunit = "decay.py:Decay"\n')
    files = read_files(tmp_path)
    assert need_problems([channel], files, make_units([channel], files), Found({}, {})) == {}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package that brings a unit."""
    site = tmp_path / "site"
    (site / "brightlib").mkdir(parents=True)
    (site / "brightlib" / "__init__.py").write_text("")
    (site / "brightlib" / "units.py").write_text(
        "from brightlib.tools import TWO\nfrom ampeld.feature import StateUnit\n"
        "class Bright(StateUnit):\n    def measure(self, light_curve):\n        return {'two': TWO}\n"
    )
    (site / "brightlib" / "tools.py").write_text("TWO = 2\n")
    info = site / "brightlib-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brightlib\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[ampeld.features]\nBright = brightlib.units:Bright\nLCQuality = brightlib.units:Bright\n"
        "Gone = brightlib.nowhere:Bright\n"
    )
    monkeypatch.syspath_prepend(str(site))
    features.installed_units.cache_clear()
    yield site
    features.installed_units.cache_clear()


@pytest.mark.usefixtures("installed")
def test_an_installed_package_brings_units_by_its_entry_points(tmp_path):
    here = tmp_path / "channels"
    here.mkdir()
    (wanted,) = load(here, '[[feature]]\nunit = "Bright"\n').features
    assert (wanted.recipe.unit, wanted.recipe.kind) == ("Bright", "state")


@pytest.mark.usefixtures("installed")
def test_a_built_in_unit_keeps_its_name(tmp_path):
    here = tmp_path / "channels"
    here.mkdir()
    (wanted,) = load(here, '[[feature]]\nunit = "LCQuality"\n').features
    assert make_units([load(here, '[[feature]]\nunit = "LCQuality"\n')], read_files(here))[
        wanted.recipe.key
    ].unit.__module__ == ("ampeld.feature.units.lcquality")


@pytest.mark.usefixtures("installed")
def test_an_entry_point_that_leads_nowhere_is_a_mistake_of_the_channel_that_asks(tmp_path):
    here = tmp_path / "channels"
    here.mkdir()
    (problem,) = problems(here, '[[feature]]\nunit = "Gone"\n')
    assert problem == "a.toml:4: feature[0].unit: there is no module 'brightlib.nowhere'"
