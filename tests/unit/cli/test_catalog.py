"""`ampeld catalog` from the table to the search, as a user types it."""

import json

import pytest
from support.catalogs import write_csv

from ampeld.cli.main import run_command


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def table(tmp_path):
    return write_csv(
        tmp_path / "t.csv", RAJ2000=[254.0, 254.001], DEJ2000=[-29.0, -29.0], Source=[2**60 + 1, 7], Gmag=[15.5, None]
    )


def said(capsys, *arguments):
    code = run_command(["catalog", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys, *arguments):
    code, out, err = said(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_table_is_imported_listed_checked_and_searched(table, tmp_path, capsys):
    code, out, _ = said(capsys, "import", "stars", table, "--epoch", "2016", "--description", "my stars")
    assert code == 0
    assert "ra is column 'RAJ2000'" in out
    assert f"stars: 2 sources with 4 columns in {tmp_path}/var/catalogs/stars" in out
    code, out, _ = said(capsys, "list")
    assert code == 0
    assert "my stars" in out
    code, out, _ = said(capsys, "list", "stars")
    assert "Gmag" in out
    assert said(capsys, "check")[0] == 0
    code, out, _ = said(capsys, "cone", "stars", 254, -29.0001, 5)
    assert (code, str(2**60 + 1) in out) == (0, True)


def test_every_answer_is_there_for_programs(table, capsys):
    imported = document(capsys, "import", "stars", table, "--columns", "g=Gmag,Source", "--unit", "Gmag=mag")
    assert [column["name"] for column in imported["catalog"]["columns"]] == ["ra", "dec", "g", "Source"]
    listed = document(capsys, "list")
    assert [(one["name"], one["rows"]) for one in listed["catalogs"]] == [("stars", 2)]
    assert document(capsys, "list", "stars")["columns"][2]["unit"] == "mag"
    assert document(capsys, "check", "stars") == {"ok": True, "problems": {"stars": []}}
    found = document(capsys, "cone", "stars", 254, -29, 10)
    assert found["found"] == 2
    assert [source["Source"] for source in found["sources"]] == [2**60 + 1, 7]
    assert [source["g"] for source in found["sources"]] == [15.5, None]
    assert found["sources"][1]["distance"] == pytest.approx(3.1486, abs=1e-3)
    assert len(document(capsys, "cone", "stars", 254, -29, 10, "--limit", 1)["sources"]) == 1


def test_a_table_that_cannot_be_imported_is_told_with_every_reason(table, capsys):
    code, out, err = said(
        capsys, "import", "stars", table, "--ra", "RAJ200", "--columns", "gmag", "--unit", "Gmag=magg"
    )
    assert (code, out) == (65, "")
    assert err.splitlines() == [
        f"{table}: --unit Gmag: 'magg' is no unit; did you mean mag?",
        f"{table}: has no column 'RAJ200' (--ra); did you mean 'RAJ2000'?",
        f"{table}: has no column 'gmag' (--columns); did you mean 'Gmag'?",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import", "stars", "absent.csv"], 65, "absent.csv: there is no such file"),
        (["import", "stars", "t.csv", "--preset", "gaia-dr9"], 64, "did you mean 'gaia-dr3'?"),
        (["import", "stars", "t.csv", "--unit", "mag"], 64, "is not COLUMN=UNIT"),
        (["check", "stars"], 78, "there is no catalogue 'stars' (there: none)"),
        (["cone", "stars", "1", "2", "3"], 78, "there is no catalogue 'stars'"),
        (["cone", "stars", "361", "2", "3"], 64, "less than or equal to 360"),
        (["cone", "stars", "1", "-91", "3"], 64, "greater than or equal to -90"),
        (["frob"], 64, "frob"),
    ],
)
def test_a_mistake_is_a_line_and_an_exit_code(arguments, code, message, table, capsys):
    found, _, err = said(capsys, *arguments)
    assert (found, message in err) == (code, True)


def test_a_radius_that_cannot_be_searched_is_a_usage_error(table, capsys):
    said(capsys, "import", "stars", table)
    code, _, err = said(capsys, "cone", "stars", 1, 2, 40_000)
    assert (code, "above 0 and up to 10 degrees" in err) == (64, True)


def test_a_damaged_catalogue_is_found(table, tmp_path, capsys):
    said(capsys, "import", "stars", table)
    (meta,) = (tmp_path / "var" / "catalogs" / "stars").glob("data-*/ra.npy")
    meta.write_bytes(meta.read_bytes()[:-8] + b"\0" * 8)
    code, out, _ = said(capsys, "check", "--json")
    assert code == 1
    assert "column 'ra' is damaged" in json.loads(out)["problems"]["stars"][0]


@pytest.mark.parametrize("command", ["import", "list", "check", "cone"])
def test_every_command_explains_itself(command, capsys):
    code, out, _ = said(capsys, command, "--help")
    assert (code, f"Usage: ampeld catalog {command}" in out) == (0, True)
    assert "Try:" in out


def test_check_names_a_channel_whose_catalogue_is_not_there(tmp_path, table, capsys):
    (tmp_path / "channels").mkdir()
    (tmp_path / "channels" / "near.toml").write_text(
        'filter = "ampeld.channel.catalogfilter:CatalogFilter"\ncontact = "a@example.org"\n'
        '[params]\nmatch = [{ catalog = "stars", radius = 3.0, limits = { Gmag = [10.0, 16.0] } }]\n'
    )
    assert run_command(["check"]) == 78
    assert "near.toml: there is no catalogue 'stars' (there: none)" in capsys.readouterr().err
    said(capsys, "import", "stars", table, "--columns", "g=Gmag")
    assert run_command(["check"]) == 78
    assert "near.toml: the catalogue 'stars' has no column 'Gmag' (there: dec, g, ra)" in capsys.readouterr().err
    said(capsys, "import", "stars", table, "--replace")
    assert run_command(["check"]) == 0
