from pathlib import Path

import pytest
from support.catalogs import make_catalog

from ampeld.catalog.directory import open_catalogs
from ampeld.daemon.catalogs import catalog_problems, digests_in
from ampeld.daemon.channels import load_channels
from ampeld.daemon.settings import load_settings
from ampeld.errors import ConfigError

MODULE = """\
from ampeld.channel import Filter

class Near(Filter):
    catalog: str = "gaia"
    columns: list[str] = ["pmra"]

    def catalogs(self):
        return {self.catalog: self.columns}

class Broken(Filter):
    def catalogs(self):
        raise RuntimeError("oh")
"""
WATCH = 'filter = "ampeld.channel.watch:WatchFilter"\ncontact = "a@example.org"\n[params]\n'


def channels(directory, params="", cls="Near"):
    directory.mkdir()
    (directory / "near.py").write_text(MODULE)
    (directory / "near.toml").write_text(f'filter = "near.py:{cls}"\ncontact = "a@example.org"\n[params]\n{params}')
    return load_channels(directory)


@pytest.fixture
def found(tmp_path):
    make_catalog(tmp_path / "catalogs", "gaia", ra=[1.0], dec=[2.0], pmra=[3.0], pmdec=[4.0])
    make_catalog(tmp_path / "catalogs", "broken", ra=[1.0], dec=[2.0])
    (tmp_path / "catalogs" / "broken" / "meta.json").write_text("{}")
    return open_catalogs(tmp_path / "catalogs")


def problems(tmp_path, found, params="", cls="Near"):
    lines = catalog_problems(channels(tmp_path / "channels", params, cls), found).get("near", [])
    return [line.removeprefix(f"{tmp_path / 'channels' / 'near.toml'}: ") for line in lines]


def test_a_channel_whose_catalogue_is_there_has_no_problem(tmp_path, found):
    assert problems(tmp_path, found) == []


def test_a_missing_catalogue_is_named_with_the_nearest_and_what_is_there(tmp_path, found):
    assert problems(tmp_path, found, 'catalog = "gaia3"') == [
        "there is no catalogue 'gaia3'; did you mean 'gaia'? (there: gaia); see `ampeld catalog import --help`"
    ]


def test_every_missing_column_is_named_with_the_nearest_and_what_is_there(tmp_path, found):
    assert problems(tmp_path, found, 'columns = ["pmRA", "ra", "z"]') == [
        "the catalogue 'gaia' has no column 'pmRA'; did you mean 'pmra'? (there: dec, pmdec, pmra, ra)",
        "the catalogue 'gaia' has no column 'z' (there: dec, pmdec, pmra, ra)",
    ]


def test_a_catalogue_that_cannot_be_used_is_told_with_the_reason(tmp_path, found):
    (line,) = problems(tmp_path, found, 'catalog = "broken"\ncolumns = []')
    assert line.startswith("the catalogue 'broken' cannot be used: ")
    assert "does not describe a catalogue" in line


def test_a_filter_that_fails_to_say_is_told(tmp_path, found):
    assert problems(tmp_path, found, cls="Broken") == ["catalogs() of its filter fails: RuntimeError: oh"]


def watching(tmp_path, params, **files):
    (tmp_path / "watch.toml").write_text(WATCH + params)
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return load_channels(tmp_path)[0]


def test_a_parameter_may_be_a_file_beside_the_channel_file(tmp_path):
    channel = watching(tmp_path, 'objects = { file = "mine.txt" }', mine__txt="ZTF21aaaaaaa\n")
    assert channel.filter.objects.text == "ZTF21aaaaaaa\n"


def test_what_such_a_file_holds_belongs_to_the_version(tmp_path):
    params = 'objects = { file = "mine.txt" }'
    before = watching(tmp_path, params, mine__txt="ZTF21aaaaaaa\n").version
    assert watching(tmp_path, params, mine__txt="ZTF21aaaaaaa\n").version == before
    assert watching(tmp_path, params, mine__txt="ZTF21bbbbbbb\n").version != before


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ('objects = { file = "absent.txt" }', "watch.toml:4: params.objects: there is no file 'absent.txt' beside"),
        ('objects = { file = "absent" }', "watch.toml:4: params.objects: there is no file 'absent' beside"),
        ('cones = { file = "cones.csv" }', "watch.toml:4: params.cones: cones.csv:2: dec is 91.0: -90 to 90 degrees"),
        ('cones = { file = "../cones.csv" }', "watch.toml:4: params.cones: "),
    ],
)
def test_a_wrong_file_is_named_with_line_and_key(tmp_path, params, expected):
    (tmp_path.parent / "cones.csv").write_text("ra,dec\n")
    with pytest.raises(ConfigError) as caught:
        watching(tmp_path, params, cones__csv="ra,dec\n1,91\n")
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path}/{expected}")


def test_a_service_keeps_its_catalogues_in_its_state_directory(tmp_path):
    environ = {"STATE_DIRECTORY": "/var/lib/ampeld"}
    assert load_settings(None, [], environ).catalogs.directory == Path("/var/lib/ampeld/catalogs")
    (tmp_path / "ampeld.toml").write_text("[catalogs]\ndirectory = 'mine'\n")
    assert load_settings(tmp_path / "ampeld.toml", [], environ).catalogs.directory == tmp_path / "mine"


def test_a_digest_tells_one_import_from_the_next(tmp_path, found):
    digests = digests_in(tmp_path / "catalogs")
    assert digests["gaia"] == found.catalogs["gaia"].meta.digest
    assert "does not describe a catalogue" in digests["broken"]
    assert digests_in(tmp_path / "absent") == {}
