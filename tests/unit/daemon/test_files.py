"""A channel is its texts: read once, loaded from there, and hashed into its version."""

import traceback
from pathlib import Path

import pytest

from ampeld.daemon import files, filters_installed
from ampeld.daemon.channels import ChannelsRefusedError, load_channel, load_channels, load_each
from ampeld.daemon.files import ChannelFiles, read_channel, read_each, read_files
from ampeld.daemon.filters_installed import installed_sources
from ampeld.errors import ConfigError

PASS = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "a@example.org"\n'
REAL = 'filter = "real.py:Real"\ncontact = "a@example.org"\n'
MODULE = """\
from ampeld.channel import Filter
from ampeld.channel.textfile import TextFile

import helper

class Real(Filter):
    names: TextFile | None = None

    def prepare(self):
        self.limit = helper.limit()
        self.wanted = [] if self.names is None else [text for _, text in self.names.lines()]
"""
HELPER = "from .deeper import LIMIT\n\ndef limit():\n    return LIMIT\n"
DEEPER = "LIMIT = 0.5\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path, **{"a.toml": REAL, "real.py": MODULE, "helper.py": HELPER, "deeper.py": DEEPER})
    return tmp_path


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def read(directory: Path) -> ChannelFiles:
    return read_channel(directory / "a.toml")


def test_a_channel_is_loaded_from_its_texts_alone(directory: Path) -> None:
    write(directory, **{"a.toml": REAL + '[params]\nnames = { file = "watch.txt" }\n', "watch.txt": "x # one\n\ny\n"})
    texts = read(directory)
    for path in directory.iterdir():
        path.unlink()
    made = load_channel(texts).filter
    assert (made.limit, made.wanted) == (0.5, ["x", "y"])  # type: ignore[attr-defined]
    assert set(texts.modules) == {"real.py", "helper.py", "deeper.py", "watch.txt"}


@pytest.mark.parametrize("name", ["a.toml", "real.py", "helper.py", "deeper.py", "watch.txt"])
def test_the_version_changes_with_each_text(directory: Path, name: str) -> None:
    write(directory, **{"a.toml": REAL + '[params]\nnames = { file = "watch.txt" }\n', "watch.txt": "x\n"})
    before = read(directory).version
    assert read(directory).version == before
    with (directory / name).open("a") as file:
        file.write("# more\n")
    assert read(directory).version != before
    assert load_channel(read(directory)).version == read(directory).version


def test_a_text_from_the_store_has_the_same_version_wherever_it_lay(directory: Path) -> None:
    read_now = read(directory)
    kept = ChannelFiles("a", "/elsewhere/a.toml", read_now.text, read_now.modules, stored=True)
    assert kept.version == read_now.version
    assert kept.shown("real.py") == f"/elsewhere/real.py@{kept.version}"


def test_the_version_changes_with_the_source_of_an_installed_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels, packages = tmp_path / "channels", tmp_path / "packages"
    channels.mkdir()
    versions = []
    for number in range(2):
        package = packages / str(number) / "installed_filters"
        package.mkdir(parents=True)
        write(package, **{"__init__.py": "1 / 0", "one.py": "from . import two\n", "two.py": f"number = {number}\n"})
        name = f"installed_filters_{number}"
        package.rename(package.with_name(name))
        monkeypatch.syspath_prepend(str(packages / str(number)))
        write(channels, **{"a.toml": PASS.replace("ampeld.channel.passall", f"{name}.one")})
        first = read(channels).version  # nothing is executed: its package divides by zero
        (package.with_name(name) / "two.py").write_text("number = 7\n")
        files._version.cache_clear()
        filters_installed._closure.cache_clear()
        versions.append((first, read(channels).version))
    assert all(first != second for first, second in versions)


def test_a_built_in_filter_that_a_module_derives_from_belongs_to_the_version(directory: Path) -> None:
    derived = "from ampeld.channel.decent import DecentFilter\nclass Mine(DecentFilter):\n    pass\n"
    assert "ampeld.channel.decent" in installed_sources(["mine.py:Mine"], {"mine.py": derived})
    assert installed_sources(["real.py:Real"], {"real.py": MODULE}).keys() <= {"ampeld.channel.textfile"}


def test_a_helper_is_no_module_of_anybody_else(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, **{"a.toml": REAL, "real.py": MODULE, "helper.py": "def limit():\n    return 7\n"})
    limits = [load_channel(read(place)).filter.limit for place in (directory, other, directory)]  # type: ignore[attr-defined]
    assert limits == [0.5, 7, 0.5]
    with pytest.raises(ModuleNotFoundError):
        __import__("helper")


def test_a_name_of_the_standard_library_means_the_standard_library(directory: Path) -> None:
    write(directory, **{"real.py": "import json\n" + MODULE, "json.py": "1 / 0\n"})
    assert "json.py" not in read(directory).modules
    load_channel(read(directory))


