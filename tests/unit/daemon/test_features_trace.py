"""Where values come from: the sources, libraries and models behind a unit, and a number that changes with them."""

import platform
from importlib.metadata import version

import msgspec
import pytest

from ampeld.daemon.authors import ModuleLoader
from ampeld.daemon.features import MadeUnit, UnitFinder, make_recipe
from ampeld.daemon.features_sources import sources_of
from ampeld.daemon.features_trace import trace_of
from ampeld.daemon.files import ChannelFiles
from ampeld.feature.registry import Registry

MODULES = {
    "a.py": "import numpy\nimport helper\nfrom ampeld.feature import StateUnit\nclass A(StateUnit):\n    x: int = 1\n    def measure(self, light_curve):\n        return {}\n",
    "helper.py": "import json\nfrom far import FAR\n",
    "far.py": "FAR = 1\n",
    "stranger.py": "NOTHING = 1\n",
}


def files(**changes):
    modules = {name: changes.get(name.removesuffix(".py"), text) for name, text in MODULES.items()}
    return ChannelFiles("c", "/channels/c.toml", "", modules)


def made(unit, given=None, *, of=None):
    of = of or files()
    registry = Registry(UnitFinder(ModuleLoader(), of))
    recipe = make_recipe(registry, unit, given or {})
    return MadeUnit(recipe, registry.units[recipe.key], of)


def test_a_trace_says_everything_that_values_depend_on_beside_the_data():
    one = made("a.py:A", {"x": 2})
    trace = trace_of(one, {"m.onnx": "abc"})
    assert (trace.unit, trace.version, trace.params, trace.config) == ("a.py:A", "1", {"x": 2}, one.recipe.config)
    assert trace.py == platform.python_version()
    assert trace.libraries["numpy"] == version("numpy")
    assert trace.libraries["ampeld"] == version("ampeld")
    assert "json" not in trace.libraries
    assert trace.resources == {"m.onnx": "abc"}
    assert -(2**63) <= trace.id < 2**63


def test_the_same_trace_has_the_same_number_wherever_the_channel_lies():
    elsewhere = msgspec.structs.replace(files(), path="/srv/c.toml", name="d")
    assert trace_of(made("a.py:A"), {}) == trace_of(made("a.py:A", of=elsewhere), {})


@pytest.mark.parametrize(
    "other",
    [
        made("a.py:A", {"x": 2}),
        made("a.py:A", of=files(a=MODULES["a.py"] + "# more\n")),
        made("a.py:A", of=files(helper=MODULES["helper.py"] + "# more\n")),
        made("a.py:A", of=files(far="FAR = 2\n")),
    ],
    ids=["parameters", "source", "what it imports", "what that imports"],
)
def test_a_trace_changes_with(other):
    assert trace_of(made("a.py:A"), {}).id != trace_of(other, {}).id


def test_a_trace_changes_with_a_model():
    assert trace_of(made("a.py:A"), {"m": "1"}).id != trace_of(made("a.py:A"), {"m": "2"}).id


def test_a_module_that_it_does_not_import_changes_nothing():
    assert trace_of(made("a.py:A"), {}) == trace_of(made("a.py:A", of=files(stranger="NOTHING = 2\n")), {})


def test_the_sources_of_a_built_in_unit_are_those_of_its_package_and_no_more():
    found = sources_of("RiseDecline", files())
    names = set(found.texts)
    assert {"ampeld.feature.units.risedecline", "ampeld.feature.light_curve", "ampeld.params"} <= names
    assert not any(name.startswith(("ampeld.store", "ampeld.cli", "ampeld.daemon")) for name in names)
    assert found.libraries.keys() >= {"numpy", "msgspec"}
    assert "ampeld" not in found.libraries


def test_a_unit_that_derives_from_a_built_in_one_changes_with_it():
    text = "from ampeld.feature.units.risedecline import RiseDecline\nclass A(RiseDecline):\n    pass\n"
    assert "ampeld.feature.units.risedecline" in sources_of("a.py:A", files(a=text)).texts


def test_a_module_imported_from_a_package_by_name_counts():
    text = "from ampeld.feature import reasons\nfrom ampeld.feature import StateUnit\nclass A(StateUnit):\n    pass\n"
    assert "ampeld.feature.reasons" in sources_of("a.py:A", files(a=text)).texts
