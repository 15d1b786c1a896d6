import os
import shutil
import sys
from pathlib import Path

import pytest
from fakes.table import candidates

from ampeld.channel.decent import DecentFilter
from ampeld.channel.judge import judge
from ampeld.channel.passall import PassAll
from ampeld.daemon.channels import load_channels
from ampeld.errors import ConfigError
from ampeld.flow.verdict import ACCEPTED, CUT

PROJECT = Path(__file__).resolve().parents[3]
PASS = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "a@example.org"\n'
MODULE = """\
from ampeld.channel import Filter

class Real(Filter):
    min_rb: float = 0.5
    bands: list[int] = [1]

    def prepare(self):
        if self.min_rb > 1:
            raise ValueError("min_rb: a score is 1 at most")
        if self.min_rb < 0:
            raise KeyError("oh")

    def cuts(self, a):
        yield "real", a.rb >= self.min_rb

class Other:
    pass
"""
REAL = 'filter = "real.py:Real"\ncontact = "a@example.org"\n'


def write(directory, **files):
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return directory


def problems(directory, **files):
    with pytest.raises(ConfigError) as caught:
        load_channels(write(directory, **files))
    return [problem.replace(f"{directory}{os.sep}", "") for problem in caught.value.problems]


def test_channels_come_by_name_with_what_their_files_say(tmp_path):
    text = REAL + 'access = ["ZTF_PUB", "ZTF_PRIV"]\non_known = "bypass"\n[params]\nmin_rb = 1\n'
    second, first = load_channels(write(tmp_path, b__toml=text, a__toml=PASS, real__py=MODULE))[::-1]
    assert (first.name, second.name) == ("a", "b")
    assert isinstance(first.filter, PassAll)
    assert (first.access, first.on_known, first.contact) == (frozenset({"ZTF_PUB"}), "off", "a@example.org")
    assert (second.access, second.on_known) == (frozenset({"ZTF_PUB", "ZTF_PRIV"}), "bypass")
    assert second.path == tmp_path / "b.toml"
    assert judge(second.filter, candidates("rb", 1.0, 0.9), second.cut_names).codes.tolist() == [ACCEPTED, CUT]
    assert second.cut_names.names == ["real"]


def test_two_channels_of_one_module_are_two_filters(tmp_path):
    one, two = load_channels(write(tmp_path, a__toml=REAL, b__toml=REAL + "[params]\nmin_rb = 0.7", real__py=MODULE))
    assert (one.filter.min_rb, two.filter.min_rb) == (0.5, 0.7)
    assert type(one.filter) is type(two.filter)


def test_loading_leaves_no_trace(tmp_path):
    path = list(sys.path)
    load_channels(write(tmp_path, a__toml=REAL, real__py=MODULE))
    assert sys.path == path
    assert "real" not in sys.modules
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.toml", "real.py"]


def test_a_changed_module_is_read_anew(tmp_path):
    load_channels(write(tmp_path, a__toml=REAL, real__py=MODULE))
    (again,) = load_channels(write(tmp_path, real__py=MODULE.replace("0.5", "0.6")))
    assert again.filter.min_rb == 0.6


def test_the_version_changes_with_channel_file_and_source_only(tmp_path):
    def version(**files):
        return load_channels(write(tmp_path, **files))[0].version

    first = version(a__toml=REAL, real__py=MODULE)
    assert len(first) == 16
    assert int(first, 16)
    assert version() == first
    assert version(unrelated__txt="x") == first
    assert version(a__toml=REAL + "\n[params]\nmin_rb = 0.4") != first
    assert version(a__toml=REAL, real__py=MODULE + "# more") != first
    assert version(a__toml=PASS) != first
    moved = tmp_path / "moved"
    moved.mkdir()
    assert load_channels(write(moved, a__toml=REAL, real__py=MODULE))[0].version == first


def test_a_filter_derived_from_another_changes_with_it(tmp_path):
    module = "from ampeld.channel.decent import DecentFilter\nclass Mine(DecentFilter):\n    gaia_rs = 0.0\n"
    text = (PROJECT / "channels" / "decent.toml").read_text()
    text = text.replace("ampeld.channel.decent:DecentFilter", "mine.py:Mine").replace("gaia_rs = 0.0", "")
    (channel,) = load_channels(write(tmp_path, a__toml=text, mine__py=module))
    assert isinstance(channel.filter, DecentFilter)


def test_every_problem_of_every_file_is_told_at_once(tmp_path):
    wrong = 'filter = "real.py:Real"\nconcat = "x"\naccess = ["ZTF_PUP"]\non_known = "bypas"\n[params]\nmin_br = 1\nbands = 2\n'
    assert problems(tmp_path, a__toml=wrong, b__toml="filter = [", real__py=MODULE) == [
        "a.toml: contact: missing: whom to tell when the filter fails",
        "a.toml:2: concat: a channel has no such key; did you mean 'contact'?",
        "a.toml:3: access: 'ZTF_PUP' is not one of ZTF, ZTF_PUB, ZTF_PRIV; did you mean 'ZTF_PUB'?",
        "a.toml:4: on_known: 'bypas' is not one of off, bypass, overrule; did you mean 'bypass'?",
        "a.toml:6: params.min_br: Real has no such parameter; did you mean 'min_rb'?",
        "a.toml:7: params.bands: expected array, got int",
        "b.toml:1: Invalid value (at end of document)",
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("reel.py:Real", "there is no file 'reel.py' beside the channel file; did you mean 'real.py'?"),
        ("real.py:Reel", "real.py has no class 'Reel'; did you mean 'Real'?"),
        ("real.py:Other", "'real.py:Other' is no filter: it does not derive from ampeld.channel.Filter"),
        ("real.py", "'real.py' is neither 'file.py:Class' nor 'package.module:Class'"),
        ("real.py:", "'real.py:' is neither 'file.py:Class' nor 'package.module:Class'"),
        (
            "ampeld.channel.filter:Filter",
            "'ampeld.channel.filter:Filter' is no filter: it does not derive from ampeld.channel.Filter",
        ),
        ("ampeld.channel.decend:DecentFilter", "there is no module 'ampeld.channel.decend'"),
        ("nowhere_at_all:Real", "there is no module 'nowhere_at_all'"),
        (
            "ampeld.channel.decent:DecentFiltr",
            "ampeld.channel.decent has no class 'DecentFiltr'; did you mean 'DecentFilter'?",
        ),
    ],
)
def test_a_filter_that_is_not_there_is_named(tmp_path, words, problem):
    assert problems(tmp_path, a__toml=REAL.replace("real.py:Real", words), real__py=MODULE) == [
        f"a.toml:1: filter: {problem}"
    ]


