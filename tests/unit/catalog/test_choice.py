from pathlib import Path
from types import SimpleNamespace

import pytest

from ampeld.catalog.agreement import choose_alike
from ampeld.catalog.choice import Wanted, choose
from ampeld.catalog.errors import TableError
from ampeld.catalog.presets import PRESETS
from ampeld.catalog.table import TableColumn

GAIA = PRESETS["gaia-dr3"]


def a_table(name="t.fits", **columns):
    """Column = kind, or (kind, unit); a name may not be a Python one: write it as a dictionary."""
    found = {}
    for column, said in columns.items():
        kind, unit = (said, "") if isinstance(said, str | None) else said
        found[column] = TableColumn(name=column, kind=kind, type=str(kind or "list of float"), unit=unit)
    return SimpleNamespace(path=Path(name), columns=found, rows=1)


def problems(table, **wanted):
    with pytest.raises(TableError) as caught:
        choose(table, Wanted(**wanted))
    return caught.value.problems


def chosen(table, **wanted):
    return choose(table, Wanted(**wanted))


@pytest.mark.parametrize(
    ("ra", "dec"),
    [("ra", "dec"), ("RA", "DEC"), ("RAJ2000", "DEJ2000"), ("RA_ICRS", "DE_ICRS"), ("raMean", "decMean")],
)
def test_positions_are_guessed_and_named(ra, dec):
    made = chosen(a_table(**{"x": "float", ra: "float", dec: ("float", "deg")}))
    assert (made.ra.source, made.dec.source) == (ra, dec)
    assert made.notes[:2] == [
        f"t.fits: ra is column '{ra}' [no unit named: deg assumed]",
        f"t.fits: dec is column '{dec}' [deg]",
    ]
    assert [column.name for column in made.columns] == ["x"]


def test_named_positions_go_before_guessed_ones():
    made = chosen(a_table(ra="float", dec="float", ra_pm="float", dec_pm="float"), ra="ra_pm", dec="dec_pm")
    assert (made.ra.source, made.dec.source) == ("ra_pm", "dec_pm")
    assert [(column.name, column.source) for column in made.columns] == [("ra_", "ra"), ("dec_", "dec")]


@pytest.mark.parametrize(
    ("unit", "factor"), [("deg", 1), ("rad", 57.29577951308232), ("h", 15), ("hourangle", 15), ("arcsec", 1 / 3600)]
)
def test_positions_are_converted_to_degrees(unit, factor):
    assert chosen(a_table(ra=("float", unit), dec="float")).ra.factor == pytest.approx(factor)
    assert chosen(a_table(ra="float", dec="float"), units={"ra": unit}).ra.factor == pytest.approx(factor)


def test_all_columns_are_taken_under_names_that_authors_can_write():
    columns = {
        "ra": "float",
        "dec": "float",
        "W1-W2": "float",
        "_r": "int",
        "2MASS": "text",
        "class": "text",
        "distance": "float",
    }
    made = chosen(a_table(**columns, lists=None))
    assert [column.name for column in made.columns] == ["W1_W2", "r", "c2MASS", "class_", "distance_"]
    assert "t.fits: column 'W1-W2' is called 'W1_W2'" in made.notes
    assert "t.fits: column 'lists' is left out: it holds list of float" in made.notes


def test_columns_are_taken_by_name_and_named_anew():
    made = chosen(
        a_table(ra="float", dec="float", Z=("float", ""), mag=("float", "mag"), n="int"),
        columns=[("z", "Z"), ("mag", "mag")],
    )
    assert [(column.name, column.source, column.unit) for column in made.columns] == [
        ("z", "Z", ""),
        ("mag", "mag", "mag"),
    ]


def test_positions_among_the_columns_are_no_mistake():
    made = chosen(a_table(ra="float", dec="float", n="int"), columns=[("ra", "ra"), ("dec", "dec"), ("n", "n")])
    assert [column.name for column in made.columns] == ["n"]