def test_a_late_import_finds_its_helper_too(directory: Path) -> None:
    late = MODULE.replace("import helper\n", "").replace(
        "        self.limit", "        import helper\n        self.limit"
    )
    write(directory, **{"real.py": late})
    assert load_channel(read(directory)).filter.limit == 0.5  # type: ignore[attr-defined]


def test_a_relative_import_of_nothing_is_named_by_its_line(directory: Path) -> None:
    write(directory, **{"helper.py": "\nfrom .nowhere import x\n"})
    with pytest.raises(ConfigError) as caught:
        load_channel(read(directory))
    (problem,) = caught.value.problems
    assert problem.startswith(f"{directory}/helper.py:2: ModuleNotFoundError: there is no file nowhere.py beside")


def test_a_traceback_shows_the_lines_that_were_loaded(directory: Path) -> None:
    module = MODULE + "\n    def cuts(self, a):\n        yield 'boom', 1 / 0\n"
    made = load_channel(read(write(directory, **{"real.py": module}))).filter
    write(directory, **{"real.py": "x = (\n"})
    with pytest.raises(ConfigError):
        load_channel(read(directory))  # what still runs keeps its lines
    with pytest.raises(ZeroDivisionError) as caught:
        list(made.cuts(None))  # type: ignore[arg-type]
    text = "".join(traceback.format_exception(caught.value))
    assert f"File \"{directory}/real.py\", line 14, in cuts\n    yield 'boom', 1 / 0\n" in text


def test_a_parameters_file_that_is_not_there_is_named_by_its_line(directory: Path) -> None:
    write(directory, **{"a.toml": REAL + '[params]\nnames = { file = "wotch.txt" }\n', "watch.txt": "x"})
    (problem,) = refused(directory)["a"]
    assert problem == (
        f"{directory}/a.toml:4: params.names: there is no file 'wotch.txt' beside the channel file; "
        "did you mean 'watch.txt'?"
    )


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd"])
def test_a_parameters_file_lies_inside_the_directory(directory: Path, name: str) -> None:
    write(directory, **{"a.toml": REAL + f'[params]\nnames = {{ file = "{name}" }}\n'})
    assert "lies outside the channels' directory" in refused(directory)["a"][0]


def refused(directory: Path) -> dict[str, list[str]]:
    with pytest.raises(ChannelsRefusedError) as caught:
        load_channels(directory)
    return dict(caught.value.by_channel)


def test_what_cannot_be_read_is_told_by_channel_and_the_others_are_there(directory: Path) -> None:
    (directory / "b.toml").write_bytes(b"filter = '\xff'")
    found, problems = read_each(directory)
    assert [one.name for one in found] == ["a"]
    assert problems == {"b": [f"{directory}/b.toml:1: not UTF-8 text"]}
    with pytest.raises(ConfigError):
        read_files(directory)


def test_channels_that_cannot_be_loaded_are_told_beside_those_that_can(directory: Path) -> None:
    write(directory, **{"b.toml": PASS, "c.toml": "filter = [", "d.toml": REAL + "max = 1\n"})
    channels, problems = load_each(read_files(directory))
    assert [channel.name for channel in channels] == ["a", "b"]
    assert set(problems) == {"c", "d"}


def test_a_channel_says_whose_alerts_it_judges(directory: Path) -> None:
    write(directory, **{"b.toml": PASS + 'survey = "lsst"\n', "c.toml": PASS + 'survey = "zwicky"\n'})
    assert [one.survey for one in read_files(directory)] == ["ztf", "lsst", "zwicky"]
    assert refused(directory) == {"c": [f"{directory}/c.toml:3: survey: 'zwicky' is not one of ztf, lsst"]}
    (directory / "c.toml").unlink()
    assert [channel.name for channel in load_channels(directory, "lsst")] == ["b"]
    assert load_channels(directory, "lsst")[0].access == {"LSST"}
    (directory / "b.toml").unlink()
    with pytest.raises(ConfigError, match="no channel judges alerts of lsst"):
        load_channels(directory, "lsst")


def test_a_channel_states_the_limits_of_its_gate(directory: Path) -> None:
    write(directory, **{"a.toml": PASS + "[gate]\nmax_pass_fraction = 0.02\nmax_us_per_alert = 30\n"})
    limits = load_channel(read(directory)).limits
    assert (limits.max_pass_fraction, limits.max_us_per_alert) == (0.02, 30.0)
    write(
        directory, **{"a.toml": PASS + "[gate]\nmax_pas_fraction = 1\nmax_us_per_alert = true\nmax_pass_fraction = 2\n"}
    )
    assert [problem.split(": ", 1)[1] for problem in refused(directory)["a"]] == [
        "gate.max_pas_fraction: a gate has no such limit; did you mean 'max_pass_fraction'?",
        "gate.max_us_per_alert: expected microseconds per alert, above 0, got True",
        "gate.max_pass_fraction: expected a fraction of the alerts, 0 to 1, got 2",
    ]


def test_files_that_are_large_together_belong_into_a_catalogue(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ampeld.daemon.files.MOST_BYTES", 400)
    with pytest.raises(ConfigError, match="400 is the most"):
        read(directory)
