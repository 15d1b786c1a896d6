"""An author who tries a unit is told what is wrong with it, also where that is what it builds upon."""

from ampeld.flow.codes import FAILED_DEPENDENCY
from ampeld.testing import run_unit

UNITS = """
from ampeld.feature import Dependency, ObjectUnit, StateUnit

class Name(ObjectUnit):
    def measure(self, object, *inputs):
        raise ValueError("no such star")

class Tied(StateUnit):
    def dependencies(self):
        return (Dependency("tied.py:Name"),)

    def measure(self, light_curve, *inputs):
        return {}
"""


def test_a_unit_that_builds_upon_a_failed_one_tells_that_ones_traceback(tmp_path):
    (tmp_path / "tied.py").write_text(UNITS)
    (one,) = run_unit(f"{tmp_path}/tied.py:Tied", "sim:1:1").values()
    assert one.code == FAILED_DEPENDENCY
    assert "tied.py:Name: Traceback" in one.error
    assert "ValueError: no such star" in one.error
