"""The catalogue of units: every value of every unit says what it is, so that programs can read it."""

import msgspec
import pytest
from astropy import units

from ampeld.daemon.authors import ModuleLoader
from ampeld.daemon.features import UnitFinder
from ampeld.feature.builtin import BUILTIN
from ampeld.params import parameters
from ampeld.testing.describe_units import describe_unit, list_units
from ampeld.testing.scaffold_feature import write_unit

FIND = UnitFinder(ModuleLoader())


@pytest.mark.parametrize("name", BUILTIN)
def test_a_built_in_unit_says_what_it_is_and_what_its_values_and_parameters_mean(name):
    text = describe_unit(name, FIND(name), "built-in")
    assert text.summary
    assert text.version
    assert text.values
    for value in text.values:
        assert value.description, value.key
        assert value.unit == "" or units.Unit(value.unit), value.key
    assert len({value.key for value in text.values}) == len(text.values)
    assert [one.name for one in text.parameters] == list(parameters(FIND(name)))
    undescribed = [one.name for one in text.parameters if not one.description]
    assert not undescribed


@pytest.mark.parametrize("name", BUILTIN)
def test_the_catalogue_is_json(name):
    text = describe_unit(name, FIND(name), "built-in")
    assert msgspec.json.decode(msgspec.json.encode(text))["unit"] == name


def test_units_beside_channel_files_are_listed_and_broken_ones_say_why(tmp_path):
    write_unit("decay", tmp_path)
    (tmp_path / "filter.py").write_text("raise RuntimeError('it is no module of units')\n")
    (tmp_path / "broken.py").write_text("from ampeld.feature import StateUnit\nclass X(:\n")
    listed = {one.unit: one for one in list_units(tmp_path)}
    assert list(listed)[: len(BUILTIN)] == list(BUILTIN)
    assert set(listed) - set(BUILTIN) == {"decay.py:Decay", "broken.py"}
    assert [value.key for value in listed["decay.py:Decay"].values] == ["n", "days", "slope", "slope_err"]
    band = listed["decay.py:Decay"].parameters[0]
    assert (band.name, band.type, band.default, band.description) == ("band", "str", "r", "Of which band.")
    assert listed["decay.py:Decay"].parameters[1].unit == "d"
    assert "SyntaxError" in listed["broken.py"].problem


def test_what_a_unit_builds_upon_is_told_as_far_as_its_defaults_say():
    assert describe_unit("LCQuality", FIND("LCQuality"), "").dependencies == []
    assert [one.unit for one in describe_unit("DigestRedshifts", FIND("DigestRedshifts"), "").dependencies or ()]