def test_every_mistake_is_told_at_once_with_the_nearest_name():
    table = a_table(RAJ2000="text", Decl="float", mag=("float", "mag"), lists=None)
    found = problems(
        table, columns=[("mag", "mga"), ("lists", "lists"), ("count", "mag")], units={"mag": "magg", "maag": "mag"}
    )
    assert found == [
        "t.fits: --unit mag: 'magg' is no unit; did you mean mag?",
        "t.fits: has no column 'maag' (--unit); did you mean 'mag'?",
        "t.fits: column 'RAJ2000' (ra) holds text: sexagesimal positions must be converted to degrees first",
        "t.fits: which column is dec? Name it with --dec; there are RAJ2000, Decl, mag, lists",
        "t.fits: has no column 'mga' (--columns); did you mean 'mag'?",
        "t.fits: column 'lists' holds list of float, which a catalogue cannot",
        "t.fits: a column cannot be called 'count', which is taken by the search itself: write --columns other=mag",
    ]


def test_a_position_in_a_unit_of_something_else_is_refused():
    found = problems(a_table(ra=("float", "mag"), dec=("float", "foo")))
    assert found == [
        "t.fits: column 'ra' (ra): 'mag' cannot be converted to 'deg'; name the right one with --unit",
        "t.fits: column 'dec' (dec): 'foo' is no unit; name the right one with --unit",
    ]


def test_an_unknown_unit_of_any_other_column_is_kept_and_told():
    made = chosen(a_table(ra="float", dec="float", x=("float", "foos")))
    assert made.columns[0].unit == "foos"
    assert "t.fits: column 'x' is in 'foos', which is no known unit" in made.notes


def test_two_columns_of_one_name_are_refused():
    table = a_table(**{"ra": "float", "dec": "float", "a-b": "int", "a_b": "int"})
    assert problems(table) == [
        "t.fits: two columns would be called 'a_b': name one otherwise, as in --columns other=a_b"
    ]


def gaia_table(**changed):
    columns = {column.name: ("float", column.unit) for column in GAIA.columns}
    return a_table(**({"ra": ("float", "deg"), "dec": ("float", "deg")} | columns | changed))


def test_the_preset_for_gaia_takes_what_is_looked_at():
    made = chosen(gaia_table(source_id="int", teff="float"), preset=GAIA)
    names = [column.name for column in made.columns]
    assert names == [*(column.name for column in GAIA.columns), "source_id"]


def test_the_preset_for_gaia_knows_the_names_of_vizier_and_converts_units():
    columns = {column.sources[0]: ("float", column.unit) for column in GAIA.columns}
    columns |= {"pmRA": ("float", "arcsec/yr"), "Plx": ("float", "")}
    made = chosen(a_table(RA_ICRS=("float", "deg"), DE_ICRS=("float", "deg"), **columns), preset=GAIA)
    taken = {column.name: column for column in made.columns}
    assert taken["pmra"].source == "pmRA"
    assert taken["pmra"].factor == pytest.approx(1000)
    assert taken["pmra"].unit == "mas / yr"
    assert taken["parallax"].factor == 1


def test_a_table_that_lacks_what_the_preset_needs_is_refused():
    table = gaia_table(pmra=("float", "mag"), pmdec="text")
    del table.columns["parallax"]
    assert problems(table, preset=GAIA) == [
        "t.fits: column 'pmra': 'mag' cannot be converted to 'mas / yr'; name the right one with --unit",
        "t.fits: column 'pmdec' holds text where the preset needs numbers",
        "t.fits: has no column 'parallax' or 'Plx', which the preset needs",
    ]


def test_tables_that_do_not_go_together_are_refused():
    one = a_table("a.csv", ra="float", dec="float", x="int", y=("float", "mag"), z="int")
    other = a_table("b.csv", ra="float", dec="float", x="text", y=("float", "Jy"), w="int")
    with pytest.raises(TableError) as caught:
        choose_alike([one, other], Wanted())
    assert caught.value.problems == [
        "b.csv: column 'w' is only in b.csv: take what all have with --columns",
        "b.csv: column 'z' is only in a.csv: take what all have with --columns",
        "b.csv: column 'x' is text; in a.csv it is int",
        "b.csv: column 'y' is float [Jy]; in a.csv it is float [mag]",
    ]


def test_whole_numbers_in_one_table_and_fractions_in_another_are_fractions_in_all():
    one = a_table("a.csv", ra="float", dec="float", x="int")
    other = a_table("b.csv", ra="float", dec="float", x="float")
    assert [choice.columns[0].kind for choice in choose_alike([one, other], Wanted())] == ["float", "float"]