@pytest.mark.parametrize("words", ["../real.py:Real", "/real.py:Real"])
def test_a_filter_file_lies_inside_the_directory(tmp_path, words):
    inside = tmp_path / "channels"
    inside.mkdir()
    write(tmp_path, real__py=MODULE)
    words = words.replace("/real", f"{tmp_path}/real") if words.startswith("/") else words
    assert "lies outside the channels' directory" in problems(inside, a__toml=REAL.replace("real.py:Real", words))[0]


def test_a_link_does_not_lead_outside(tmp_path):
    inside = tmp_path / "channels"
    inside.mkdir()
    write(tmp_path, real__py=MODULE)
    (inside / "real.py").symlink_to(tmp_path / "real.py")
    assert "lies outside" in problems(inside, a__toml=REAL)[0]


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("x = (\n", "real.py:1: SyntaxError: '(' was never closed"),
        ("x = 1\ny = z\n", "real.py:2: NameError: name 'z' is not defined"),
        ("import json\n\njson.loads('{')\n", "real.py:3: json.decoder.JSONDecodeError: Expecting property name"),
        ("import not_a_module\n", "real.py:1: ModuleNotFoundError: No module named 'not_a_module'"),
        ("raise SystemExit(3)\n", "real.py:1: SystemExit: 3"),
        ("x = '\0'\n", "real.py: SyntaxError: source code string cannot contain null bytes"),
    ],
)
def test_a_module_that_cannot_be_executed_is_named_by_its_line(tmp_path, module, problem):
    (found,) = problems(tmp_path, a__toml=REAL, real__py=module)
    assert found.startswith(problem)
    assert found.endswith("(the filter of a.toml)")


def test_a_refused_parameter_is_named_by_its_line(tmp_path):
    assert problems(tmp_path, a__toml=REAL + "[params]\nmin_rb = 1.5\n", real__py=MODULE) == [
        "a.toml:4: params.min_rb: a score is 1 at most"
    ]


def test_a_filter_that_fails_on_its_parameters_is_named_by_its_line(tmp_path):
    (found,) = problems(tmp_path, a__toml=REAL + "[params]\nmin_rb = -1\n", real__py=MODULE)
    assert found.startswith("real.py:11: KeyError: 'oh'")


def test_a_missing_parameter_is_named(tmp_path):
    module = MODULE.replace("min_rb: float = 0.5", "min_rb: float")
    assert problems(tmp_path, a__toml=REAL + "[params]\nbands = [2]\n", real__py=module) == [
        "a.toml:3: params: parameter 'min_rb' of Real is missing: it has no default"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("contact = 'x'", "a.toml: filter: missing: 'file.py:Class' beside this file, or 'package.module:Class'"),
        ("filter = 3\ncontact = 'x'", "a.toml:1: filter: expected text: 'file.py:Class'"),
        (PASS.replace("a@example.org", " "), "a.toml:2: contact: expected text: whom to tell"),
        (PASS + "access = 'ZTF'", "a.toml:3: access: expected a list of ZTF, ZTF_PUB, ZTF_PRIV"),
        (PASS + "access = []", "a.toml:3: access: expected a list"),
        (PASS + "access = [1]", "a.toml:3: access: 1 is not one of"),
        (PASS + "on_known = true", "a.toml:3: on_known: True is not one of off, bypass, overrule"),
        (PASS + "params = 1", "a.toml:3: params: expected a table: [params]"),
    ],
)
def test_a_wrong_key_is_named_by_file_line_and_key(tmp_path, text, problem):
    (found,) = problems(tmp_path, a__toml=text)
    assert found.startswith(problem)


@pytest.mark.parametrize("name", ["a b", "ä", "a.b", "x" * 65, ".hidden"])
def test_a_channels_name_is_plain(tmp_path, name):
    (tmp_path / f"{name}.toml").write_text(PASS)
    assert "is no channel name" in problems(tmp_path)[0]


def test_only_toml_files_directly_in_the_directory_are_channels(tmp_path):
    write(tmp_path, a__toml=PASS, b__txt="no", c__toml__bak="no")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", d__toml="no")
    assert [channel.name for channel in load_channels(tmp_path)] == ["a"]


def test_no_channels_are_a_problem(tmp_path):
    assert problems(tmp_path) == [f"{tmp_path}: no channels: there is no *.toml file"]
    shutil.rmtree(tmp_path)
    assert problems(tmp_path) == [f"{tmp_path}: the channels' directory cannot be read: No such file or directory"]
