"""What a unit that cannot be opened says of itself, and that what is opened stays off the network."""

import subprocess
import sys
from pathlib import Path

import pytest

from ampeld.catalog.directory import Found
from ampeld.daemon.authors import ModuleLoader
from ampeld.daemon.features import MadeUnit, UnitFinder, make_recipe
from ampeld.daemon.files import read_module
from ampeld.daemon.measuring.opening import open_units
from ampeld.feature.registry import Registry

MODULE = """
import astropy
from ampeld.feature import StateUnit

class Opens(StateUnit):
    model: str = "m.onnx"
    how: str = ""
    def open(self, resources):
        if self.how == "told":
            raise ValueError("model: no tree in it")
        if self.how == "mistake":
            int("x")
        if self.how == "lacking":
            resources.read(self.model)
        if self.how == "system":
            open(self.model)
    def measure(self, light_curve):
        return {}

class Turns(StateUnit):
    def measure(self, light_curve):
        from astropy.time import Time
        # beyond the tables, where astropy would look for newer ones
        return {"ut1": Time("2049-01-01T00:00:00").ut1.jd, "tai": Time("2049-01-01T00:00:00").tai.jd}
"""
NETWORK = """
import socket, sys, urllib.request, warnings
asked = []
def refuse(*whom, **_):  # what is raised here astropy would pass over
    asked.append(whom)
    raise OSError
socket.socket.connect = socket.create_connection = socket.getaddrinfo = urllib.request.urlopen = refuse
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from test_opening import opening
(unit,) = opening(sys.argv[2], "Turns").units.values()
print(sorted(unit.measure(None)), asked)
"""


def opening(path, name, **params):
    registry = Registry(UnitFinder(ModuleLoader(), files := read_module(Path(path))))
    recipe = make_recipe(registry, f"units.py:{name}", params)
    return open_units({recipe.key: MadeUnit(recipe, registry.units[recipe.key], files)}, Found({}, {}))


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "units.py"
    path.write_text(MODULE)
    return path


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("told", "model: no tree in it (model is 'm.onnx')"),
        ("lacking", "there is no file {}/m.onnx"),
        ("system", "[Errno 2] No such file or directory: 'm.onnx'"),
    ],
)
def test_a_unit_that_names_what_is_wrong_is_told_in_one_line(module, how, said):
    found = opening(module, "Opens", how=how)
    assert list(found.failed.values()) == [said.format(module.parent)]
    (stand_in,) = found.units.values()
    with pytest.raises(Exception, match="could not be opened: "):
        stand_in.measure(None)


def test_a_mistake_in_its_code_is_told_with_its_traceback(module):
    (why,) = opening(module, "Opens", how="mistake").failed.values()
    assert why.startswith("\nTraceback")
    assert 'int("x")' in why


def test_a_unit_that_asks_astropy_for_the_rotation_of_the_earth_asks_no_server(module, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NETWORK, str(Path(__file__).parent), str(module)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert (done.stdout, done.returncode) == ("['tai', 'ut1'] []\n", 0), done.stderr
